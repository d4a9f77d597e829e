// Title and legend stand above the axes, so that neither can cover data. Colours are Okabe and Ito's, told apart by
// people who do not see red or green, and every colour also has its own marker.
#include "reports/figure/draw_chart.hpp"

#include <qcustomplot.h>

#include <QFontMetrics>
#include <QLineF>
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

namespace strata {

namespace {

const QFont kFont("DejaVu Sans", 9);

QColor colour_of(int index) {
    static const std::array<QColor, 6> palette{QColor(0, 114, 178),   QColor(213, 94, 0),   QColor(0, 158, 115),
                                               QColor(204, 121, 167), QColor(154, 125, 10), QColor(86, 180, 233)};
    return palette[static_cast<std::size_t>(index) % palette.size()];
}

QCPScatterStyle marker_of(int index, double size) {
    static const std::array<QCPScatterStyle::ScatterShape, 6> shapes{
        QCPScatterStyle::ssDisc,    QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle,
        QCPScatterStyle::ssDiamond, QCPScatterStyle::ssStar,   QCPScatterStyle::ssCross};
    const auto shape = shapes[static_cast<std::size_t>(index) % shapes.size()];
    return {shape, colour_of(index), colour_of(index), size};
}

QString text_of(const std::string& text) { return QString::fromStdString(text); }

void dress(QCPAxis& axis, const ChartAxis& described) {
    axis.setLabel(text_of(described.label));
    axis.setLabelFont(kFont);
    axis.setTickLabelFont(kFont);
    axis.grid()->setPen(QPen(QColor(222, 226, 230)));
    axis.grid()->setZeroLinePen(Qt::NoPen);
    if (!described.categories.empty()) {
        const QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
        for (std::size_t i = 0; i < described.categories.size(); ++i)
            ticker->addTick(double(i), text_of(described.categories[i]));
        axis.setTicker(ticker);
        axis.setSubTicks(false);
        return;
    }
    if (described.log) {
        axis.setScaleType(QCPAxis::stLogarithmic);
        axis.setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
        axis.setNumberFormat("gb");
    }
    if (described.ticks.empty()) return;
    const QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (const ChartTick& tick : described.ticks) ticker->addTick(tick.at, text_of(tick.text));
    axis.setTicker(ticker);
    axis.setSubTicks(false);
}

void add_band(const Series& series, QCustomPlot& plot) {
    QCPGraph *low = plot.addGraph(), *high = plot.addGraph();
    for (const ChartPoint& point : series.points) {
        low->addData(point.x, point.y);
        high->addData(point.x, point.y_to);
    }
    QColor shade = colour_of(series.colour);
    shade.setAlpha(50);
    for (QCPGraph* edge : {low, high}) edge->setPen(Qt::NoPen);
    high->setBrush(shade);
    high->setChannelFillGraph(low);
    high->setName(text_of(series.name));
    low->removeFromLegend();
}

void add_graph(const Series& series, QCustomPlot& plot) {
    constexpr std::size_t kMostMarkers = 40;  // more of them hide the line
    QCPGraph* graph = plot.addGraph();
    for (const ChartPoint& point : series.points) graph->addData(point.x, point.y);
    graph->setName(text_of(series.name));
    graph->setPen(QPen(colour_of(series.colour), 1.8, series.dashed ? Qt::DashLine : Qt::SolidLine));
    const bool markers = series.style == SeriesStyle::markers;
    if (markers) graph->setLineStyle(QCPGraph::lsNone);
    // Lines that coincide are told apart by their markers: bigger ones lie below.
    if (markers || series.points.size() <= kMostMarkers)
        graph->setScatterStyle(marker_of(series.colour, std::max(4, (markers ? 10 : 9) - 2 * series.colour)));
}

// Groups of bars, one bar a series, side by side around each category; stacked ones stand on `below`.
QCPBars* add_bars(const Series& series, QCustomPlot& plot, std::size_t index, std::size_t count, QCPBars* below) {
    const double width = 0.8 / double(count);
    auto* bars = new QCPBars(plot.xAxis, plot.yAxis);
    for (const ChartPoint& point : series.points) bars->addData(point.x - 0.4 + width * (double(index) + 0.5), point.y);
    bars->setWidth(width);
    bars->setName(text_of(series.name));
    QColor fill = colour_of(series.colour);
    if (series.dashed) fill.setAlpha(90);
    bars->setBrush(fill);
    bars->setPen(QPen(colour_of(series.colour)));
    if (below) bars->moveAbove(below);
    return bars;
}

// Bars that lie in the rows of the y axis; the empty ones stand for the series in the legend.
void add_spans(const Series& series, QCustomPlot& plot) {
    constexpr double kHalfHeight = 0.4;
    auto* shown = new QCPBars(plot.yAxis, plot.xAxis);
    shown->setName(text_of(series.name));
    shown->setBrush(colour_of(series.colour));
    shown->setPen(Qt::NoPen);
    for (const ChartPoint& point : series.points) {
        auto* bar = new QCPItemRect(&plot);
        bar->topLeft->setCoords(point.y, point.x - kHalfHeight);
        bar->bottomRight->setCoords(point.y_to, point.x + kHalfHeight);
        bar->setBrush(colour_of(series.colour));
        bar->setPen(QPen(colour_of(series.colour), 0.4));
    }
}

// Categories run down, values to the right.
void set_span_ranges(const Chart& chart, QCustomPlot& plot) {
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points) low = std::min(low, point.y), high = std::max(high, point.y_to);
    plot.xAxis->setRange(low, high > low ? high : low + 1);
    plot.yAxis->setRange(-0.6, double(chart.x.categories.size()) - 0.4);
    plot.yAxis->setRangeReversed(true);
    plot.yAxis->grid()->setVisible(false);
}

void set_ranges(const Chart& chart, QCustomPlot& plot) {
    if (has_spans(chart)) return set_span_ranges(chart, plot);
    plot.rescaleAxes();
    const bool bars = std::any_of(chart.series.begin(), chart.series.end(),
                                  [](const Series& series) { return series.style >= SeriesStyle::bar; });
    if (!chart.x.categories.empty())
        plot.xAxis->setRange(-0.6, double(chart.x.categories.size()) - 0.4);
    else if (!chart.x.log)
        plot.xAxis->scaleRange(1.06, plot.xAxis->range().center());
    else
        plot.xAxis->setRange(plot.xAxis->range().lower / 1.15, plot.xAxis->range().upper * 1.15);
    if (bars)
        plot.yAxis->setRange(0, plot.yAxis->range().upper * 1.12);
    else if (!chart.y.log)
        plot.yAxis->scaleRange(1.16, plot.yAxis->range().center());
    else
        plot.yAxis->setRange(plot.yAxis->range().lower / 1.15, plot.yAxis->range().upper * 1.15);
}

// How much of a series a text would cover: its points, and its line every few pixels.
int covered_of(const Series& series, const QCustomPlot& plot, const QRectF& place) {
    constexpr double kStep = 6;
    int covered = 0;
    std::optional<QPointF> before;
    for (const ChartPoint& point : series.points) {
        const QPointF here(plot.xAxis->coordToPixel(point.x), plot.yAxis->coordToPixel(point.y));
        covered += place.contains(here);
        if (before && series.style == SeriesStyle::line) {
            const QLineF line(*before, here);
            const int parts = static_cast<int>(std::min(line.length() / kStep, 1000.0));
            for (int i = 1; i < parts; ++i) covered += place.contains(line.pointAt(double(i) / parts));
        }
        before = here;
    }
    return covered;
}

// Of the places beside, above and below a point, the one where a text covers least of the series, nothing `taken`, and
// stays inside the axes.
QPointF freest_place(const Chart& chart, const QCustomPlot& plot, const QPointF& at, const QSizeF& text,
                     const std::vector<QRectF>& taken) {
    constexpr double kGap = 12, kMarker = 6, kFromAxis = 4;
    constexpr int kNever = 1000;
    const QRectF inside = QRectF(plot.axisRect()->rect()).adjusted(kFromAxis, 0, -kFromAxis, 0);
    QPointF best;
    int least = std::numeric_limits<int>::max();
    for (QPointF corner :
         {QPointF(at.x() + kGap, at.y() - kGap - text.height()),
          QPointF(at.x() - kGap - text.width(), at.y() - kGap - text.height()), QPointF(at.x() + kGap, at.y() + kGap),
          QPointF(at.x() - kGap - text.width(), at.y() + kGap),
          QPointF(at.x() - text.width() / 2, at.y() - 2 * kGap - text.height()),
          QPointF(at.x() - text.width() / 2, at.y() + 2 * kGap),
          QPointF(at.x() - text.width() / 2, at.y() - 4 * kGap - text.height()),
          QPointF(at.x() + kGap, at.y() + 3 * kGap), QPointF(at.x() - text.width() / 2, at.y() + 5 * kGap)}) {
        corner.setX(std::max(inside.left(), std::min(corner.x(), inside.right() - text.width())));
        const QRectF place(corner, text);
        int covered = inside.contains(place) ? 0 : kNever;
        for (const QRectF& other : taken) covered += place.intersects(other) ? kNever : 0;
        for (const Series& series : chart.series)
            if (series.style != SeriesStyle::band)
                covered += covered_of(series, plot, place.adjusted(-kMarker, -kMarker, kMarker, kMarker));
        if (covered < least) {
            least = covered;
            best = corner;
        }
    }
    return best;
}

// A ring around the point and its name beside it, where no ring or name is that has `taken` its place, which it joins.
// Needs the final layout.
void add_note(const Annotation& note, const Chart& chart, QCustomPlot& plot, std::vector<QRectF>& taken) {
    const QColor ink(28, 36, 48);
    auto* ring = new QCPGraph(plot.xAxis, plot.yAxis);
    ring->addData(note.x, note.y);
    ring->setLineStyle(QCPGraph::lsNone);
    ring->setScatterStyle({QCPScatterStyle::ssCircle, QPen(ink, 1.8), Qt::NoBrush, 15});
    ring->removeFromLegend();
    QFont bold = kFont;
    bold.setBold(true);
    const QSizeF size = QFontMetricsF(bold).size(0, text_of(note.text));
    const QPointF at(plot.xAxis->coordToPixel(note.x), plot.yAxis->coordToPixel(note.y));
    auto* label = new QCPItemText(&plot);
    label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    label->position->setType(QCPItemPosition::ptAbsolute);
    taken.emplace_back(freest_place(chart, plot, at, size, taken), size);
    label->position->setCoords(taken.back().topLeft());
    label->setText(text_of(note.text));
    label->setFont(bold);
    label->setColor(ink);
}

// As many as no name is cut off in, three at most.
int legend_columns(const Chart& chart, const QCustomPlot& plot) {
    constexpr int kIconAndGaps = 52;
    const QFontMetrics measure(kFont);
    int widest = 1;
    for (const Series& series : chart.series)
        widest = std::max(widest, measure.horizontalAdvance(text_of(series.name)) + kIconAndGaps);
    return std::clamp(plot.viewport().width() / widest, 1, 3);
}

}  // namespace

void draw_series(const Chart& chart, QCustomPlot& plot) {
    dress(has_spans(chart) ? *plot.yAxis : *plot.xAxis, chart.x);
    dress(has_spans(chart) ? *plot.xAxis : *plot.yAxis, chart.y);
    std::size_t bar = 0;
    QCPBars* pile = nullptr;
    const auto bars = static_cast<std::size_t>(std::count_if(
        chart.series.begin(), chart.series.end(), [](const Series& s) { return s.style == SeriesStyle::bar; }));
    for (const Series& series : chart.series) {
        if (series.style == SeriesStyle::band)
            add_band(series, plot);
        else if (series.style == SeriesStyle::span)
            add_spans(series, plot);
        else if (series.style == SeriesStyle::bar)
            add_bars(series, plot, bar++, bars, nullptr);
        else if (series.style == SeriesStyle::stacked)
            pile = add_bars(series, plot, 0, 1, pile);
        else
            add_graph(series, plot);
    }
    set_ranges(chart, plot);

    plot.plotLayout()->insertRow(0);
    auto* title = new QCPTextElement(&plot, text_of(chart.title), QFont("DejaVu Sans", 12, QFont::Bold));
    title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    plot.plotLayout()->addElement(0, 0, title);
    plot.plotLayout()->insertRow(1);
    plot.plotLayout()->addElement(1, 0, plot.legend);
    plot.plotLayout()->setRowStretchFactor(1, 0.001);
    plot.plotLayout()->setRowSpacing(4);
    plot.legend->setVisible(true);
    plot.legend->setFont(kFont);
    plot.legend->setBorderPen(Qt::NoPen);
    plot.legend->setWrap(legend_columns(chart, plot));  // before the order, which lays out what is there
    plot.legend->setFillOrder(QCPLayoutGrid::foColumnsFirst);
    plot.legend->setIconSize(30, 12);
}

void draw_notes(const Chart& chart, QCustomPlot& plot) {
    plot.replot(QCustomPlot::rpImmediateRefresh);  // lays out, so that pixels mean something
    constexpr double kRing = 9;
    std::vector<QRectF> taken;
    for (const Annotation& note : chart.annotations)
        taken.emplace_back(plot.xAxis->coordToPixel(note.x) - kRing, plot.yAxis->coordToPixel(note.y) - kRing,
                           2 * kRing, 2 * kRing);
    for (const Annotation& note : chart.annotations) add_note(note, chart, plot, taken);
}

void draw_chart(const Chart& chart, QCustomPlot& plot) {
    draw_series(chart, plot);
    draw_notes(chart, plot);
}

}  // namespace strata
