// Where published precisions rise with the ratio (two modes were measured, on pages of their own) neighbours are pooled
// to their mean until none does: isotonic regression by pooled adjacent violators (Barlow et al. 1972). Between the
// fitted values runs Fritsch and Carlson's monotone cubic (SIAM J. Numer. Anal. 17, 1980) with Brodlie's slopes.
#include "sim/quality/optical_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

// The nearest values, by squares, that never rise.
std::vector<double> never_rising(const std::vector<OpticalAnchor>& anchors) {
    struct Pool {
        double mean;
        std::size_t count;
    };
    std::vector<Pool> pools;
    for (const OpticalAnchor& anchor : anchors) {
        pools.push_back({anchor.precision, 1});
        while (pools.size() > 1 && pools[pools.size() - 2].mean < pools.back().mean) {
            const Pool last = pools.back();
            pools.pop_back();
            Pool& before = pools.back();
            const auto both = double(before.count + last.count);
            before.mean = (before.mean * double(before.count) + last.mean * double(last.count)) / both;
            before.count += last.count;
        }
    }
    std::vector<double> values;
    for (const Pool& pool : pools) values.insert(values.end(), pool.count, pool.mean);
    return values;
}

// Zero where a side is flat; else the harmonic mean of both chords, weighted so that the cubic stays monotone.
std::vector<double> monotone_slopes(const std::vector<OpticalAnchor>& at, const std::vector<double>& values) {
    const std::size_t last = values.size() - 1;
    const auto length = [&](std::size_t i) { return at[i + 1].ratio - at[i].ratio; };
    const auto chord = [&](std::size_t i) { return (values[i + 1] - values[i]) / length(i); };
    std::vector<double> slopes(values.size());
    slopes.front() = chord(0), slopes.back() = chord(last - 1);
    for (std::size_t i = 1; i < last; ++i) {
        const double before = chord(i - 1), after = chord(i);
        if (before * after <= 0) continue;
        const double weight = (1 + length(i) / (length(i - 1) + length(i))) / 3;
        slopes[i] = before * after / (weight * after + (1 - weight) * before);
    }
    return slopes;
}

}  // namespace

OpticalLaw::OpticalLaw(const std::string& anchors_file) {
    Problems problems;
    const YamlField root(load_yaml(anchors_file), anchors_file, "", problems);
    root.allow_only({"measured_on", "source", "plus_minus", "anchors"});
    measured_on_ = root["measured_on"].text();
    source_ = root["source"].text();
    plus_minus_ = root["plus_minus"].number();
    for (const YamlField& anchor : root["anchors"].items()) {
        anchor.allow_only({"mode", "ratio", "precision"});
        published_.push_back({anchor["mode"].text(), anchor["ratio"].number(1), anchor["precision"].number()});
        const OpticalAnchor& one = published_.back();
        if (one.precision < 0 || one.precision > 1)
            anchor["precision"].problem("a share in [0, 1]", fmt::format("{}", one.precision));
        if (published_.size() > 1 && published_[published_.size() - 2].ratio >= one.ratio)
            anchor["ratio"].problem("anchors by rising ratio", fmt::format("{}", one.ratio));
    }
    if (published_.size() < 2) root["anchors"].problem("at least two anchors", std::to_string(published_.size()));
    problems.throw_if_any();
    fitted_ = never_rising(published_);
    slopes_ = monotone_slopes(published_, fitted_);
}

double OpticalLaw::curve(double ratio) const {
    std::size_t i = 0;
    while (i + 2 < published_.size() && published_[i + 1].ratio <= ratio) ++i;
    const double length = published_[i + 1].ratio - published_[i].ratio, t = (ratio - published_[i].ratio) / length;
    const double t2 = t * t, t3 = t2 * t;
    return (2 * t3 - 3 * t2 + 1) * fitted_[i] + (t3 - 2 * t2 + t) * length * slopes_[i] +
           (3 * t2 - 2 * t3) * fitted_[i + 1] + (t3 - t2) * length * slopes_[i + 1];
}

// If precision never rises with the ratio, it is at most the best that was published from the anchor before on, and at
// least the worst up to the anchor behind.
PrecisionEstimate OpticalLaw::precision(double ratio) const {
    constexpr double kSame = 1e-9;  // a swept ratio is a rounded decimal
    PrecisionEstimate estimate{.precision = {}, .low = 1, .high = 0, .origin = Origin::interpolated, .warning = {}};
    for (std::size_t i = 0; i < published_.size(); ++i) {
        const bool before_next = i == 0 || published_[i - 1].ratio < ratio - kSame;
        const bool behind_last = i + 1 == published_.size() || published_[i + 1].ratio > ratio + kSame;
        if (before_next) estimate.low = std::min(estimate.low, published_[i].precision - plus_minus_);
        if (behind_last) estimate.high = std::max(estimate.high, published_[i].precision + plus_minus_);
        if (std::abs(published_[i].ratio - ratio) <= kSame && fitted_[i] == published_[i].precision)
            estimate.origin = Origin::published;
    }
    if (ratio > reach_to() + kSame) {
        estimate.low = 0;
        estimate.warning = fmt::format(
            "{:.1f} text tokens a vision token: nothing is published beyond {}, and all that "
            "is known is that precision is not above {:.3f}",
            ratio, reach_to(), published_.back().precision);
        return estimate;
    }
    estimate.precision = curve(std::max(ratio, reach_from()));
    if (ratio < reach_from() - kSame) {
        estimate.high = 1;
        estimate.origin = Origin::assumed;
        estimate.warning = fmt::format(
            "{:.1f} text tokens a vision token: nothing is published below {}, whose "
            "precision of {:.3f} is taken as the least possible",
            ratio, reach_from(), published_.front().precision);
    }
    return estimate;
}

PrecisionEstimate OpticalLaw::precision(const std::vector<PageGroup>& pages, double text_tokens_per_page) const {
    PrecisionEstimate mean{.precision = 0, .low = 0, .high = 0, .origin = Origin::published, .warning = {}};
    double all = 0;
    for (const PageGroup& group : pages) all += group.pages;
    if (all <= 0) return {.precision = 1, .low = 1, .high = 1, .origin = Origin::published, .warning = {}};
    for (const PageGroup& group : pages) {
        const PrecisionEstimate one = precision(text_tokens_per_page / group.tokens_per_page);
        const double share = group.pages / all;
        mean.low += share * one.low;
        mean.high += share * one.high;
        mean.precision =
            mean.precision && one.precision ? std::optional(*mean.precision + share * *one.precision) : std::nullopt;
        mean.origin = std::max(mean.origin, one.origin);
        if (!one.warning.empty() && mean.warning.find(one.warning) == std::string::npos)
            mean.warning +=
                fmt::format("{}{}: {}", mean.warning.empty() ? "" : "; ", to_string(group.mode), one.warning);
    }
    return mean;
}

std::string OpticalLaw::describe() const {
    int exact = 0;
    for (std::size_t i = 0; i < published_.size(); ++i) exact += fitted_[i] == published_[i].precision;
    return fmt::format(
        "Share of a page's text that is read back from its vision tokens, against text tokens a vision token: {} "
        "published precisions ({}; {}), the nearest curve that never rises, exact at {} of them; the others contradict "
        "a falling law and are pooled. The band is all that a falling law and the published precisions leave open. "
        "Reach: ratios {} to {}; below, the first precision is the least possible; beyond, nothing is known.",
        published_.size(), source_, measured_on_, exact, reach_from(), reach_to());
}

}  // namespace strata
