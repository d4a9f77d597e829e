// Points through strata-simulate, a program of its own: some of them at a time, each with one point in work. Which of
// them answers what, and when, leaves no trace in the results.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

#include "sim/result/point_limits.hpp"

namespace strata {

// `given`, or strata-simulate beside the running program. Throws InputError if it is not there.
std::string simulator_path(const std::string& given);

using LineAnswered = std::function<void(std::size_t line, const nlohmann::ordered_json& answer)>;

// Sends each line (one JSON object, made when it is sent) to one of `jobs` processes and calls `answered` with the
// line's index. A process that ends before it answers, or takes longer than its limits allow, is replaced and its line
// sent once more; then the answer says what happened.
void simulate_lines(const std::string& simulator, int jobs, const PointLimits& limits, std::size_t lines,
                    const std::function<std::string(std::size_t line)>& make, const LineAnswered& answered);
void simulate_lines(const std::string& simulator, int jobs, const PointLimits& limits,
                    const std::vector<std::string>& lines, const LineAnswered& answered);

}  // namespace strata
