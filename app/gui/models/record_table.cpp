#include "app/gui/models/record_table.hpp"

#include <fmt/format.h>

#include <set>

#include "app/gui/models/metrics.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

QString text(const std::string& given) { return QString::fromStdString(given); }
Cell words(const std::string& given) { return {text(given)}; }
Cell number(double value, const std::string& shown) { return {text(shown), value}; }
Cell number(double value) { return number(value, plain(value)); }

Cell setting_of(const PointResult& result, const std::string& path) {
    const std::string value = setting(result, path).value_or("");
    const auto numeric = number_setting(result, path);
    return {text(value), numeric ? QVariant(*numeric) : QVariant(text(value))};
}

}  // namespace

void RecordTable::set(Records records) {
    beginResetModel();
    records_ = std::move(records);
    endResetModel();
}

int RecordTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(records_.rows.size());
}

int RecordTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(records_.columns.size());
}

QVariant RecordTable::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Cell& cell = records_.rows[static_cast<std::size_t>(index.row())][static_cast<std::size_t>(index.column())];
    const bool numeric = cell.sorted_by.typeId() == QMetaType::Double;
    switch (role) {
        case Qt::DisplayRole: return cell.text;
        case Qt::ToolTipRole: return cell.tooltip.isEmpty() ? cell.text : cell.tooltip;
        case sort_role: return cell.sorted_by.isValid() ? cell.sorted_by : QVariant(cell.text);
        case verdict_role: return cell.verdict;
        case Qt::TextAlignmentRole: return QVariant(Qt::AlignVCenter | (numeric ? Qt::AlignRight : Qt::AlignLeft));
        default: return {};
    }
}

QVariant RecordTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole) return {};
    return orientation == Qt::Horizontal ? QVariant(records_.columns[section]) : QVariant(section + 1);
}

Records records_of(const Study& study) {
    Records records;
    std::set<std::string> seen;
    std::vector<std::string> paths, metrics;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (seen.insert(path).second) paths.push_back(path);
    seen.clear();
    for (const PointResult& result : study.results)
        if (result.run)
            for (const auto& [name, value] : result.run->metrics)
                if (seen.insert(name).second) metrics.push_back(name);
    for (const std::string& path : paths) records.columns << text(short_name(path));
    records.columns << "engine"
                    << "status";
    for (const std::string& name : metrics) records.columns << text(name);
    for (const PointResult& result : study.results) {
        std::vector<Cell>& row = records.rows.emplace_back();
        for (const std::string& path : paths) row.push_back(setting_of(result, path));
        row.push_back(words(result.engine));
        row.push_back({text(std::string(to_string(result.status))), {}, text(result.reason)});
        for (const std::string& name : metrics) {
            const bool known = result.run && result.run->metrics.contains(name);
            row.push_back(known ? number(result.run->metrics.at(name)) : Cell{});
        }
    }
    return records;
}

Records records_of(const std::vector<LedgerRow>& ledger) {
    Records records{{"result", "published", "predicted", "unit", "error", "allowed", "verdict", "provenance", "file",
                     "why it misses"}};
    for (const LedgerRow& row : ledger) {
        const auto relative = [&](double value) {
            return row.absolute ? fmt::format("{:+.2f}", value) : fmt::format("{:+.1f} %", 100 * value);
        };
        const auto error = row.error();
        records.rows.push_back({{text(row.id), {}, text(row.source)},
                                row.published ? number(*row.published) : words("> " + row.above),
                                number(row.predicted),
                                words(row.unit),
                                error ? number(*error, relative(*error)) : Cell{},
                                number(row.tolerance, relative(row.tolerance).substr(1)),
                                words(row.pass ? "holds" : "misses"),
                                words(row.provenance),
                                words(row.file.empty() ? "cost book" : row.file),
                                words(row.pass           ? ""
                                      : row.note.empty() ? "no reason known"
                                                         : row.note)});
    }
    return records;
}

Records records_of(const std::vector<RooflineOp>& ops) {
    Records records{{"component", "op", "family", "calls", "each [us]", "in all [ms]", "FLOP/byte", "TFLOP/s",
                     "bound by", "provenance"}};
    for (const RooflineOp& op : ops)
        records.rows.push_back(
            {words(op.component),
             words(op.name),
             {text(std::string(to_string(op.family))), {}, op.point ? text(text_of(*op.point)) : QString()},
             number(op.calls),
             number(op.time_us),
             number(op.calls * op.time_us / 1e3),
             number(op.intensity()),
             number(op.tflops()),
             words(op.memory_bound ? "memory" : "arithmetic"),
             words(fmt::format("{}{}", to_string(op.origin), op.outside ? ", outside" : ""))});
    return records;
}

Records records_of(const std::vector<Difference>& differences, const std::vector<NamedAnswer>& runs) {
    Records records{{differences.empty() || differences.front().unit.empty() ? "metric" : "op"}};
    const QString unit = differences.empty() || differences.front().unit.empty()
                             ? QString()
                             : QString(" [%1]").arg(text(differences.front().unit));
    records.columns << "difference" + unit << "difference [%]";
    for (const NamedAnswer& run : runs) records.columns << text(run.name) + unit;
    for (const Difference& difference : differences) {
        const auto verdict_of = [&](double change) {
            return change == 0 ? 0 : (change < 0) == difference.lower_is_better ? 1 : -1;
        };
        const auto changed = [&](const std::optional<double>& change, double times) {
            if (!change) return Cell{"-"};
            return Cell{
                text(*change > 0 ? "+" : "") + text(plain(*change * times)), *change * times, {}, verdict_of(*change)};
        };
        std::vector<Cell>& row = records.rows.emplace_back();
        row.push_back({text(difference.what), {}, text(label_of_metric(difference.what))});
        row.push_back(changed(difference.absolute, 1));
        row.push_back(changed(difference.relative, 100));
        for (const std::optional<double>& value : difference.values) row.push_back(value ? number(*value) : Cell{"-"});
    }
    return records;
}

}  // namespace strata
