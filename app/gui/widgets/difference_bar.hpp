// A column of differences: each number with a bar from the middle of its cell, the widest one filling it, green where
// the change is for the better.
#pragma once

#include <QStyledItemDelegate>

namespace strata {

class DifferenceBar : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void set_widest(double widest) { widest_ = widest; }  // of the column, absolute
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    double widest_ = 0;
};

}  // namespace strata
