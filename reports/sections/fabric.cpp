#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

struct Way {
    const char *name, *metric;
    Lane lane;
};
constexpr Way kWays[]{{"inside a scale-up domain", "network.scale_up_ms", Lane::scale_up},
                      {"between domains", "network.scale_out_ms", Lane::scale_out},
                      {"from host memory", "fetch.host_ms", Lane::host_fetch},
                      {"from expanders", "fetch.cxl_ms", Lane::cxl_fetch},
                      {"from drives", "fetch.nvme_ms", Lane::nvme_fetch}};

}  // namespace

std::optional<Section> fabric_section(const Recommendation& chosen) {
    if (!chosen.point || !chosen.point->run) return std::nullopt;
    const Run& run = *chosen.point->run;
    Table ways{.title = fmt::format("At the recommended point, by the {} engine", chosen.engine),
               .columns = {"way", "occupied in a step [ms]", "way busy"}};
    double exchanges = 0;
    for (const Way& way : kWays) {
        const auto time = run.metrics.find(way.metric);
        if (time == run.metrics.end() || time->second <= 0) continue;
        ways.rows.push_back(
            {way.name, plain(time->second), percent(run.utilisation[static_cast<std::size_t>(way.lane)])});
    }
    if (ways.rows.empty()) return std::nullopt;
    Table parts{.title = "Exchanges and fetches by part of the model",
                .columns = {"part", "exchanged [ms]", "fetched [ms]"}};
    for (const auto& [name, time] : run.components) {
        exchanges += time.exchange;
        if (time.exchange > 0 || time.fetch > 0) parts.rows.push_back({name, plain(time.exchange), plain(time.fetch)});
    }
    Section section{.title = "What goes over links"};
    section.paragraphs = {
        exchanges > 0
            ? fmt::format("Exchanges between ranks take {} ms of a step of {} ms, latency included, hidden or not.",
                          plain(exchanges), plain(time_ms(run)))
            : "Ranks exchange nothing in this step; what goes over links comes from memory behind them."};
    section.tables = {ways, parts};
    return section;
}

}  // namespace strata
