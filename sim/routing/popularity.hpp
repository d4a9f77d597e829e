// How popular each expert of a layer is: the weight of a Plackett-Luce choice. A law says how unequal the weights are;
// which expert has which weight is drawn, and drifts if a half-life is given.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace strata {

enum class PopularityLaw {
    balanced,
    // Weight of the r-th most popular: r^-exponent.
    zipf,
    // Weights whose density is x^-exponent between 1 and `largest`, at its quantiles: what the aiconfigurator project
    // draws its loads from (github ai-dynamo/aiconfigurator, collector, exponents 1.01 and 1.2 of its tables; largest
    // 0.8 times the tokens of a step).
    power_density
};

struct Popularity {
    PopularityLaw law = PopularityLaw::balanced;
    std::vector<double> exponents{};  // one for each layer, or one for all; none for balanced
    double largest = 0;               // power_density alone
    // After so many steps the places of the experts in the order of popularity are half forgotten (their correlation is
    // one half). Without one nothing drifts. assumed: no measured half-life is published.
    std::optional<double> half_life{};

    auto operator<=>(const Popularity&) const = default;
    double exponent_of(int layer) const;
    // Throws InputError that names the field.
    void check(int layers) const;
};

// [experts], most popular first, not normalised.
std::vector<double> law_weights(const Popularity& popularity, int layer, int experts);

// Who is how popular, step by step: each expert has a value of its own, a stationary Gaussian walk
//   z(t + 1) = rho z(t) + sqrt(1 - rho^2) noise,  rho = 2^(-1 / half_life),
// and the order of the values is the order of popularity. The law itself does not change.
class PopularityWalk {
public:
    PopularityWalk(int experts, std::optional<double> half_life, std::uint64_t seed, int layer);

    // Experts, most popular first. Going back starts again from step 0; the answer does not depend on what was asked
    // before.
    const std::vector<int>& order_at(std::int64_t step);

private:
    void start();
    void sort();

    std::vector<double> values_;
    std::vector<int> order_;
    std::optional<double> half_life_;
    std::uint64_t seed_;
    int layer_;
    std::int64_t step_ = 0;
};

}  // namespace strata
