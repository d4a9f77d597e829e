// The scenario as a form: the schema's tree with the document's values. An edit goes through the document, so that the
// text, undo and the reader's judgement are the same as for every other way of changing it.
#pragma once

#include <QAbstractItemModel>
#include <map>
#include <memory>

#include "app/gui/models/scenario_document.hpp"
#include "app/gui/models/schema_tree.hpp"

namespace strata {

class ScenarioFormModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { field_column, value_column, unit_column, kColumns };
    enum Role { path_role = Qt::UserRole, choices_role, issue_role, is_set_role };

    ScenarioFormModel(ScenarioDocument& document, std::unique_ptr<SchemaField> root, QObject* parent = nullptr);

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return kColumns; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

    QModelIndex index_of(const std::string& path) const;

private:
    const SchemaField& at(const QModelIndex& index) const;
    QString tooltip(const SchemaField& field) const;
    const QString& value_of(const SchemaField& field) const;
    void refresh(const QModelIndex& parent);

    ScenarioDocument& document_;
    std::unique_ptr<SchemaField> root_;
    mutable std::map<std::string, QString> values_;  // of this text, each read once
};

}  // namespace strata
