#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "reports/access_view.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr double kKeepsUp = 0.98;  // of what is offered: below, requests pile up

double of(const Run& run, const char* metric) { return run.metrics.at(metric); }
double share_of_peak(const Run& run) { return 100 * of(run, "access.efficiency"); }
bool has(const Run& run, const char* metric) { return run.metrics.count(metric) > 0; }

// A sweep of loads has several that are offered; a sweep of rows has several sizes at full speed.
bool is_offered(const Accessed& accessed) { return accessed.load > 0; }
bool is_full_speed(const Accessed& accessed) { return accessed.load == 0; }

template <class Value>
bool varies(const std::vector<AccessGroup>& groups, Value value) {
    return std::any_of(groups.begin(), groups.end(), [&](const AccessGroup& group) {
        std::set<double> seen;
        for (const PointResult* result : group.results) seen.insert(value(*result->run->accessed));
        return seen.size() > 1;
    });
}

std::string sizes(const AccessGroup& group) {
    double least = 1e300, most = 0;
    for (const PointResult* result : group.results) {
        least = std::min(least, result->run->accessed->row_bytes);
        most = std::max(most, result->run->accessed->row_bytes);
    }
    return least == most ? size_text(least) : size_text(least) + " to " + size_text(most);
}

std::string with_others(const std::string& name, const AccessGroup& group) {
    return group.others.empty() ? name : name + ", " + group.others;
}

// "32.1" of one value, "4.5 to 32.1" of several.
template <class Value>
std::string span(const AccessGroup& group, int decimals, Value value) {
    double least = 1e300, most = -1e300;
    for (const PointResult* result : group.results) {
        const double found = value(*result->run);
        least = std::min(least, found);
        most = std::max(most, found);
    }
    const std::string from = fmt::format("{:.{}f}", least, decimals), to = fmt::format("{:.{}f}", most, decimals);
    return from == to ? to : from + " to " + to;
}

Table at_full_speed(const std::vector<AccessGroup>& groups) {
    Table table{.title = "As fast as it goes",
                .columns = {"part", "pattern", "request", "peak [GB/s]", "reached [GB/s]", "% of peak", "mean [ns]"}};
    for (const AccessGroup& group : groups) {
        const Run& any = *group.results.front()->run;
        table.rows.push_back({group.part, with_others(group.pattern, group), sizes(group),
                              any.accessed->peak_GBps > 0 ? plain(any.accessed->peak_GBps) : "-",
                              span(group, 1, [](const Run& run) { return of(run, "access.bandwidth_GBps"); }),
                              has(any, "access.efficiency") ? span(group, 1, share_of_peak) : "-",
                              span(group, 0, [](const Run& run) { return of(run, "access.latency_ns"); })});
    }
    return table;
}

bool keeps_up(const Run& run) { return of(run, "access.efficiency") >= kKeepsUp * run.accessed->load; }

// The highest load that a group keeps up with; null if it keeps up with none.
const Run* highest_kept(const AccessGroup& group) {
    const Run* highest = nullptr;
    for (const PointResult* result : group.results) {
        const Run& run = *result->run;
        if (keeps_up(run) && (!highest || run.accessed->load > highest->accessed->load)) highest = &run;
    }
    return highest;
}

const Run& lowest_load(const AccessGroup& group) {
    return *(*std::min_element(group.results.begin(), group.results.end(), [](const auto* a, const auto* b) {
                return a->run->accessed->load < b->run->accessed->load;
            }))->run;
}

std::string load_text(const AccessGroup& group) {
    const Run& lowest = lowest_load(group);
    const auto served = [](const Run& run) {
        return fmt::format("{:.0f} ns (p99 {:.0f}) at {:g} % load", of(run, "access.latency_ns"),
                           of(run, "access.latency_p99_ns"), 100 * run.accessed->load);
    };
    std::string text = fmt::format("{}: {} of {} take {}", group.part, group.pattern, sizes(group), served(lowest));
    const Run* kept = highest_kept(group);
    if (!kept) return text + "; no load that was offered is kept up with.";
    return kept == &lowest ? text + "." : text + fmt::format(" and {}, the highest kept up with.", served(*kept));
}

// "Random rows of 264 B: HBM3E x 6 (H200_SXM) keeps up with 65 % of its peak, ..."
std::string headline_under_load(const std::vector<AccessGroup>& groups) {
    std::string text = fmt::format("{} of {}: ", groups.front().pattern, sizes(groups.front()));
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    bool first = true;
    for (const AccessGroup& group : groups) {
        if (group.pattern != groups.front().pattern) continue;
        const Run* kept = highest_kept(group);
        text += fmt::format("{}{} {}", first ? "" : ", ", with_others(group.part, group),
                            kept ? fmt::format("keeps up with {:g} % of its peak", 100 * kept->accessed->load)
                                 : "keeps up with none of these loads");
        first = false;
    }
    return text + ".";
}

std::string headline_at_full_speed(const std::vector<AccessGroup>& groups) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(groups.size(), 3); ++i) {
        const AccessGroup& group = groups[i];
        text += fmt::format("{}{}: {} GB/s{}, {} of {}", i == 0 ? "" : "; ", group.part,
                            span(group, 1, [](const Run& run) { return of(run, "access.bandwidth_GBps"); }),
                            has(*group.results.front()->run, "access.efficiency")
                                ? ", " + span(group, 1, share_of_peak) + " % of the peak"
                                : std::string(),
                            with_others(group.pattern, group), sizes(group));
    }
    return text + ".";
}

Table under_load(const std::vector<AccessGroup>& groups) {
    Table table{.title = "Under load",
                .columns = {"part", "pattern", "request", "lowest load [%]", "mean there [ns]", "p99 there [ns]",
                            "highest kept up with [%]", "mean there [ns]", "p99 there [ns]"}};
    for (const AccessGroup& group : groups) {
        const Run& lowest = lowest_load(group);
        const Run* kept = highest_kept(group);
        const auto ns = [](const Run* run, const char* metric) {
            return run ? fmt::format("{:.0f}", of(*run, metric)) : "-";
        };
        table.rows.push_back({group.part, with_others(group.pattern, group), sizes(group),
                              fmt::format("{:g}", 100 * lowest.accessed->load), ns(&lowest, "access.latency_ns"),
                              ns(&lowest, "access.latency_p99_ns"),
                              kept ? fmt::format("{:g}", 100 * kept->accessed->load) : "-",
                              ns(kept, "access.latency_ns"), ns(kept, "access.latency_p99_ns")});
    }
    return table;
}

Chart latency_chart(const std::vector<AccessGroup>& groups, const char* name, const char* title, const char* label,
                    const char* metric) {
    Chart chart{.name = name, .title = title, .x = {"offered load [% of peak]"}, .y = {label}};
    double least = 1e300, most = 0;
    chart.series = access_series(groups, [&](const Run& run) {
        least = std::min(least, of(run, metric));
        most = std::max(most, of(run, metric));
        return ChartPoint{100 * run.accessed->load, of(run, metric)};
    });
    chart.y.log = most > 10 * least;
    return chart;
}

Chart row_chart(const std::vector<AccessGroup>& groups, const char* name, const char* title, const char* label,
                double (*value)(const Run&)) {
    Chart chart{.name = name, .title = title, .x = {"bytes of one request", true}, .y = {label}};
    double least = 1e300, most = 0;
    chart.series = access_series(groups, [&](const Run& run) {
        least = std::min(least, run.accessed->row_bytes);
        most = std::max(most, run.accessed->row_bytes);
        return ChartPoint{run.accessed->row_bytes, value(run)};
    });
    for (Series& series : chart.series)
        std::stable_sort(series.points.begin(), series.points.end(),
                         [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
    // A size that is no power of two, and so no multiple of bursts, falls out of its line and is told by name.
    for (const AccessGroup& group : groups)
        for (const PointResult* result : group.results) {
            const Run& run = *result->run;
            if (std::exp2(std::round(std::log2(run.accessed->row_bytes))) != run.accessed->row_bytes &&
                group.pattern == groups.front().pattern)
                chart.annotations.push_back({size_text(run.accessed->row_bytes), run.accessed->row_bytes, value(run)});
        }
    for (double at = std::exp2(std::ceil(std::log2(least))); at <= most; at *= 2)
        chart.x.ticks.push_back({at, size_text(at)});
    return chart;
}

// Beyond what a part can serve, a latency says only for how long it was asked.
std::vector<AccessGroup> kept_up_with(std::vector<AccessGroup> groups) {
    for (AccessGroup& group : groups)
        std::erase_if(group.results, [](const PointResult* result) { return !keeps_up(*result->run); });
    std::erase_if(groups, [](const AccessGroup& group) { return group.results.empty(); });
    for (AccessGroup& group : groups)
        std::stable_sort(group.results.begin(), group.results.end(),
                         [](const auto* a, const auto* b) { return a->run->accessed->load < b->run->accessed->load; });
    return groups;
}

std::vector<std::string> point_row(const Run& run, const std::vector<AccessColumn>& columns) {
    const Accessed& accessed = *run.accessed;
    std::vector<std::string> row;
    row.push_back(accessed.part);
    row.push_back(accessed.pattern);
    row.push_back(size_text(accessed.row_bytes));
    row.push_back(accessed.load > 0 ? fmt::format("{:g}", 100 * accessed.load) : "-");
    for (const AccessColumn& column : columns) row.push_back(cell(run, column));
    return row;
}

Table points_with_a_result(const Study& study) {
    const std::vector<AccessColumn> columns = access_columns(study);
    Table table;
    table.title = fmt::format("{} results", study.results.size());
    table.columns = {"part", "pattern", "request", "load [%]"};
    table.folded = study.results.size() > 24;
    for (const AccessColumn& column : columns) table.columns.push_back(column.head);
    for (const PointResult& result : study.results)
        if (ran(result)) table.rows.push_back(point_row(*result.run, columns));
    return table;
}

Table points_without_a_result(const Study& study) {
    Table table;
    table.title = "Points without a result";
    table.columns = {"point", "status", "reason"};
    for (const PointResult& result : study.results)
        if (!ran(result))
            table.rows.push_back({label_of(result, study), std::string(to_string(result.status)), result.reason});
    return table;
}

}  // namespace

Section access_summary_section(const Study& study) {
    Section section{.title = "What the parts give"};
    const auto full = access_groups(study, {"workload.load", "workload.row"}, is_full_speed);
    const auto offered = access_groups(study, {"workload.load", "workload.row"}, is_offered);
    section.paragraphs = {offered.empty() ? headline_at_full_speed(full) : headline_under_load(offered)};
    for (const AccessGroup& group : offered)
        if (group.pattern == offered.front().pattern) section.paragraphs.push_back(load_text(group));
    if (!full.empty()) section.tables.push_back(at_full_speed(full));
    if (!offered.empty()) section.tables.push_back(under_load(offered));
    section.footnotes = {
        "All of it is modelled, from the standards' own timings: banks, row buffers, buses, refresh and one controller "
        "of which only the kind is known. \"strata validate\" shows how far such figures are from published "
        "measurements."};
    if (!offered.empty())
        section.footnotes.push_back(
            fmt::format("A part keeps up with a load if it serves at least {:g} % of it; beyond, requests pile up.",
                        100 * kKeepsUp));
    return section;
}

std::optional<Section> access_load_section(const Study& study) {
    const auto groups = kept_up_with(access_groups(study, {"workload.load"}, is_offered));
    if (!varies(groups, [](const Accessed& accessed) { return accessed.load; })) return std::nullopt;
    Section section{.title = "Latency against offered load"};
    section.paragraphs = {
        "Requests come at random times. A line ends at the highest load that its part keeps up with; beyond, requests "
        "pile up, and a latency says only for how long that went on."};
    section.charts = {
        latency_chart(groups, "latency-load", "Latency against offered load", "mean latency [ns]", "access.latency_ns"),
        latency_chart(groups, "latency-load-p99", "The slowest in a hundred", "p99 latency [ns]",
                      "access.latency_p99_ns")};
    return section;
}

std::optional<Section> access_row_section(const Study& study) {
    const auto groups = access_groups(study, {"workload.row"}, is_full_speed);
    if (!varies(groups, [](const Accessed& accessed) { return accessed.row_bytes; })) return std::nullopt;
    Section section{.title = "Bandwidth against row size"};
    section.paragraphs = {
        "Only bytes that were asked for count. A short request opens a row of a bank and uses little of it; one that "
        "is "
        "no multiple of a burst also pays for what it leaves of its first and last."};
    const auto rate = [](const Run& run) { return of(run, "access.bandwidth_GBps"); };
    section.charts = {
        row_chart(groups, "row-size", "Bandwidth against row size", "bandwidth [% of peak]", share_of_peak),
        row_chart(groups, "row-size-rate", "The same in bytes a second", "bandwidth [GB/s]", rate)};
    section.charts[1].y.log = true;
    for (const AccessGroup& group : groups) {
        Series measured{.name = "measured beside it", .dashed = true, .colour = 2};
        for (const PointResult* result : group.results)
            if (has(*result->run, "access.measured_GBps"))
                measured.points.push_back({result->run->accessed->row_bytes, of(*result->run, "access.measured_GBps")});
        if (!measured.points.empty()) section.charts[1].series.push_back(measured);
    }
    return section;
}

Section access_points_section(const Study& study) {
    Section section;
    section.title = "All results";
    section.tables.push_back(points_with_a_result(study));
    if (Table missing = points_without_a_result(study); !missing.rows.empty())
        section.tables.push_back(std::move(missing));
    return section;
}

}  // namespace strata
