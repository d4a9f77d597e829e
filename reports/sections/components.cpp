#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

struct Part {
    std::string name;
    double time_ms;
};

// The single largest item: the first thing to work on.
std::string largest_text(const Run& run) {
    Part largest{"", 0};
    const auto consider = [&](const std::string& name, double time) {
        if (time > largest.time_ms) largest = {name, time};
    };
    for (const auto& [name, time] : run.components) {
        consider("moving bytes for " + name, time.memory);
        consider("arithmetic of " + name, time.arithmetic);
        consider("kernel launches of " + name, time.overhead);
        consider("exchanges between ranks for " + name, time.exchange);
    }
    return fmt::format("The largest item is {}: {} ms, {} of the step.", largest.name, plain(largest.time_ms),
                       percent(largest.time_ms / time_ms(run)));
}

}  // namespace

// Where the recommended point spends its step, by component of the model.
std::optional<Section> components_section(const Recommendation& chosen) {
    if (!chosen.point || chosen.point->run->components.empty()) return std::nullopt;
    const Run& run = *chosen.point->run;
    std::vector<std::pair<std::string, ComponentTime>> parts(run.components.begin(), run.components.end());
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
        return a.second.kernels() + a.second.exchange > b.second.kernels() + b.second.exchange;
    });
    Section section{.title = "Where the step's time goes"};
    section.paragraphs = {largest_text(run)};
    Table table{.title = "Recommended point, time by component [ms]",
                .columns = {"component", "memory", "arithmetic", "launch", "exchange", "fetch", "share of the step"}};
    for (const auto& [name, time] : parts)
        table.rows.push_back({name, fmt::format("{:.2f}", time.memory), fmt::format("{:.2f}", time.arithmetic),
                              fmt::format("{:.2f}", time.overhead), fmt::format("{:.2f}", time.exchange),
                              fmt::format("{:.2f}", time.fetch),
                              percent((time.kernels() + time.exchange) / time_ms(run))});
    section.tables = {table};
    section.footnotes = {
        "memory, arithmetic: time of kernels that bytes or FLOPs bind. launch: the part of a kernel's time that work "
        "does "
        "not explain. exchange: between ranks. fetch: from host memory or drives, hidden behind the rest or not, and "
        "so not "
        "in the share. Parts that run beside each other add up to more than the step."};
    return section;
}

}  // namespace strata
