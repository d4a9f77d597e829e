// Answers beside each other: what differs, by metric and by op, what changed most first. No Qt.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "app/gui/models/answer.hpp"

namespace strata {

struct NamedAnswer {
    std::string name;
    std::shared_ptr<const Answer> answer;  // has a run
};

// One line of a comparison. Differences are of the run looked at to the baseline, the first one.
struct Difference {
    std::string what{}, unit{};
    std::vector<std::optional<double>> values{};   // of each run; none: it has no such metric, or no such op
    std::optional<double> absolute{}, relative{};  // relative: none where the baseline is 0
    bool lower_is_better = true;
};

// Every metric that some run has, by falling relative difference.
std::vector<Difference> metric_differences(const std::vector<NamedAnswer>& runs, std::size_t looked_at);
// Time of a step by op in ms, alike ones added up, exchanges and fetches by component; by falling difference in ms.
std::vector<Difference> op_differences(const std::vector<NamedAnswer>& runs, std::size_t looked_at);

// Where a component's time changed, in ms: what binds its kernels, and what travels.
inline constexpr std::array<const char*, 5> kTimeKinds{"memory", "arithmetic", "launch", "exchange", "fetch"};
struct ComponentDifference {
    std::string component;
    std::array<double, kTimeKinds.size()> ms{};
};
std::vector<ComponentDifference> component_differences(const Run& baseline, const Run& other);

}  // namespace strata
