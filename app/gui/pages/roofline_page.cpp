#include "app/gui/pages/roofline_page.hpp"

#include <qcustomplot.h>

#include <QFontDatabase>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/roofline_changes.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMostArrows = 8;

// A point that nothing exceeds: the slope of the memory up to a peak.
void add_roof(QCustomPlot& plot, const QString& name, double peak_tflops, double memory_tb_s, double from, double to,
              const QColor& colour, Qt::PenStyle style) {
    if (peak_tflops <= 0 || memory_tb_s <= 0) return;
    QCPGraph* roof = plot.addGraph();
    roof->setName(name);
    roof->setPen(QPen(colour, 1.4, style));
    roof->addData(from, memory_tb_s * from);
    roof->addData(peak_tflops / memory_tb_s, peak_tflops);
    roof->addData(std::max(to, peak_tflops / memory_tb_s), peak_tflops);
}

}  // namespace

RooflinePage::RooflinePage(QWidget* parent)
    : QWidget(parent),
      plot_(new QCustomPlot),
      said_(new QLabel),
      table_(new RecordView("Filter kernels")),
      derivation_(new QPlainTextEdit),
      seen_(new WhenSeen(this, [this] { draw(); })) {
    plot_->setAccessibleName("Roofline");
    plot_->setMinimumHeight(240);
    said_->setForegroundRole(QPalette::PlaceholderText);
    said_->setWordWrap(true);
    derivation_->setReadOnly(true);
    derivation_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    derivation_->setFrameShape(QFrame::NoFrame);
    derivation_->setLineWrapMode(QPlainTextEdit::NoWrap);
    derivation_->setPlaceholderText("Click on a kernel to see how its time is derived.");
    derivation_->setAccessibleName("How the time of the kernel is derived");
    auto* below = new QSplitter(Qt::Horizontal);
    below->addWidget(table_);
    below->addWidget(derivation_);
    below->setStretchFactor(0, 1);
    below->setStretchFactor(1, 1);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(plot_);
    splitter->addWidget(below);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    splitter->setSizes({430, 330});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addWidget(splitter, 1);
    connect(table_, &RecordView::selection_changed, this, &RooflinePage::chosen);
    connect(plot_, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) { clicked(event->position()); });
}

void RooflinePage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && answer_) seen_->draw();
}

void RooflinePage::show_answer(const SharedAnswer& answer) {
    if (!answer->run) return;  // what was shown stands: the Answer page says what is wrong
    answer_ = answer;
    seen_->draw();
}

void RooflinePage::set_baseline(const SharedAnswer& baseline) {
    if (baseline == baseline_) return;
    baseline_ = baseline;
    if (answer_) seen_->draw();
}

// Labels of arrows stand where there is room for them, which is another place now.
void RooflinePage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (answer_ && baseline_) QTimer::singleShot(0, seen_, &WhenSeen::draw);
}

void RooflinePage::show_derivation(const QString& text) { derivation_->setPlainText(text); }

void RooflinePage::draw() {
    const std::vector<RooflineOp>& ops = answer_->ops;
    if (in_table_ != answer_) table_->set(records_of(ops));
    in_table_ = answer_;
    plot_->clearGraphs();
    plot_->clearItems();
    double from = 1e9, to = 1, all_us = 0, lowest = 1e9, bare_us = 0;
    for (const RooflineOp& op : ops) {
        all_us += op.calls * op.time_us;
        if (op.flops <= 0 || op.bytes <= 0) {
            bare_us += op.calls * op.time_us;
            continue;
        }
        from = std::min(from, op.intensity());
        to = std::max(to, op.intensity());
        lowest = std::min(lowest, op.tflops());
    }
    if (ops.empty() || from > to) {
        said_->setText("This workload has no one step whose kernels could be shown.");
        plot_->replot();
        return;
    }
    const Device& device = answer_->device;
    const double memory = device.memory.si() / 1e12;
    from /= 2;
    to *= 2;
    add_roof(*plot_, "FP8 peak", device.fp8.si() / 1e12, memory, from, to, palette().color(QPalette::WindowText),
             Qt::SolidLine);
    add_roof(*plot_, "BF16 peak", device.bf16.si() / 1e12, memory, from, to, muted(palette()), Qt::DashLine);
    std::map<std::pair<std::string, int>, QCPGraph*> clouds;  // by provenance and size
    for (const RooflineOp& op : ops) {
        if (op.flops <= 0 || op.bytes <= 0) continue;
        const double share = op.calls * op.time_us / all_us;
        const std::string origin(to_string(op.origin));
        // Area for share of the time, in five sizes, so that a legend can be short.
        const int size = std::clamp(static_cast<int>(std::lround(std::sqrt(share) * 9)), 0, 4);
        QCPGraph*& graph = clouds[{origin, size}];
        if (!graph) {
            graph = plot_->addGraph();
            QColor fill = provenance_colour(origin);
            fill.setAlpha(170);
            graph->setLineStyle(QCPGraph::lsNone);
            graph->setScatterStyle(
                {QCPScatterStyle::ssDisc, QPen(provenance_colour(origin)), QBrush(fill), 6.0 + 5 * size});
            graph->setName(QString::fromStdString(origin));
            graph->removeFromLegend();
        }
        graph->addData(op.intensity(), op.tflops());
    }
    std::set<std::string> named;
    for (const auto& [key, cloud] : clouds) {
        if (!named.insert(key.first).second) continue;
        QCPGraph* entry = plot_->addGraph();  // without points: of one size whatever the marks have
        entry->setLineStyle(QCPGraph::lsNone);
        entry->setScatterStyle(
            {QCPScatterStyle::ssDisc, provenance_colour(key.first), provenance_colour(key.first), 8});
        entry->setName(QString::fromStdString(key.first));
    }
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        make_log(*axis);
    }
    plot_->xAxis->setLabel("arithmetic intensity [FLOP/byte]");
    plot_->yAxis->setLabel("rate [TFLOP/s]");
    plot_->xAxis->setRange(from, to);
    plot_->yAxis->setRange(lowest / 2, std::max(device.fp8.si(), device.bf16.si()) / 1e12 * 2);
    legend_above(*plot_);
    follow_palette(*plot_, palette());
    plot_->replot();  // the axes know their pixels now
    std::vector<RooflineChange> changes;
    if (baseline_ && baseline_ != answer_) changes = roofline_changes(baseline_->ops, ops, kMostArrows);
    draw_changes(*plot_, changes, palette());
    if (!changes.empty()) plot_->replot();
    said_->setText(QString("%1 different kernels on %2; the larger a mark, the more of the step's time. Kernels "
                           "without arithmetic (%3 of the time) stand in the table alone.%4")
                       .arg(ops.size())
                       .arg(device.name.empty() ? "a changed device" : QString::fromStdString(device.name),
                            QString::fromStdString(percent(bare_us / all_us)),
                            changes.empty() ? "" : " Arrows: from the baseline, with the change of the op's time."));
}

void RooflinePage::chosen() {
    const std::vector<std::size_t> selected = table_->selected();
    if (!answer_ || selected.empty() || selected.front() >= answer_->ops.size()) return;
    const RooflineOp& op = answer_->ops[selected.front()];
    if (op.point) {
        emit asked_for(*op.point);
        return;
    }
    show_derivation(QString("%1 %2, family %3\n  %4 GFLOP, %5 MB\n  estimate: %6 us, %7\nNo table has a point for "
                            "it: it is priced as its family is.")
                        .arg(QString::fromStdString(op.component), QString::fromStdString(op.name),
                             QString::fromStdString(std::string(to_string(op.family))))
                        .arg(op.flops / 1e9, 0, 'g', 4)
                        .arg(op.bytes / 1e6, 0, 'g', 4)
                        .arg(op.time_us, 0, 'f', 3)
                        .arg(QString::fromStdString(std::string(to_string(op.origin)))));
}

void RooflinePage::clicked(const QPointF& at) {
    if (!answer_) return;
    constexpr double kReach = 14;  // pixels
    double nearest = kReach;
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < answer_->ops.size(); ++i) {
        const RooflineOp& op = answer_->ops[i];
        if (op.flops <= 0 || op.bytes <= 0) continue;
        const double away = std::hypot(plot_->xAxis->coordToPixel(op.intensity()) - at.x(),
                                       plot_->yAxis->coordToPixel(op.tflops()) - at.y());
        if (away > nearest) continue;
        nearest = away;
        found = i;
    }
    if (found) table_->select({*found});
}

}  // namespace strata
