#include "app/gui/models/record_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/gui/models/metrics.hpp"
#include "app/gui/qt_text.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

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
    return parent.isValid() ? 0 : static_cast<int>(records_.size());
}

Cell RecordTable::cell(const QModelIndex& index) const {
    return records_.at(static_cast<std::size_t>(index.row()), static_cast<std::size_t>(index.column()));
}

int RecordTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(records_.columns.size());
}

QVariant RecordTable::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole && role != sort_role && role != verdict_role &&
        role != Qt::TextAlignmentRole)
        return {};
    const Cell cell = this->cell(index);
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

namespace {

// Of all runs, in the order in which they come; those of one engine have the same, so most are only compared.
std::vector<std::string> metrics_of(const Study& study) {
    std::vector<std::string> metrics;
    std::set<std::string> seen;
    const Run* before = nullptr;
    for (const PointResult& result : study.results) {
        if (!result.run) continue;
        const auto& own = result.run->metrics;
        const bool same =
            before && std::ranges::equal(own, before->metrics, {}, &std::pair<const std::string, double>::first,
                                         &std::pair<const std::string, double>::first);
        before = &*result.run;
        if (same) continue;
        for (const auto& [name, value] : own)
            if (seen.insert(name).second) metrics.push_back(name);
    }
    return metrics;
}

std::vector<std::string> paths_of(const Study& study, const std::vector<Settings>& waiting) {
    std::vector<std::string> paths;
    const auto note = [&](const Settings& settings) {
        for (const auto& [path, value] : settings)
            if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    };
    for (const PointResult& result : study.results) note(result.settings);
    for (const Settings& settings : waiting) note(settings);
    return paths;
}

// What the cells of a study are made from.
struct StudyColumns {
    std::shared_ptr<const Study> study;
    std::vector<Settings> waiting;
    std::vector<std::string> paths, metrics;

    Cell of_waiting(const Settings& settings, std::size_t column) const {
        if (column == paths.size() + 1) return {"waits", {}, "it has not been run yet: run the study to go on"};
        if (column >= paths.size()) return {};
        return setting_of({settings, {}, {}, {}, {}, {}}, paths[column]);
    }
    Cell operator()(std::size_t row, std::size_t column) const {
        if (row >= study->results.size()) return of_waiting(waiting[row - study->results.size()], column);
        const PointResult& result = study->results[row];
        if (column < paths.size()) return setting_of(result, paths[column]);
        if (column == paths.size()) return words(result.engine);
        if (column == paths.size() + 1) return {text(std::string(to_string(result.status))), {}, text(result.reason)};
        if (!result.run) return {};
        const auto metric = result.run->metrics.find(metrics[column - paths.size() - 2]);
        return metric == result.run->metrics.end() ? Cell{} : number(metric->second);
    }
};

}  // namespace

Records records_of(std::shared_ptr<const Study> study, const std::vector<Settings>& waiting) {
    StudyColumns columns{study, waiting, paths_of(*study, waiting), metrics_of(*study)};
    Records records;
    for (const std::string& path : columns.paths) records.columns << text(short_name(path));
    records.columns << "engine"
                    << "status";
    for (const std::string& name : columns.metrics) records.columns << text(name);
    records.made_rows = study->results.size() + waiting.size();
    records.make = std::move(columns);
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
