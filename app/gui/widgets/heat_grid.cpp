#include "app/gui/widgets/heat_grid.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kGridTop = 24, kGridBottom = 38, kGridRight = 74, kScale = 12, kGridGap = 8;

// Stops of viridis (matplotlib, CC0): even steps look even, in grey and to people who do not see red or green.
QColor sequential(double share) {
    static const std::array<QColor, 6> stops{QColor(68, 1, 84),    QColor(65, 68, 135),  QColor(42, 120, 142),
                                             QColor(34, 168, 132), QColor(122, 209, 81), QColor(253, 231, 37)};
    const double place = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
    const auto below = std::min<std::size_t>(static_cast<std::size_t>(place), stops.size() - 2);
    return mixed(stops[below], stops[below + 1], place - double(below));
}

// Blue below the middle, orange above: Okabe and Ito's, as in all charts.
QColor diverging(double share, const QColor& middle) {
    return mixed(middle, series_colour(share < 0 ? 0 : 1), std::min(1.0, std::abs(share)));
}

QString shown(double value) { return std::isnan(value) ? "-" : QString::fromStdString(plain(value)); }

// So many names in between are left out that those written do not touch.
int step_of(int count, double pixels, double wanted) {
    return std::max(1, static_cast<int>(std::ceil(wanted * count / std::max(1.0, pixels))));
}

}  // namespace

HeatGrid::HeatGrid(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void HeatGrid::set(HeatCells cells) {
    cells_ = std::move(cells);
    if (!cells_.title.isEmpty()) setAccessibleName(cells_.title);
    double least = 0, most = 0;
    bool any = false;
    for (const double value : cells_.values)
        if (!std::isnan(value)) {
            least = any ? std::min(least, value) : value;
            most = any ? std::max(most, value) : value;
            any = true;
        }
    if (cells_.middle) {
        const double widest = std::max(most - *cells_.middle, *cells_.middle - least);
        const double reach = cells_.reach.value_or(widest > 0 ? widest : 1);
        low_ = std::max(*cells_.middle - reach, cells_.floor);
        high_ = *cells_.middle + reach;
    } else {
        low_ = least;
        high_ = cells_.reach ? least + *cells_.reach : most > least ? most : least + 1;
    }
    if (current_ && (current_->first >= rows() || current_->second >= columns())) current_.reset();
    update();
}

void HeatGrid::set_current(int row, int column) {
    if (rows() == 0 || columns() == 0) return;
    const std::pair place(std::clamp(row, 0, rows() - 1), std::clamp(column, 0, columns() - 1));
    if (current_ == place) return;
    current_ = place;
    update();
    emit current_changed(place.first, place.second);
}

double HeatGrid::value(int row, int column) const {
    return cells_
        .values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns()) + static_cast<std::size_t>(column)];
}

QRectF HeatGrid::grid() const {
    int widest = 0;
    for (const QString& name : cells_.rows) widest = std::max(widest, fontMetrics().horizontalAdvance(name));
    const int left = widest + kGridGap + (cells_.row_title.isEmpty() ? 0 : fontMetrics().height() + 2);
    return QRectF(left, kGridTop, std::max(10, width() - left - kGridRight),
                  std::max(10, height() - kGridTop - kGridBottom));
}

QRectF HeatGrid::rect_of(int row, int column) const {
    const QRectF all = grid();
    const double wide = all.width() / std::max(1, columns()), high = all.height() / std::max(1, rows());
    return {all.left() + column * wide, all.top() + row * high, wide, high};
}

QColor HeatGrid::colour_of(double value) const {
    if (std::isnan(value)) return hairline(palette());
    if (cells_.middle) return diverging((value - *cells_.middle) / (high_ - *cells_.middle), card(palette()));
    return sequential((value - low_) / (high_ - low_));
}

void HeatGrid::draw_cells(QPainter& painter) const {
    // As one picture that is stretched: a thousand cells cost no more than a hundred.
    QImage image(columns(), rows(), QImage::Format_RGB32);
    for (int row = 0; row < rows(); ++row)
        for (int column = 0; column < columns(); ++column)
            image.setPixelColor(column, row, colour_of(value(row, column)));
    painter.drawImage(grid(), image);
    const QRectF one = rect_of(0, 0);
    constexpr int kRoom = 6;
    if (one.width() > 3 * kRoom && one.height() > 2 * kRoom) {
        painter.setPen(card(palette()));
        for (int row = 1; row < rows(); ++row)
            painter.drawLine(rect_of(row, 0).topLeft(), rect_of(row, columns() - 1).topRight());
        for (int column = 1; column < columns(); ++column)
            painter.drawLine(rect_of(0, column).topLeft(), rect_of(rows() - 1, column).bottomLeft());
    }
    for (int row = 0; cells_.written && row < rows(); ++row)
        for (int column = 0; column < columns(); ++column) {
            const QString text = shown(value(row, column));
            if (fontMetrics().horizontalAdvance(text) + kRoom > one.width() || fontMetrics().height() > one.height())
                continue;
            const QColor ground = colour_of(value(row, column));
            painter.setPen(qGray(ground.rgb()) < 128 ? QColor(Qt::white) : QColor(28, 36, 48));
            painter.drawText(rect_of(row, column), Qt::AlignCenter, text);
        }
}

void HeatGrid::draw_names(QPainter& painter) const {
    const QRectF all = grid();
    const int line = fontMetrics().height();
    painter.setPen(palette().color(QPalette::WindowText));
    painter.drawText(QRectF(0, 0, width(), kGridTop - 4), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(cells_.title, Qt::ElideRight, width()));
    painter.setPen(muted(palette()));
    const int every_row = step_of(rows(), all.height(), line);
    for (int row = 0; row < rows(); row += every_row) {
        const QRectF cell = rect_of(row, 0);
        painter.drawText(QRectF(0, cell.center().y() - line, all.left() - kGridGap / 2, 2 * line),
                         Qt::AlignRight | Qt::AlignVCenter, cells_.rows[row]);
    }
    int widest = 0;
    for (const QString& name : cells_.columns) widest = std::max(widest, fontMetrics().horizontalAdvance(name));
    const int every_column = step_of(columns(), all.width(), widest + kGridGap);
    for (int column = 0; column < columns(); column += every_column) {
        const QRectF cell = rect_of(0, column);
        painter.drawText(QRectF(cell.center().x() - widest, all.bottom() + 2, 2 * widest, line), Qt::AlignHCenter,
                         cells_.columns[column]);
    }
    painter.drawText(QRectF(all.left(), all.bottom() + line + 2, all.width(), line), Qt::AlignCenter,
                     cells_.column_title);
    if (cells_.row_title.isEmpty()) return;
    painter.save();
    painter.translate(0, all.center().y());
    painter.rotate(-90);
    painter.drawText(QRectF(-all.height() / 2, 0, all.height(), line), Qt::AlignCenter, cells_.row_title);
    painter.restore();
}

void HeatGrid::draw_scale(QPainter& painter) const {
    const QRectF all = grid();
    const QRectF scale(all.right() + kGridGap, all.top(), kScale, all.height());
    constexpr int kSteps = 64;
    for (int i = 0; i < kSteps; ++i)
        painter.fillRect(
            QRectF(scale.left(), scale.top() + scale.height() * i / kSteps, scale.width(), scale.height() / kSteps + 1),
            colour_of(high_ - (high_ - low_) * (i + 0.5) / kSteps));
    painter.setPen(muted(palette()));
    const int line = fontMetrics().height(), wide = kGridRight - kGridGap - kScale - 4;
    const auto mark = [&](double value, double y) {
        painter.drawText(
            QRectF(scale.right() + 4, std::clamp(y - line / 2.0, scale.top(), scale.bottom() - line), wide, line),
            Qt::AlignLeft | Qt::AlignVCenter, shown(value));
    };
    mark(high_, scale.top());
    mark(low_, scale.bottom());
    const double middle = cells_.middle.value_or((low_ + high_) / 2);
    const double at = scale.top() + scale.height() * (high_ - middle) / (high_ - low_);
    if (at > scale.top() + 1.5 * line && at < scale.bottom() - 1.5 * line) mark(middle, at);
    painter.drawText(QRectF(scale.left() - kGridGap, scale.bottom() + 2, kGridRight, line), Qt::AlignHCenter,
                     cells_.unit);
}

void HeatGrid::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (rows() == 0 || columns() == 0) return;
    draw_cells(painter);
    draw_names(painter);
    draw_scale(painter);
    if (!current_) return;
    painter.setPen(QPen(palette().color(QPalette::WindowText), hasFocus() ? 2.4 : 1.6));
    painter.drawRect(rect_of(current_->first, current_->second).adjusted(-1, -1, 1, 1));
}

std::optional<std::pair<int, int>> HeatGrid::at(const QPointF& place) const {
    const QRectF all = grid();
    if (rows() == 0 || columns() == 0 || !all.contains(place)) return std::nullopt;
    return std::pair(std::min(rows() - 1, int((place.y() - all.top()) / all.height() * rows())),
                     std::min(columns() - 1, int((place.x() - all.left()) / all.width() * columns())));
}

void HeatGrid::mousePressEvent(QMouseEvent* event) {
    if (const auto cell = at(event->position())) set_current(cell->first, cell->second);
}

void HeatGrid::keyPressEvent(QKeyEvent* event) {
    const auto [row, column] = current_.value_or(std::pair(0, 0));
    switch (event->key()) {
        case Qt::Key_Up: return set_current(row - 1, column);
        case Qt::Key_Down: return set_current(row + 1, column);
        case Qt::Key_Left: return set_current(row, column - 1);
        case Qt::Key_Right: return set_current(row, column + 1);
        default: QWidget::keyPressEvent(event);
    }
}

bool HeatGrid::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto cell = at(help->pos()))
        QToolTip::showText(help->globalPos(),
                           QString("%1 %2, %3 %4: %5 %6")
                               .arg(cells_.row_title, cells_.rows[cell->first], cells_.column_title,
                                    cells_.columns[cell->second], shown(value(cell->first, cell->second)), cells_.unit)
                               .simplified(),
                           this);
    else
        QToolTip::hideText();
    return true;
}

}  // namespace strata
