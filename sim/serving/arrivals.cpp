#include "sim/serving/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/input_error.hpp"
#include "sim/workload/random_stream.hpp"

namespace strata {

namespace {

// One length; `in_range` is the check of its parameters, `draw` the sample.
void check(const FixedLength& length, const char* field) {
    if (length.tokens < 1) throw InputError(field, "at least 1 token", fmt::format("{}", length.tokens));
}
void check(const UniformLength& length, const char* field) {
    if (length.least < 1 || length.most < length.least)
        throw InputError(field, "1 <= least <= most", fmt::format("{} and {}", length.least, length.most));
}
void check(const LogNormalLength& length, const char* field) {
    if (!(length.median > 0) || !(length.sigma >= 0) || length.most < 1)
        throw InputError(field, "median > 0, sigma >= 0 and most >= 1",
                         fmt::format("{}, {} and {}", length.median, length.sigma, length.most));
}

int draw(const FixedLength& length, RandomStream&) { return length.tokens; }
int draw(const UniformLength& length, RandomStream& random) {
    const auto choices = static_cast<std::uint64_t>(length.most - length.least) + 1;
    return length.least + static_cast<int>(random.below(choices));
}
int draw(const LogNormalLength& length, RandomStream& random) {
    const double tokens = std::round(length.median * std::exp(length.sigma * random.normal()));
    return static_cast<int>(std::clamp(tokens, 1.0, double(length.most)));
}

void check(const ArrivalSpec& spec) {
    if (spec.requests < 1) throw InputError("arrivals.requests", "at least 1", fmt::format("{}", spec.requests));
    if (!(spec.per_second >= 0))
        throw InputError("arrivals.per_second", "a rate that is not negative", fmt::format("{}", spec.per_second));
    if (spec.prefixes < 0 || spec.prefix_tokens < 0 || !(spec.prefix_share >= 0 && spec.prefix_share <= 1))
        throw InputError(
            "arrivals.prefixes", "counts that are not negative and a share in [0, 1]",
            fmt::format("{} of {} tokens, share {}", spec.prefixes, spec.prefix_tokens, spec.prefix_share));
    std::visit([](const auto& length) { check(length, "arrivals.input"); }, spec.input);
    std::visit([](const auto& length) { check(length, "arrivals.output"); }, spec.output);
}

}  // namespace

std::vector<Request> synthetic_requests(const ArrivalSpec& spec) {
    check(spec);
    // A stream for each quantity: changing one distribution leaves the others' draws as they were.
    RandomStream gaps(spec.seed * 4), inputs(spec.seed * 4 + 1), outputs(spec.seed * 4 + 2), texts(spec.seed * 4 + 3);
    std::vector<Request> requests(static_cast<std::size_t>(spec.requests));
    Seconds now;
    for (Request& request : requests) {
        if (spec.per_second > 0) now += Seconds(gaps.exponential(1 / spec.per_second));
        request.arrival = now;
        request.input_tokens = std::visit([&](const auto& length) { return draw(length, inputs); }, spec.input);
        request.output_tokens = std::visit([&](const auto& length) { return draw(length, outputs); }, spec.output);
        if (spec.prefixes > 0 && texts.uniform() < spec.prefix_share) {
            request.prefix = static_cast<std::int64_t>(texts.below(static_cast<std::uint64_t>(spec.prefixes)));
            request.prefix_tokens = std::min(spec.prefix_tokens, request.input_tokens);
        }
    }
    return requests;
}

}  // namespace strata
