#include "app/gui/widgets/bar_rows.hpp"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <numeric>

#include "app/gui/widgets/theme.hpp"

namespace strata {

namespace {

constexpr int kRow = 34, kBar = 20, kLabel = 96, kText = 158, kLegendRow = 20, kBarGap = 10;

double sum(const BarRow& row) {
    return std::accumulate(row.pieces.begin(), row.pieces.end(), 0.0,
                           [](double all, const BarPiece& piece) { return all + piece.value; });
}

}  // namespace

BarRows::BarRows(const QString& unit, QWidget* parent) : QWidget(parent), unit_(unit) {
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setSizePolicy(policy);
}

void BarRows::set(std::vector<BarRow> rows) {
    rows_ = std::move(rows);
    updateGeometry();
    update();
}

double BarRows::scale_of(const BarRow& row) const {
    if (row.capacity) return std::max(*row.capacity, sum(row));
    double widest = 0;
    for (const BarRow& other : rows_)
        if (!other.capacity) widest = std::max(widest, sum(other));
    return widest;
}

QRectF BarRows::bar_of(std::size_t row) const {
    return QRectF(kLabel, double(row) * kRow + (kRow - kBar) / 2.0, std::max(40, width() - kLabel - kText), kBar);
}

std::vector<std::pair<QPoint, const BarPiece*>> BarRows::legend(int* height) const {
    std::vector<std::pair<QPoint, const BarPiece*>> entries;
    int x = kLabel, y = static_cast<int>(rows_.size()) * kRow + 4;
    const QFontMetrics metrics(font());
    for (const BarRow& row : rows_)
        for (const BarPiece& piece : row.pieces) {
            if (std::any_of(entries.begin(), entries.end(),
                            [&](const auto& entry) { return entry.second->name == piece.name; }))
                continue;
            const int wide = 18 + metrics.horizontalAdvance(piece.name) + 16;
            if (x > kLabel && x + wide > width()) {
                x = kLabel;
                y += kLegendRow;
            }
            entries.emplace_back(QPoint(x, y), &piece);
            x += wide;
        }
    if (height) *height = rows_.empty() ? kRow : y + kLegendRow;
    return entries;
}

QSize BarRows::sizeHint() const {
    int height = 0;
    legend(&height);
    return {520, height};
}

void BarRows::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    updateGeometry();  // a narrower legend needs more rows
}

void BarRows::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor ink = palette().color(QPalette::WindowText);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const BarRow& row = rows_[i];
        const QRectF bar = bar_of(i);
        const double scale = scale_of(row);
        painter.setPen(muted(palette()));
        painter.drawText(QRectF(0, double(i) * kRow, kLabel - kBarGap, kRow), Qt::AlignVCenter | Qt::AlignLeft,
                         row.label);
        painter.setPen(Qt::NoPen);
        if (row.capacity) {
            painter.setBrush(hairline(palette()));
            painter.drawRect(bar);
        }
        double x = bar.left();
        for (const BarPiece& piece : row.pieces) {
            const double wide = scale > 0 ? bar.width() * piece.value / scale : 0;
            painter.setBrush(piece.colour);
            painter.drawRect(QRectF(x, bar.top(), std::max(0.0, wide - (wide > 3 ? 1 : 0)), bar.height()));
            x += wide;
        }
        painter.setPen(ink);
        painter.drawText(QRectF(bar.right() + kBarGap, double(i) * kRow, kText - kBarGap, kRow),
                         Qt::AlignVCenter | Qt::AlignLeft, row.text);
    }
    for (const auto& [at, piece] : legend(nullptr)) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(piece->colour);
        painter.drawRect(QRectF(at.x(), at.y() + 4, 11, 11));
        painter.setPen(muted(palette()));
        painter.drawText(QRect(at.x() + 17, at.y(), 300, kLegendRow), Qt::AlignVCenter | Qt::AlignLeft, piece->name);
    }
}

bool BarRows::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const QRectF bar = bar_of(i);
        double x = bar.left();
        for (const BarPiece& piece : rows_[i].pieces) {
            const double wide = bar.width() * piece.value / std::max(scale_of(rows_[i]), 1e-300);
            if (QRectF(x, bar.top(), wide, bar.height()).contains(help->pos())) {
                QToolTip::showText(help->globalPos(),
                                   QString("%1: %2 %3").arg(piece.name).arg(piece.value, 0, 'g', 4).arg(unit_), this);
                return true;
            }
            x += wide;
        }
    }
    QToolTip::hideText();
    return true;
}

}  // namespace strata
