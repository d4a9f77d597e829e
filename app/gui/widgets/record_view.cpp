#include "app/gui/widgets/record_view.hpp"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QVBoxLayout>

namespace strata {

RecordView::RecordView(const QString& placeholder, QWidget* parent)
    : QWidget(parent),
      model_(new RecordTable(this)),
      sorted_(new QSortFilterProxyModel(this)),
      filter_(new QLineEdit),
      count_(new QLabel),
      table_(new QTableView) {
    sorted_->setSourceModel(model_);
    sorted_->setSortRole(RecordTable::sort_role);
    sorted_->setFilterKeyColumn(-1);
    sorted_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    filter_->setPlaceholderText(placeholder);
    filter_->setClearButtonEnabled(true);
    filter_->setMaximumWidth(420);
    filter_->setAccessibleName(placeholder);
    table_->setAccessibleName(placeholder + " (table)");
    table_->horizontalHeader()->setResizeContentsPrecision(100);  // rows that widths are found from
    count_->setForegroundRole(QPalette::PlaceholderText);
    table_->setModel(sorted_);
    table_->setSortingEnabled(true);
    table_->sortByColumn(-1, Qt::AscendingOrder);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setAlternatingRowColors(true);
    table_->setShowGrid(false);
    table_->setFrameShape(QFrame::NoFrame);
    table_->setWordWrap(false);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* line = new QHBoxLayout;
    line->addWidget(filter_, 1);
    line->addWidget(count_);
    line->addStretch(1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addLayout(line);
    layout->addWidget(table_, 1);
    connect(filter_, &QLineEdit::textChanged, this, &RecordView::filter);
    connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RecordView::selection_changed);
}

void RecordView::set(Records records) {
    model_->set(std::move(records));
    constexpr int kWidest = 260;
    table_->resizeColumnsToContents();
    for (int column = 0; column < model_->columnCount(); ++column)
        table_->setColumnWidth(column, std::min(kWidest, table_->columnWidth(column) + 12));
    count_->setText(QString("%1 of %2").arg(shown()).arg(model_->rowCount()));
}

int RecordView::shown() const { return sorted_->rowCount(); }

void RecordView::filter(const QString& text) {
    if (filter_->text() != text) filter_->setText(text);
    sorted_->setFilterFixedString(text);
    count_->setText(QString("%1 of %2").arg(shown()).arg(model_->rowCount()));
}

std::vector<std::size_t> RecordView::selected() const {
    std::vector<std::size_t> records;
    for (const QModelIndex& index : table_->selectionModel()->selectedRows())
        records.push_back(static_cast<std::size_t>(sorted_->mapToSource(index).row()));
    return records;
}

void RecordView::select(const std::vector<std::size_t>& records) {
    QItemSelection selection;
    QModelIndex first;
    for (const std::size_t record : records) {
        const QModelIndex index = sorted_->mapFromSource(model_->index(static_cast<int>(record), 0));
        if (!index.isValid()) continue;
        selection.select(index, index);
        if (!first.isValid() || index.row() < first.row()) first = index;
    }
    table_->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (first.isValid()) table_->scrollTo(first);
}

}  // namespace strata
