#include "app/gui/widgets/parallel_axes.hpp"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kSide = 76, kTop = 34, kBottom = 26;
constexpr std::size_t kMostLines = 20000;  // more are one blot, and slow
constexpr double kReach = 24;              // pixels from an axis

std::pair<double, double> range_of(const ParallelAxis& axis) {
    double low = 1e300, high = -1e300;
    for (const double value : axis.values)
        if (!std::isnan(value)) low = std::min(low, value), high = std::max(high, value);
    if (low > high) return {0, 1};
    return low == high ? std::pair(low - 1, high + 1) : std::pair(low, high);
}

}  // namespace

ParallelAxes::ParallelAxes(QWidget* parent) : QWidget(parent) {
    setAccessibleName("Points over all axes");
    setToolTip("Drag along an axis to choose the points that pass there");
}

void ParallelAxes::set(std::vector<ParallelAxis> axes) {
    axes_ = std::move(axes);
    ranges_.clear();
    for (const ParallelAxis& axis : axes_) ranges_.push_back(range_of(axis));
    selected_.clear();
    update();
}

void ParallelAxes::select(std::vector<std::size_t> points) {
    selected_.assign(points.empty() ? 0 : this->points(), false);
    for (const std::size_t point : points)
        if (point < selected_.size()) selected_[point] = true;
    update();
}

double ParallelAxes::x_of(std::size_t axis) const {
    if (axes_.size() < 2) return width() / 2.0;
    return kSide + double(width() - 2 * kSide) * double(axis) / double(axes_.size() - 1);
}

double ParallelAxes::y_of(std::size_t axis, double value) const {
    const auto [low, high] = ranges_[axis];
    return height() - kBottom - (height() - kTop - kBottom) * (value - low) / (high - low);
}

QColor ParallelAxes::colour_of(std::size_t point) const {
    const auto [low, high] = ranges_.back();
    const double value = axes_.back().values[point];
    return std::isnan(value) ? muted(palette())
                             : mixed(series_colour(0), series_colour(1), (value - low) / (high - low));
}

void ParallelAxes::draw_line(QPainter& painter, std::size_t point) const {
    QPolygonF line;
    for (std::size_t axis = 0; axis < axes_.size(); ++axis)
        if (const double value = axes_[axis].values[point]; !std::isnan(value))
            line << QPointF(x_of(axis), y_of(axis, value));
    painter.drawPolyline(line);
}

// Its name above, its ends or its words beside it.
void ParallelAxes::draw_axis(QPainter& painter, std::size_t axis) const {
    const double x = x_of(axis), room = axes_.size() < 2 ? width() : x_of(1) - x_of(0);
    painter.setPen(QPen(muted(palette()), 1.2));
    painter.drawLine(QPointF(x, kTop), QPointF(x, height() - kBottom));
    painter.setPen(palette().color(QPalette::WindowText));
    const QString name = fontMetrics().elidedText(axes_[axis].name, Qt::ElideMiddle, int(std::min(room, 150.0)) - 8);
    painter.drawText(QRectF(x - 75, 6, 150, 20), Qt::AlignCenter, name);
    const auto mark = [&](double value, const QString& text) {
        const QRectF box(x + 5, y_of(axis, value) - 9, std::max(30.0, std::min(room - 10, kSide - 6.0)), 18);
        const QString fits = fontMetrics().elidedText(text, Qt::ElideRight, int(box.width()));
        painter.fillRect(QRectF(box.topLeft(), QSizeF(fontMetrics().horizontalAdvance(fits) + 2, 18)), card(palette()));
        painter.drawText(box, Qt::AlignLeft | Qt::AlignVCenter, fits);
    };
    painter.setPen(muted(palette()));
    if (const QStringList& words = axes_[axis].words; !words.isEmpty()) {
        for (int i = 0; i < words.size(); ++i) mark(i, words[i]);
        return;
    }
    const auto [low, high] = ranges_[axis];
    for (const double value : {low, (low + high) / 2, high}) mark(value, QString::fromStdString(plain(value)));
}

void ParallelAxes::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), card(palette()));
    if (points() == 0) {
        painter.setPen(muted(palette()));
        painter.drawText(rect(), Qt::AlignCenter, "Run the study (F5): every point becomes a line here.");
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing, points() < 2000);
    const std::size_t drawn = std::min(points(), kMostLines);
    for (const bool chosen : {false, true})  // chosen ones on top
        for (std::size_t point = 0; point < drawn; ++point) {
            if (!selected_.empty() && selected_[point] != chosen) continue;
            if (selected_.empty() && chosen) continue;
            QColor colour = selected_.empty() || chosen ? colour_of(point) : hairline(palette());
            colour.setAlphaF(points() > 200 && !chosen ? 0.35F : 0.85F);
            painter.setPen(QPen(colour, chosen ? 1.8 : 1.1));
            draw_line(painter, point);
        }
    painter.setRenderHint(QPainter::Antialiasing);
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) draw_axis(painter, axis);
    if (!brushes_) return;
    QColor area = palette().color(QPalette::Highlight);
    area.setAlpha(70);
    painter.fillRect(
        QRectF(x_of(brush_.axis) - 8, std::min(brush_.from, brush_.to), 16, std::abs(brush_.to - brush_.from)), area);
}

std::vector<std::size_t> ParallelAxes::inside(const Brush& brush) const {
    std::vector<std::size_t> found;
    for (std::size_t point = 0; point < points(); ++point) {
        const double y = y_of(brush.axis, axes_[brush.axis].values[point]);  // NaN is in no range
        if (y >= std::min(brush.from, brush.to) && y <= std::max(brush.from, brush.to)) found.push_back(point);
    }
    return found;
}

void ParallelAxes::mousePressEvent(QMouseEvent* event) {
    for (std::size_t axis = 0; axis < axes_.size(); ++axis)
        if (std::abs(event->position().x() - x_of(axis)) < kReach) {
            brush_ = {axis, event->position().y(), event->position().y()};
            brushes_ = true;
        }
    update();
}

void ParallelAxes::mouseMoveEvent(QMouseEvent* event) {
    if (brushes_) brush_.to = event->position().y();
    update();
}

// A click without a drag chooses nothing, and so takes the choice back.
void ParallelAxes::mouseReleaseEvent(QMouseEvent* event) {
    if (!std::exchange(brushes_, false)) return;
    brush_.to = event->position().y();
    emit brushed(std::abs(brush_.to - brush_.from) < 3 ? std::vector<std::size_t>() : inside(brush_));
    update();
}

}  // namespace strata
