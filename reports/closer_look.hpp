// What a report shows of the one point that it recommends and that a Run does not hold: how far its speed swings with
// each input, and when what happens in its step. Both by the analytic engine, which makes this a matter of a second.
#pragma once

#include <optional>
#include <string>

#include "sim/result/trace.hpp"
#include "sim/search/tornado.hpp"
#include "sim/study/study.hpp"

namespace strata {

struct CloserLook {
    std::string point;  // as the report calls it
    Tornado tornado;
    Trace step;  // of one rank
};

// Nothing where the point is no step of a model.
std::optional<CloserLook> closer_look(const ScenarioFile& file, const PointResult& at, const Study& study,
                                      const std::string& root);

}  // namespace strata
