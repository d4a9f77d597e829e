#include "app/gui/widgets/rank_shelves.hpp"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kShelfLeft = 64, kShelfTop = 8, kShelfBottom = 36, kShelfRight = 10;

}  // namespace

RankShelves::RankShelves(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName("Experts of the layer by rank; arrows choose, Ctrl and arrows move");
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void RankShelves::set(const ExpertLayer& layer) {
    layer_ = layer;
    highest_ = 1.05;
    for (const double load : layer_.after) highest_ = std::max(highest_, load * 1.05);
    if (chosen_ && (chosen_->first >= ranks() || chosen_->second >= static_cast<int>(of(chosen_->first).size())))
        chosen_.reset();
    update();
}

void RankShelves::choose(int rank, int place) {
    if (ranks() == 0) return;
    rank = std::clamp(rank, 0, ranks() - 1);
    chosen_ = {rank, std::clamp(place, 0, static_cast<int>(of(rank).size()) - 1)};
    update();
}

QRectF RankShelves::area() const {
    return QRectF(kShelfLeft, kShelfTop, std::max(10, width() - kShelfLeft - kShelfRight),
                  std::max(10, height() - kShelfTop - kShelfBottom));
}

double RankShelves::y_of(double load) const { return area().bottom() - load / highest_ * area().height(); }

int RankShelves::rank_at(double x) const {
    return std::clamp(static_cast<int>((x - area().left()) / area().width() * ranks()), 0, ranks() - 1);
}

QRectF RankShelves::block(int rank, int place) const {
    const double wide = area().width() / std::max(1, ranks());
    double below = 0;
    for (int i = 0; i < place; ++i) below += of(rank)[static_cast<std::size_t>(i)].load;
    const double above = below + of(rank)[static_cast<std::size_t>(place)].load;
    const double gap = wide > 8 ? 2 : wide > 4 ? 1 : 0;
    return QRectF(QPointF(area().left() + rank * wide, y_of(above)),
                  QPointF(area().left() + (rank + 1) * wide - gap, y_of(below)));
}

std::optional<std::pair<int, int>> RankShelves::block_at(const QPointF& place) const {
    if (ranks() == 0 || !area().contains(place)) return std::nullopt;
    const int rank = rank_at(place.x());
    for (int i = 0; i < static_cast<int>(of(rank).size()); ++i)
        if (block(rank, i).contains(place)) return std::pair(rank, i);
    return std::nullopt;
}

void RankShelves::draw_axes(QPainter& painter) const {
    const int line = fontMetrics().height();
    const double step = highest_ > 4 ? 1 : highest_ > 2 ? 0.5 : 0.25;
    for (double load = 0; load <= highest_; load += step) {
        const double y = y_of(load);
        painter.setPen(hairline(palette()));
        painter.drawLine(QPointF(area().left(), y), QPointF(area().right(), y));
        painter.setPen(muted(palette()));
        painter.drawText(QRectF(line, y - line, kShelfLeft - line - 6, 2 * line), Qt::AlignRight | Qt::AlignVCenter,
                         QString::number(load));
    }
    const double wanted = fontMetrics().horizontalAdvance(QString::number(ranks())) + 10;
    const int every = std::max(1, static_cast<int>(std::ceil(wanted * ranks() / area().width())));
    for (int rank = 0; rank < ranks(); rank += every) {
        const double x = area().left() + (rank + 0.5) * area().width() / ranks();
        painter.drawText(QRectF(x - 40, area().bottom() + 2, 80, line), Qt::AlignHCenter, QString::number(rank));
    }
    painter.drawText(QRectF(area().left(), area().bottom() + line + 2, area().width(), line), Qt::AlignHCenter, "rank");
    painter.save();
    painter.translate(0, area().center().y());
    painter.rotate(-90);
    painter.drawText(QRectF(-area().height() / 2, 0, area().height(), line), Qt::AlignCenter, "load / mean");
    painter.restore();
}

void RankShelves::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), card(palette()));
    if (ranks() == 0) return;
    draw_axes(painter);
    for (int rank = 0; rank < ranks(); ++rank)
        for (int place = 0; place < static_cast<int>(of(rank).size()); ++place) {
            const QRectF box = block(rank, place);
            const bool chosen = chosen_ == std::pair(rank, place);
            const double over = layer_.after[static_cast<std::size_t>(rank)];
            QColor colour = mixed(card(palette()), series_colour(over > 1 ? 1 : 0), 0.45 + 0.2 * (place % 2));
            painter.fillRect(box.adjusted(0, 0, 0, box.height() > 3 ? -1 : 0), chosen ? palette().highlight() : colour);
            if (box.width() < 24 || box.height() < fontMetrics().height()) continue;
            painter.setPen(chosen ? palette().color(QPalette::HighlightedText) : palette().color(QPalette::WindowText));
            painter.drawText(box, Qt::AlignCenter, QString::number(of(rank)[static_cast<std::size_t>(place)].expert));
        }
    painter.setPen(QPen(palette().color(QPalette::WindowText), 1.2, Qt::DashLine));
    painter.drawLine(QPointF(area().left(), y_of(1)), QPointF(area().right(), y_of(1)));
    if (!dragged_to_ || !chosen_) return;
    const double wide = area().width() / ranks();
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
    painter.drawRect(QRectF(area().left() + rank_at(dragged_to_->x()) * wide, area().top(), wide, area().height()));
}

void RankShelves::mousePressEvent(QMouseEvent* event) {
    if (const auto found = block_at(event->position())) choose(found->first, found->second);
}

void RankShelves::mouseMoveEvent(QMouseEvent* event) {
    if (!chosen_ || !event->buttons().testFlag(Qt::LeftButton)) return;
    dragged_to_ = event->position();
    update();
}

void RankShelves::mouseReleaseEvent(QMouseEvent* event) {
    const bool dropped = dragged_to_.has_value() && chosen_ && area().contains(event->position());
    dragged_to_.reset();
    update();
    if (!dropped) return;
    const auto [from, place] = *chosen_;
    const int to = rank_at(event->position().x());
    if (to != from) emit moved(of(from)[static_cast<std::size_t>(place)].expert, from, to);
}

void RankShelves::keyPressEvent(QKeyEvent* event) {
    const auto [rank, place] = chosen_.value_or(std::pair(0, 0));
    const int step = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
    if (step != 0 && event->modifiers().testFlag(Qt::ControlModifier)) {
        const int to = rank + step;
        if (chosen_ && to >= 0 && to < ranks()) {
            chosen_ = {to, place};
            emit moved(of(rank)[static_cast<std::size_t>(place)].expert, rank, to);
        }
        return;
    }
    if (step != 0) return choose(rank + step, place);
    if (event->key() == Qt::Key_Up) return choose(rank, place + 1);
    if (event->key() == Qt::Key_Down) return choose(rank, place - 1);
    QWidget::keyPressEvent(event);
}

bool RankShelves::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto found = block_at(help->pos())) {
        const PlacedExpert& placed = of(found->first)[static_cast<std::size_t>(found->second)];
        QToolTip::showText(help->globalPos(),
                           QString("expert %1 on rank %2: %3 of a mean rank's load")
                               .arg(placed.expert)
                               .arg(found->first)
                               .arg(QString::fromStdString(percent(placed.load))),
                           this);
    } else {
        QToolTip::hideText();
    }
    return true;
}

}  // namespace strata
