// A table of records to look at: text for people, numbers for sorting, a tooltip that says where a number is from.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <QString>
#include <functional>
#include <memory>
#include <vector>

#include "app/gui/models/answer.hpp"
#include "app/gui/models/comparison.hpp"
#include "sim/study/validation.hpp"

namespace strata {

struct Cell {
    QString text;
    QVariant sorted_by{};  // none: the text
    QString tooltip{};
    int verdict = 0;  // of a difference: -1 worse, 1 better
};

struct Records {
    QStringList columns;
    std::vector<std::vector<Cell>> rows{};
    // Of large tables: cells are made when they are looked at.
    std::size_t made_rows = 0;
    std::function<Cell(std::size_t row, std::size_t column)> make{};

    std::size_t size() const { return make ? made_rows : rows.size(); }
    Cell at(std::size_t row, std::size_t column) const { return make ? make(row, column) : rows[row][column]; }
};

class RecordTable : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role { sort_role = Qt::UserRole, verdict_role };
    using QAbstractTableModel::QAbstractTableModel;

    void set(Records records);
    const Records& records() const { return records_; }
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Cell cell(const QModelIndex& index) const;

private:
    Records records_;
};

// Every result of a study: what distinguishes it, how it went, and what it gave; then the points that still wait.
Records records_of(std::shared_ptr<const Study> study, const std::vector<Settings>& waiting);
Records records_of(const std::vector<LedgerRow>& ledger);
Records records_of(const std::vector<RooflineOp>& ops);
Records records_of(const std::vector<Difference>& differences, const std::vector<NamedAnswer>& runs);

}  // namespace strata
