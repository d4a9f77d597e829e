#include "app/gui/widgets/roofline_changes.hpp"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/gui/widgets/theme.hpp"

namespace strata {

namespace {

constexpr double kLeastRelative = 0.005;  // less is no change that anybody would act on

double time_of(const RooflineOp& op) { return op.calls * op.time_us; }
bool on_the_roofline(const RooflineOp& op) { return op.flops > 0 && op.bytes > 0; }

QPointF pixel_of(const QCustomPlot& plot, const RooflineOp& op) {
    return {plot.xAxis->coordToPixel(op.intensity()), plot.yAxis->coordToPixel(op.tflops())};
}

}  // namespace

std::vector<RooflineChange> roofline_changes(const std::vector<RooflineOp>& before, const std::vector<RooflineOp>& now,
                                             std::size_t most) {
    std::map<std::pair<std::string, std::string>, const RooflineOp*> known;  // of equal names the one with most time
    for (const RooflineOp& op : before)
        if (on_the_roofline(op)) known.emplace(std::pair(op.component, op.name), &op);
    std::vector<RooflineChange> changes;
    for (const RooflineOp& op : now) {
        const auto was = known.find({op.component, op.name});
        if (!on_the_roofline(op) || was == known.end() || time_of(*was->second) <= 0) continue;
        const double relative = time_of(op) / time_of(*was->second) - 1;
        if (std::abs(relative) >= kLeastRelative) changes.push_back({was->second, &op, relative});
        known.erase(was);
    }
    std::ranges::sort(changes, std::greater(), [](const RooflineChange& change) {
        return std::abs(time_of(*change.now) - time_of(*change.before));
    });
    if (changes.size() > most) changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(most), changes.end());
    return changes;
}

void draw_changes(QCustomPlot& plot, const std::vector<RooflineChange>& changes, const QPalette& palette) {
    std::vector<QRectF> taken;
    const QFontMetricsF metrics(plot.font());
    for (const RooflineChange& change : changes) {
        const QColor colour = change.relative < 0 ? good(palette) : bad(palette);
        const QPointF from = pixel_of(plot, *change.before), to = pixel_of(plot, *change.now);
        if (std::hypot(to.x() - from.x(), to.y() - from.y()) > 3) {
            auto* arrow = new QCPItemLine(&plot);
            arrow->start->setCoords(change.before->intensity(), change.before->tflops());
            arrow->end->setCoords(change.now->intensity(), change.now->tflops());
            arrow->setPen(QPen(colour, 1.6, Qt::DashLine));
            arrow->setHead({QCPLineEnding::esSpikeArrow, 9, 11});
        }
        const QString text = QString("%1 %2%3 %")
                                 .arg(QString::fromStdString(change.now->name), change.relative > 0 ? "+" : "")
                                 .arg(100 * change.relative, 0, 'f', 1);
        const double wide = metrics.horizontalAdvance(text) + 4;
        const bool leftwards = to.x() + 10 + wide > plot.axisRect()->right();
        const QRectF box(leftwards ? to.x() - 10 - wide : to.x() + 10, to.y() - metrics.height() / 2, wide,
                         metrics.height());
        if (std::ranges::any_of(taken, [&](const QRectF& other) { return other.intersects(box); })) continue;
        taken.push_back(box);
        auto* label = new QCPItemText(&plot);
        label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
        label->position->setType(QCPItemPosition::ptAbsolute);
        label->position->setCoords(box.topLeft());
        label->setText(text);
        label->setColor(colour);
        label->setBrush(card(palette));
    }
}

}  // namespace strata
