// A table of records with a line to filter it by, sorted by a click on a head.
#pragma once

#include <QTableView>
#include <QWidget>

#include "app/gui/models/record_table.hpp"

class QLineEdit;
class QLabel;

namespace strata {

class RecordView : public QWidget {
    Q_OBJECT
public:
    explicit RecordView(const QString& placeholder, QWidget* parent = nullptr);
    void set(Records records);
    QTableView& table() const { return *table_; }
    RecordTable& model() const { return *model_; }
    std::vector<std::size_t> selected() const;  // indices of records, whatever the order on screen
    void select(const std::vector<std::size_t>& records);
    void filter(const QString& text);
    int shown() const;

signals:
    void selection_changed();

private:
    RecordTable* model_;
    QSortFilterProxyModel* sorted_;
    QLineEdit* filter_;
    QLabel* count_;
    QTableView* table_;
};

}  // namespace strata
