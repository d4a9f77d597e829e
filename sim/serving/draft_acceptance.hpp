// Multi-token prediction in decode: each step verifies a few drafted tokens and keeps those up to the first that the
// model would not have said (Leviathan et al. 2023, arXiv 2211.17192; DeepSeek-V3, arXiv 2412.19437, section 5.4.3).
#pragma once

#include <cstdint>
#include <vector>

#include "sim/quality/acceptance_law.hpp"
#include "sim/workload/random_stream.hpp"

namespace strata {

class DraftAcceptance {
public:
    DraftAcceptance() = default;  // no drafts: one token a step
    // `of_position[i]`: how often draft i is accepted when those before it were. V3 reports 85-90 % for its one draft.
    explicit DraftAcceptance(const std::vector<double>& of_position, std::uint64_t seed = 0)
        : seed_(mixed_bits(seed)), survival_(survival(of_position)) {}

    int drafts() const { return static_cast<int>(survival_.size()); }
    // 1 + sum over positions of the probability that the draft and all before it are accepted.
    double mean_tokens_per_step() const {
        double tokens = 1;
        for (const double survives : survival_) tokens += survives;
        return tokens;
    }
    // Tokens that a step gives a request which has `delivered` already: the same whenever it is asked, in whatever
    // order steps are simulated.
    int tokens_of_step(int request, int delivered) const {
        const auto place = (static_cast<std::uint64_t>(request) << 32) | static_cast<std::uint32_t>(delivered);
        const double chance = unit_from(mixed_bits(mixed_bits(seed_ + place)));
        int tokens = 1;
        for (const double survives : survival_) tokens += chance < survives;
        return tokens;
    }

private:
    std::uint64_t seed_ = 0;
    std::vector<double> survival_;
};

}  // namespace strata
