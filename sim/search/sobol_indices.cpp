#include "sim/search/sobol_indices.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "sim/routing/seeded_random.hpp"

namespace strata {

namespace {

// What the function gave: at A, at B, and at A with one column of B.
struct Answers {
    std::vector<double> a, b;
    std::vector<std::vector<double>> mixed;  // [input][sample]
};

Answers answers_of(const std::function<double(const std::vector<double>&)>& function, std::size_t inputs,
                   const SobolOptions& options) {
    SeededRandom random(options.seed);
    Answers answers{.a = {}, .b = {}, .mixed = std::vector<std::vector<double>>(inputs)};
    std::vector<double> a(inputs), b(inputs);
    for (std::size_t n = 0; n < options.samples; ++n) {
        for (double& x : a) x = random.uniform();
        for (double& x : b) x = random.uniform();
        answers.a.push_back(function(a));
        answers.b.push_back(function(b));
        for (std::size_t i = 0; i < inputs; ++i) {
            std::vector<double> mixed = a;
            mixed[i] = b[i];
            answers.mixed[i].push_back(function(mixed));
        }
    }
    return answers;
}

struct Moments {
    double mean = 0, variance = 0;
};

Moments moments_of(const Answers& answers, const std::vector<std::size_t>& rows) {
    Moments of;
    for (const std::size_t n : rows) of.mean += answers.a[n] + answers.b[n];
    of.mean /= 2 * double(rows.size());
    for (const std::size_t n : rows)
        of.variance += std::pow(answers.a[n] - of.mean, 2) + std::pow(answers.b[n] - of.mean, 2);
    of.variance /= 2 * double(rows.size()) - 1;
    return of;
}

struct FirstAndTotal {
    double first = 0, total = 0;
};

// Centred, because the first estimator's own variance grows with the square of the mean.
FirstAndTotal indices_of(const Answers& answers, std::size_t input, const std::vector<std::size_t>& rows,
                         const Moments& of) {
    FirstAndTotal sum;
    for (const std::size_t n : rows) {
        const double change = answers.mixed[input][n] - answers.a[n];
        sum.first += (answers.b[n] - of.mean) * change;
        sum.total += change * change / 2;
    }
    if (!(of.variance > 0)) return {};
    return {sum.first / double(rows.size()) / of.variance, sum.total / double(rows.size()) / of.variance};
}

std::pair<double, double> middle_95(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) { return values[static_cast<std::size_t>(share * double(values.size() - 1))]; };
    return {at(0.025), at(0.975)};
}

}  // namespace

SobolResult sobol_indices(const std::function<double(const std::vector<double>&)>& function, std::size_t inputs,
                          const SobolOptions& options) {
    if (options.samples < 2 || options.bootstraps < 1)
        throw std::logic_error("Sobol indices need two samples and a bootstrap");
    const Answers answers = answers_of(function, inputs, options);
    std::vector<std::size_t> rows(options.samples);
    for (std::size_t n = 0; n < rows.size(); ++n) rows[n] = n;
    const Moments moments = moments_of(answers, rows);
    SobolResult result{.inputs = std::vector<SobolIndex>(inputs),
                       .mean = moments.mean,
                       .variance = moments.variance,
                       .evaluations = options.samples * (inputs + 2)};
    std::vector<std::vector<double>> firsts(inputs), totals(inputs);
    SeededRandom random(options.seed, {1});
    for (std::size_t b = 0; b < options.bootstraps; ++b) {
        std::vector<std::size_t> again(rows.size());
        for (std::size_t& n : again) n = static_cast<std::size_t>(random.below(std::int64_t(rows.size())));
        const Moments of = moments_of(answers, again);
        for (std::size_t i = 0; i < inputs; ++i) {
            const FirstAndTotal pair = indices_of(answers, i, again, of);
            firsts[i].push_back(pair.first);
            totals[i].push_back(pair.total);
        }
    }
    for (std::size_t i = 0; i < inputs; ++i) {
        SobolIndex& index = result.inputs[i];
        const FirstAndTotal pair = indices_of(answers, i, rows, moments);
        index.first = pair.first;
        index.total = pair.total;
        std::tie(index.first_low, index.first_high) = middle_95(firsts[i]);
        std::tie(index.total_low, index.total_high) = middle_95(totals[i]);
    }
    return result;
}

double normal_quantile(double probability) { return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * probability); }

}  // namespace strata
