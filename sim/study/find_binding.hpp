// What binds a point: each resource of its platform is made better by the same share, one at a time, through the fields
// that a scenario can set, and the point is run again. What helps most is what binds it.
#pragma once

#include "sim/study/study.hpp"

namespace strata {

struct BindingOptions {
    double by = 0.1;       // how much better: so much more of a rate, so much less of a time
    std::string metric{};  // to gain in; empty: how fast the point is, by its kind
};

constexpr double kFewGain = 0.01;  // below it pairs are tried
constexpr std::size_t kPairsShown = 5;

// Of a point that ran by `engine` with `base` as result.
Binding find_binding(const ScenarioFile& file, const Point& point, const Run& base, const BindingOptions& binding,
                     const StudyOptions& options);

// Of every point of `study` that ran; `study` is the whole of `file`.
void find_bindings(Study& study, const ScenarioFile& file, const BindingOptions& binding, const StudyOptions& options);

}  // namespace strata
