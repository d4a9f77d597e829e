#include "app/gui/models/row_curves.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "reports/study_view.hpp"

namespace strata {

namespace {

// From an access of the smallest memory to a row that is a stream; 264 B is an Engram row.
constexpr std::array<double, 13> kRows{32, 64, 128, 192, 256, 264, 384, 512, 1024, 2048, 4096, 16384, 65536};

// A drive reads whole pages of its own.
double share_of_pages(double row, double page) { return row / (std::ceil(row / page) * page); }

double share_of(Tier tier, double bytes, const Platform& platform) {
    switch (tier) {
        case Tier::hbm: return platform.machine.memory_rows ? platform.machine.memory_rows->of(Bytes(bytes)) : NAN;
        case Tier::host: return platform.machine.host_rows ? platform.machine.host_rows->of(Bytes(bytes)) : NAN;
        case Tier::cxl: return NAN;
        case Tier::nvme: return share_of_pages(bytes, platform.nvme_granularity);
    }
    return NAN;
}

}  // namespace

RowCurves row_curves(Answerer& answerer, const AnswerRequest& request) {
    const Scenario scenario = answerer.read(request);
    if (!has_a_step(scenario)) throw InputError("Rows are read by a decode or prefill step; this workload has none.");
    const Platform& platform = answerer.inputs().platform(scenario.platform);
    RowCurves found;
    const auto curve = [&](const std::string& name, Tier tier) {
        RowCurve& of_tier = found.curves.emplace_back(RowCurve{name});
        for (const double row : kRows) of_tier.points.push_back({row, 100 * share_of(tier, row, platform)});
    };
    if (platform.machine.memory_rows)
        curve(fmt::format("HBM ({}), by its banks", platform.machine.memory_rows->spec().name), Tier::hbm);
    if (platform.machine.host_rows)
        curve(fmt::format("host memory ({}), by its banks", platform.machine.host_rows->spec().name), Tier::host);
    if (scenario.platform.nvme)
        curve(fmt::format("drives, whole pages of {:.0f} B", platform.nvme_granularity), Tier::nvme);
    const auto read = [&](const char* name, Tier tier, double bytes) {
        if (bytes <= 0) return;
        const double share = share_of(tier, bytes, platform);
        found.rows.push_back(
            {name, std::string(to_string(tier)), bytes, std::isnan(share) ? std::nullopt : std::optional(100 * share)});
    };
    if (scenario.model.engram) read("Engram row", scenario.placement.engram, scenario.model.engram->row_bytes());
    read("KV entry", scenario.placement.kv, scenario.model.attention.entry_bytes);
    return found;
}

Chart chart_of(const RowCurves& curves) {
    Chart chart;
    chart.name = "rows";
    chart.title = "Bandwidth that random rows get";
    chart.x = {.label = "bytes of a row", .log = true};
    for (const double row : {64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0})
        chart.x.ticks.push_back(
            {row, row < 1024 ? fmt::format("{:.0f} B", row) : fmt::format("{:.0f} KiB", row / 1024)});
    chart.y = {.label = "share of the peak [%]"};
    int colour = 0;
    for (const RowCurve& curve : curves.curves)
        chart.series.push_back({.name = curve.memory, .colour = colour++, .points = curve.points});
    for (const ReadRow& row : curves.rows)
        if (row.share)
            chart.annotations.push_back(
                {fmt::format("{}, {:.0f} B in {}: {} %", row.name, row.bytes, row.tier, plain(std::round(*row.share))),
                 row.bytes, *row.share});
    return chart;
}

}  // namespace strata
