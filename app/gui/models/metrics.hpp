// What metrics are called on screen, which of them head an answer, which way is better, and which points of a study no
// other beats.
#pragma once

#include <string>
#include <vector>

#include "sim/result/run.hpp"

namespace strata {

struct Headline {
    std::string metric, label, unit;
    double value = 0;
};

// At most six, the first two of which say how fast the run is.
std::vector<Headline> headlines_of(const Run& run);
bool lower_is_better(const std::string& metric);
std::string label_of_metric(const std::string& metric);  // "decode.tpot_ms" -> "TPOT [ms]"

struct Candidate {
    double x = 0, y = 0;
    std::size_t index = 0;
};
// Those that no other is at least as good as in both and better in one; by rising x.
std::vector<Candidate> pareto_front(std::vector<Candidate> candidates, bool x_lower, bool y_lower);

}  // namespace strata
