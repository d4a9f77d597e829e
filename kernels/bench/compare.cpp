#include "kernels/bench/compare.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <set>

namespace strata {

namespace {

std::string sizes(std::size_t is, std::size_t should) {
    return std::to_string(is) + " values, expected " + std::to_string(should);
}

}  // namespace

double calc_diff(const std::vector<double>& is, const std::vector<double>& should) {
    double product = 0, squares = 0;
    for (std::size_t i = 0; i < is.size(); ++i) {
        product += is[i] * should[i];
        squares += is[i] * is[i] + should[i] * should[i];
    }
    if (squares == 0) return 0;
    const double diff = 1 - 2 * product / squares;
    return std::isfinite(diff) ? diff : std::numeric_limits<double>::infinity();
}

Verdict close_to(const std::vector<double>& is, const std::vector<double>& should, double absolute, double relative) {
    Verdict verdict{.metric = "error / allowed", .tolerance = 1};
    if (is.size() != should.size()) return verdict.detail = sizes(is.size(), should.size()), verdict;
    for (std::size_t i = 0; i < is.size(); ++i) {
        if (is[i] == should[i]) continue;
        const double share = std::abs(is[i] - should[i]) / (absolute + relative * std::abs(should[i]));
        if (share <= verdict.value) continue;
        verdict.value = std::isnan(share) ? std::numeric_limits<double>::infinity() : share;
        verdict.detail =
            "worst at " + std::to_string(i) + ": " + std::to_string(is[i]) + ", expected " + std::to_string(should[i]);
        if (std::isnan(share)) break;
    }
    verdict.pass = verdict.value <= 1;
    return verdict;
}

Verdict alike(const std::vector<double>& is, const std::vector<double>& should, double tolerance) {
    Verdict verdict{.metric = "calc_diff", .tolerance = tolerance};
    if (is.size() != should.size()) return verdict.detail = sizes(is.size(), should.size()), verdict;
    verdict.value = calc_diff(is, should);
    verdict.pass = verdict.value <= tolerance;
    return verdict;
}

Verdict all_of(const std::vector<Verdict>& verdicts) {
    for (const Verdict& verdict : verdicts)
        if (!verdict.pass) return verdict;
    return verdicts.back();
}

std::vector<std::int64_t> rows_to_compare(std::int64_t rows, std::int64_t at_most, std::uint64_t seed) {
    std::set<std::int64_t> chosen;
    if (rows <= at_most)
        for (std::int64_t row = 0; row < rows; ++row) chosen.insert(row);
    else
        chosen = {0, rows - 1};
    std::mt19937_64 random(seed);
    while (std::int64_t(chosen.size()) < std::min(rows, at_most))
        chosen.insert(std::int64_t(random() % std::uint64_t(rows)));
    return {chosen.begin(), chosen.end()};
}

}  // namespace strata
