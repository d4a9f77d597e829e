#include "app/gui/models/scenario_form_model.hpp"

#include <QColor>
#include <QFont>
#include <QStringList>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

QString html_text(const std::string& given) { return QString::fromStdString(given).toHtmlEscaped(); }

}  // namespace

ScenarioFormModel::ScenarioFormModel(ScenarioDocument& document, std::unique_ptr<SchemaField> root, QObject* parent)
    : QAbstractItemModel(parent), document_(document), root_(std::move(root)) {
    connect(&document_, &ScenarioDocument::changed, this, [this] {
        values_.clear();
        refresh({});
    });
}

void ScenarioFormModel::refresh(const QModelIndex& parent) {
    const int rows = rowCount(parent);
    if (rows == 0) return;
    emit dataChanged(index(0, 0, parent), index(rows - 1, kColumns - 1, parent));
    for (int row = 0; row < rows; ++row) refresh(index(row, 0, parent));
}

const SchemaField& ScenarioFormModel::at(const QModelIndex& index) const {
    return index.isValid() ? *static_cast<const SchemaField*>(index.internalPointer()) : *root_;
}

QModelIndex ScenarioFormModel::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, at(parent).fields[static_cast<std::size_t>(row)].get());
}

QModelIndex ScenarioFormModel::parent(const QModelIndex& child) const {
    const SchemaField* above = child.isValid() ? at(child).parent : nullptr;
    return above == nullptr || above == root_.get() ? QModelIndex() : createIndex(above->row, 0, above);
}

int ScenarioFormModel::rowCount(const QModelIndex& parent) const {
    return parent.column() > 0 ? 0 : static_cast<int>(at(parent).fields.size());
}

const QString& ScenarioFormModel::value_of(const SchemaField& field) const {
    const auto [known, is_new] = values_.try_emplace(field.path);
    if (is_new)
        if (const auto value = document_.value(field.path)) known->second = QString::fromStdString(*value);
    return known->second;
}

QVariant ScenarioFormModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const SchemaField& field = at(index);
    const ScenarioIssue* issue = document_.issue_of(field.path);
    switch (role) {
        case Qt::DisplayRole:
            if (index.column() == field_column) return QString::fromStdString(field.name).replace('_', ' ');
            if (index.column() == unit_column) return QString::fromStdString(field.unit);
            if (const QString& value = value_of(field); !value.isEmpty()) return value;
            return QString::fromStdString(field.standard == "{}" ? "" : field.standard);
        case Qt::EditRole: return index.column() == value_column ? value_of(field) : QVariant();
        case Qt::ToolTipRole: return tooltip(field);
        case Qt::AccessibleTextRole:
            return QString("%1 %2 %3")
                .arg(QString::fromStdString(field.path), value_of(field), QString::fromStdString(field.unit));
        case Qt::FontRole: {
            QFont font;
            font.setBold(index.column() == field_column && field.is_group() && field.parent == root_.get());
            return font;
        }
        case path_role: return QString::fromStdString(field.path);
        case issue_role: return issue ? QString::fromStdString(issue->message) : QString();
        case is_set_role: return !value_of(field).isEmpty();
        case choices_role: {
            QStringList choices;
            for (const std::string& choice : field.choices) choices << QString::fromStdString(choice);
            return choices;
        }
        default: return {};
    }
}

QString ScenarioFormModel::tooltip(const SchemaField& field) const {
    QString tip = QString("<p><b>%1</b><br>%2</p>").arg(html_text(field.path), html_text(field.description));
    const auto add = [&](const char* what, const std::string& said) {
        if (!said.empty()) tip += QString("<br>%1: %2").arg(what, html_text(said));
    };
    if (const ScenarioIssue* issue = document_.issue_of(field.path))
        tip += QString("<p style='color:#c0392b'>%1</p>").arg(html_text(issue->message));
    add("unit", field.unit);
    add("range", field.range);
    add("default",
        field.standard.empty() && !field.required ? "from the preset or catalogue, or none" : field.standard);
    add("example", field.example);
    return tip;
}

QVariant ScenarioFormModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return section == field_column ? "Field" : section == value_column ? "Value" : "Unit";
}

Qt::ItemFlags ScenarioFormModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    if (index.column() == value_column) flags |= Qt::ItemIsEditable;
    return flags;
}

bool ScenarioFormModel::setData(const QModelIndex& index, const QVariant& given, int role) {
    if (role != Qt::EditRole || !index.isValid() || index.column() != value_column) return false;
    const SchemaField& field = at(index);
    const QString wanted = given.toString().trimmed();
    if (wanted == value_of(field)) return false;
    try {
        document_.set_value(field.path, wanted.toStdString());
        return true;
    } catch (const InputError&) {
        return false;  // what was typed is no YAML at all; the field keeps what it had
    }
}

QModelIndex ScenarioFormModel::index_of(const std::string& path) const {
    const SchemaField* node = root_.get();
    while (node->path != path) {
        const SchemaField* next = nullptr;
        for (const auto& field : node->fields)
            if (path == field->path || path.rfind(field->path + ".", 0) == 0) next = field.get();
        if (!next) return {};
        node = next;
    }
    return node == root_.get() ? QModelIndex() : createIndex(node->row, field_column, node);
}

}  // namespace strata
