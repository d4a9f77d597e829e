#include "sim/routing/popularity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hwmodels/input_error.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

double Popularity::exponent_of(int layer) const {
    return exponents.empty() ? 0 : exponents.size() == 1 ? exponents[0] : exponents.at(std::size_t(layer));
}

void Popularity::check(int layers) const {
    if (half_life && !(*half_life > 0))
        throw InputError("routing.popularity.half_life", "a positive number of steps", fmt::format("{}", *half_life));
    if (law == PopularityLaw::balanced) {
        if (!exponents.empty())
            throw InputError("routing.popularity.exponents", "none for balanced", fmt::format("{}", exponents.size()));
        return;
    }
    if (exponents.size() != 1 && exponents.size() != std::size_t(layers))
        throw InputError("routing.popularity.exponents", fmt::format("one, or one for each of {} layers", layers),
                         fmt::format("{}", exponents.size()));
    for (const double exponent : exponents)
        if (!(exponent >= 0 && exponent <= 10))  // beyond, all tokens go to the same top_k experts
            throw InputError("routing.popularity.exponents", "0 to 10", fmt::format("{}", exponent));
    if (law == PopularityLaw::power_density && !(largest > 1))
        throw InputError("routing.popularity.largest", "more than 1", fmt::format("{}", largest));
}

std::vector<double> law_weights(const Popularity& popularity, int layer, int experts) {
    std::vector<double> weights;
    const double exponent = popularity.exponent_of(layer);
    for (int i = 0; i < experts; ++i) {
        const double u = 1 - (i + 0.5) / experts;  // quantile: the most popular first
        if (popularity.law == PopularityLaw::zipf)
            weights.push_back(std::pow(i + 1, -exponent));
        else if (popularity.law == PopularityLaw::power_density && std::abs(exponent - 1) < 1e-9)
            weights.push_back(std::pow(popularity.largest, u));
        else if (popularity.law == PopularityLaw::power_density)
            weights.push_back(std::pow(1 + u * (std::pow(popularity.largest, 1 - exponent) - 1), 1 / (1 - exponent)));
        else
            weights.push_back(1);
    }
    return weights;
}

PopularityWalk::PopularityWalk(int experts, std::optional<double> half_life, std::uint64_t seed, int layer)
    : values_(std::size_t(experts)), order_(std::size_t(experts)), half_life_(half_life), seed_(seed), layer_(layer) {
    start();
}

const std::vector<int>& PopularityWalk::order_at(std::int64_t step) {
    if (!half_life_ || step == step_) return order_;
    if (step < step_) start();
    const double kept = std::exp2(-1 / *half_life_), fresh = std::sqrt(1 - kept * kept);
    while (step_ < step) {
        SeededRandom random(seed_, {layer_, ++step_});
        for (double& value : values_) value = kept * value + fresh * random.normal();
    }
    sort();
    return order_;
}

void PopularityWalk::start() {
    step_ = 0;
    SeededRandom random(seed_, {layer_, 0});
    for (double& value : values_) value = random.normal();
    sort();
}

void PopularityWalk::sort() {
    std::iota(order_.begin(), order_.end(), 0);
    std::ranges::stable_sort(order_, std::greater<>(), [&](int expert) { return values_[std::size_t(expert)]; });
}

}  // namespace strata
