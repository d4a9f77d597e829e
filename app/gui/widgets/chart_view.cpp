#include "app/gui/widgets/chart_view.hpp"

#include <qcustomplot.h>

#include "app/gui/widgets/theme.hpp"
#include "reports/figure/draw_chart.hpp"

namespace strata {

void follow_palette(QCustomPlot& plot, const QPalette& palette) {
    const QColor ink = palette.color(QPalette::WindowText), line = muted(palette);
    plot.setBackground(card(palette));
    for (QCPAxisRect* rect : plot.axisRects())
        for (QCPAxis* axis : rect->axes()) {
            axis->setBasePen(QPen(line));
            axis->setTickPen(QPen(line));
            axis->setSubTickPen(QPen(line));
            axis->setTickLabelColor(line);
            axis->setLabelColor(ink);
            axis->grid()->setPen(QPen(hairline(palette)));
        }
    for (int i = 0; i < plot.graphCount(); ++i) {  // rings around points are ink, which is dark on paper
        QCPScatterStyle style = plot.graph(i)->scatterStyle();
        if (style.shape() != QCPScatterStyle::ssCircle || style.brush().style() != Qt::NoBrush) continue;
        style.setPen(QPen(ink, style.pen().widthF()));
        plot.graph(i)->setScatterStyle(style);
    }
    plot.legend->setBrush(Qt::NoBrush);
    plot.legend->setTextColor(ink);
    for (int i = 0; i < plot.plotLayout()->elementCount(); ++i)
        if (auto* title = qobject_cast<QCPTextElement*>(plot.plotLayout()->elementAt(i))) title->setTextColor(ink);
    for (int i = 0; i < plot.itemCount(); ++i)
        if (auto* text = qobject_cast<QCPItemText*>(plot.item(i))) text->setColor(ink);
}

namespace {

// A view can be narrower than a page: what does not fit is in the tooltip.
void shorten_titles(QCustomPlot& plot, int width) {
    constexpr int kMargin = 24;
    for (int i = 0; i < plot.plotLayout()->elementCount(); ++i)
        if (auto* title = qobject_cast<QCPTextElement*>(plot.plotLayout()->elementAt(i))) {
            QFont font = title->font();
            font.setPointSizeF(10);
            title->setFont(font);
            plot.setToolTip(title->text());
            title->setText(QFontMetrics(font).elidedText(title->text(), Qt::ElideRight, width - kMargin));
        }
}

}  // namespace

void legend_above(QCustomPlot& plot) {
    plot.legend->setVisible(true);
    if (plot.plotLayout()->rowCount() > 1) return;
    plot.plotLayout()->insertRow(0);
    plot.axisRect()->insetLayout()->take(plot.legend);
    plot.plotLayout()->addElement(0, 0, plot.legend);
    plot.plotLayout()->setRowStretchFactor(0, 0.001);
    plot.legend->setFillOrder(QCPLegend::foColumnsFirst);
    plot.legend->setWrap(8);
    plot.legend->setBorderPen(Qt::NoPen);
}

void make_log(QCPAxis& axis) {
    axis.setScaleType(QCPAxis::stLogarithmic);
    axis.setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
    axis.setNumberFormat("gb");
}

void show_reason(QCustomPlot& plot, const QString& reason) {
    // Not the rectangle of the axes: a text in it would be gone too.
    for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) axis->setVisible(reason.isEmpty());
    if (plot.legend) plot.legend->setVisible(reason.isEmpty() && plot.plotLayout()->rowCount() > 1);
    const QString name = "reason";
    for (int i = plot.itemCount(); i-- > 0;)
        if (!reason.isEmpty() || plot.item(i)->objectName() == name) plot.removeItem(i);
    if (reason.isEmpty()) return;
    auto* text = new QCPItemText(&plot);
    text->setObjectName(name);
    text->setClipToAxisRect(false);
    text->position->setType(QCPItemPosition::ptViewportRatio);
    text->position->setCoords(0.5, 0.5);
    text->setText(reason);
}

ChartView::ChartView(QWidget* parent) : QWidget(parent) {
    setMinimumSize(320, 220);
    settles_.setSingleShot(true);
    settles_.setInterval(30);
    connect(&settles_, &QTimer::timeout, this, &ChartView::draw);
}

void ChartView::set(const Chart& chart) {
    chart_ = chart;
    reason_.clear();
    draw();
}

void ChartView::clear(const QString& reason) {
    chart_.reset();
    reason_ = reason;
    draw();
}

void ChartView::draw() {
    settles_.stop();
    delete plot_;
    plot_ = nullptr;
    update();
    if (!chart_) return;
    // A fresh one each time: places of notes are those of one size.
    plot_ = new QCustomPlot(this);
    plot_->setGeometry(rect());
    plot_->setViewport(rect());
    plot_->setAccessibleName(QString::fromStdString(chart_->title));
    draw_series(*chart_, *plot_);
    shorten_titles(*plot_, width());
    constexpr int kNarrow = 560;  // here a legend of two columns needs a smaller face
    if (width() < kNarrow) {
        QFont small = plot_->legend->font();
        small.setPointSizeF(small.pointSizeF() * 0.88);
        plot_->legend->setFont(small);
    }
    draw_notes(*chart_, *plot_);  // at pixels, so once nothing moves any more
    follow_palette(*plot_, palette());
    plot_->replot(QCustomPlot::rpImmediateRefresh);
    plot_->show();
}

void ChartView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (plot_) plot_->setGeometry(rect());
    settles_.start();
}

void ChartView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) settles_.start();
}

void ChartView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), card(palette()));
    painter.setPen(muted(palette()));
    painter.drawText(rect().adjusted(24, 24, -24, -24), Qt::AlignCenter | Qt::TextWordWrap, reason_);
}

}  // namespace strata
