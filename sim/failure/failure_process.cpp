#include "sim/failure/failure_process.hpp"

#include <fmt/format.h>

#include <cmath>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr double kMostParts = 1e7;  // that are followed one by one

bool is_exponential(const FailureSource& source) { return source.weibull_shape == 1; }

void check(const FailureSource& source) {
    if (!(source.parts >= 0) || !(source.mtbf > Seconds(0)) || !(source.weibull_shape > 0))
        throw InputError(
            fmt::format("failure source '{}'", source.name), "parts that are not negative, an MTBF and a shape above 0",
            fmt::format("{} parts, MTBF {} s, shape {}", source.parts, source.mtbf.si(), source.weibull_shape));
}

}  // namespace

Seconds cluster_mtbf(const std::vector<FailureSource>& sources) {
    double per_second = 0;
    for (const FailureSource& source : sources) {
        check(source);
        per_second += source.parts / source.mtbf.si();
    }
    if (!(per_second > 0)) throw InputError("failure sources", "at least one part that can fail", "none");
    return Seconds(1 / per_second);
}

FailureProcess::FailureProcess(const std::vector<FailureSource>& sources, std::uint64_t seed)
    : sources_(sources), random_(seed) {
    (void)cluster_mtbf(sources_);  // checks them
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (sources_[i].parts <= 0) continue;
        if (is_exponential(sources_[i])) {
            draw(i, 0, Seconds(0));
        } else {
            for (std::uint64_t part = 0; double(part) < sources_[i].parts; ++part) draw(i, part, Seconds(0));
        }
    }
}

// The mean of a Weibull is its scale times Gamma(1 + 1 / shape). Exponential sources need no memory of their parts:
// their failures come at the sum of the rates, from each part as likely.
void FailureProcess::draw(std::size_t source, std::uint64_t part, Seconds after) {
    const FailureSource& from = sources_[source];
    if (is_exponential(from)) {
        const double gap = random_.exponential(from.mtbf.si() / from.parts);
        upcoming_.push({after + Seconds(gap), source, random_.below(std::uint64_t(std::ceil(from.parts)))});
        return;
    }
    const double scale = from.mtbf.si() / std::tgamma(1 + 1 / from.weibull_shape);
    upcoming_.push({after + Seconds(random_.weibull(scale, from.weibull_shape)), source, part});
}

Failure FailureProcess::next() {
    const Failure failure = upcoming_.top();
    upcoming_.pop();
    draw(failure.source, failure.part, failure.at);
    return failure;
}

}  // namespace strata
