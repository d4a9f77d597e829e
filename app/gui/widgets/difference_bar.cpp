#include "app/gui/widgets/difference_bar.hpp"

#include <QPainter>
#include <cmath>

#include "app/gui/models/record_table.hpp"
#include "app/gui/widgets/theme.hpp"

namespace strata {

void DifferenceBar::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QVariant value = index.data(RecordTable::sort_role);
    const int verdict = index.data(RecordTable::verdict_role).toInt();
    if (value.typeId() == QMetaType::Double && widest_ > 0 && verdict != 0) {
        const QRectF cell = QRectF(option.rect).adjusted(2, 3, -2, -3);
        const double share = std::clamp(value.toDouble() / widest_, -1.0, 1.0);
        const double wide = cell.width() / 2 * std::abs(share);
        QColor colour = verdict > 0 ? good(option.palette) : bad(option.palette);
        colour.setAlpha(70);
        painter->fillRect(
            QRectF(share < 0 ? cell.center().x() - wide : cell.center().x(), cell.top(), wide, cell.height()), colour);
    }
    QStyledItemDelegate::paint(painter, option, index);
}

}  // namespace strata
