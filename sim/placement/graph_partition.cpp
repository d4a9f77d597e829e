#include "sim/placement/graph_partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "hwmodels/input_error.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

namespace {

using Vertices = std::vector<std::size_t>;

// The graph as a matrix: co-activation graphs are dense, and an exchange asks for the weight of a pair.
struct CutWeights {
    std::size_t n = 0;
    std::vector<double> weight{}, load{};
    // What a token above a part's limit costs, in weight: twice what moving a token's load can gain on average, so that
    // going above never pays.
    double price_of_excess = 0;
    double total = 0;  // weight

    explicit CutWeights(const CoActivationGraph& graph) : n(boost::num_vertices(graph)), weight(n * n) {
        for (std::size_t v = 0; v < n; ++v) load.push_back(graph[v].tokens);
        for (auto [edge, end] = boost::edges(graph); edge != end; ++edge) {
            const std::size_t a = boost::source(*edge, graph), b = boost::target(*edge, graph);
            weight[a * n + b] += graph[*edge].tokens;
            weight[b * n + a] += graph[*edge].tokens;
        }
        const double tokens = std::accumulate(load.begin(), load.end(), 0.0);
        total = std::accumulate(weight.begin(), weight.end(), 0.0) / 2;
        if (tokens > 0) price_of_excess = 4 * total / tokens;
    }
    double between(std::size_t a, std::size_t b) const { return weight[a * n + b]; }
    double load_of(const Vertices& vertices) const {
        double sum = 0;
        for (const std::size_t v : vertices) sum += load[v];
        return sum;
    }
    double within(const Vertices& vertices) const {
        double sum = 0;
        for (const std::size_t a : vertices)
            for (const std::size_t b : vertices) sum += between(a, b) / 2;
        return sum;
    }
};

// Two sides, and the most load that each is to have.
struct Halves {
    Vertices left{}, right{};
    double left_limit = 0, right_limit = 0;
};

// One pass of Kernighan and Lin: the best exchange of two vertices not yet exchanged, even where it costs, until a side
// is used up; then back to where the sum of gains was largest. Load above the limits counts as weight that is cut.
class Pass {
public:
    Pass(const CutWeights& matrix, Halves& sides)
        : matrix_(matrix),
          sides_(sides),
          left_excess_(matrix.load_of(sides.left) - sides.left_limit),
          right_excess_(matrix.load_of(sides.right) - sides.right_limit) {
        for (const std::size_t v : sides.left) gain_left_.push_back(external(v, sides.right) - external(v, sides.left));
        for (const std::size_t v : sides.right)
            gain_right_.push_back(external(v, sides.left) - external(v, sides.right));
        free_left_.assign(sides.left.size(), true);
        free_right_.assign(sides.right.size(), true);
    }

    // The gain of what it leaves exchanged.
    double run() {
        double gain = 0, best = 0;
        std::size_t kept = 0;
        std::vector<Exchange> exchanged;
        while (exchanged.size() < std::min(sides_.left.size(), sides_.right.size())) {
            exchanged.push_back(best_exchange());
            exchange(exchanged.back());
            gain += exchanged.back().gain;
            if (gain > best * (1 + 1e-9) + 1e-9) {
                best = gain;
                kept = exchanged.size();
            }
        }
        while (exchanged.size() > kept) {
            std::swap(sides_.left[exchanged.back().left], sides_.right[exchanged.back().right]);
            exchanged.pop_back();
        }
        return best;
    }

private:
    struct Exchange {
        std::size_t left = 0, right = 0;  // places
        double gain = -std::numeric_limits<double>::infinity();
    };

    double external(std::size_t v, const Vertices& side) const {
        double sum = 0;
        for (const std::size_t other : side) sum += matrix_.between(v, other);
        return sum;
    }

    // The price of the load above the limits if `moved` tokens went from left to right.
    double price(double moved) const {
        return matrix_.price_of_excess * (std::max(0.0, left_excess_ - moved) + std::max(0.0, right_excess_ + moved));
    }

    // Places that are not yet exchanged, by falling gain.
    static Vertices by_gain(const std::vector<double>& gain, const std::vector<bool>& free) {
        Vertices places;
        for (std::size_t i = 0; i < gain.size(); ++i)
            if (free[i]) places.push_back(i);
        std::ranges::sort(
            places, [&](std::size_t i, std::size_t j) { return gain[i] > gain[j] || (gain[i] == gain[j] && i < j); });
        return places;
    }

    // Weights are not negative, so a pair gains at most the sum of its gains and the price that is paid now: behind
    // the first pair that cannot exceed the best, none of its row can.
    Exchange best_exchange() const {
        Exchange best;
        const double now = price(0);
        const Vertices left = by_gain(gain_left_, free_left_), right = by_gain(gain_right_, free_right_);
        for (const std::size_t i : left) {
            const std::size_t a = sides_.left[i];
            for (const std::size_t j : right) {
                const double most = gain_left_[i] + gain_right_[j] + now;
                if (most <= best.gain) break;
                const std::size_t b = sides_.right[j];
                const double gain = most - 2 * matrix_.between(a, b) - price(matrix_.load[a] - matrix_.load[b]);
                if (gain > best.gain) best = {i, j, gain};
            }
        }
        return best;
    }

    void exchange(const Exchange& next) {
        const std::size_t a = sides_.left[next.left], b = sides_.right[next.right];
        for (std::size_t at = 0; at < sides_.left.size(); ++at)
            gain_left_[at] += 2 * (matrix_.between(sides_.left[at], a) - matrix_.between(sides_.left[at], b));
        for (std::size_t at = 0; at < sides_.right.size(); ++at)
            gain_right_[at] += 2 * (matrix_.between(sides_.right[at], b) - matrix_.between(sides_.right[at], a));
        std::swap(sides_.left[next.left], sides_.right[next.right]);
        left_excess_ -= matrix_.load[a] - matrix_.load[b];
        right_excess_ += matrix_.load[a] - matrix_.load[b];
        free_left_[next.left] = free_right_[next.right] = false;
    }

    const CutWeights& matrix_;
    Halves& sides_;
    double left_excess_, right_excess_;           // above the limits; negative: room
    std::vector<double> gain_left_, gain_right_;  // what moving the vertex of a place to the other side would gain
    std::vector<bool> free_left_, free_right_;
};

constexpr double kWorthwhile = 2e-5;  // of all weight: gains below are chance in any sample of a size that is taken
constexpr int kMostPasses = 20;       // two to four are usual

bool improve(const CutWeights& matrix, Halves& sides) {
    bool improved = false;
    for (int pass = 0; pass < kMostPasses && Pass(matrix, sides).run() > kWorthwhile * matrix.total; ++pass)
        improved = true;
    return improved;
}

// Bisects until a part is left; `parts` of them of `each` vertices.
void bisect(const CutWeights& matrix, Vertices vertices, int parts, std::size_t each, double limit,
            std::vector<Vertices>& found) {
    if (parts == 1) {
        found.push_back(std::move(vertices));
        return;
    }
    const int left = parts / 2, right = parts - left;
    const auto middle = vertices.begin() + long(std::size_t(left) * each);
    Halves sides{.left = {vertices.begin(), middle},
                 .right = {middle, vertices.end()},
                 .left_limit = left * limit,
                 .right_limit = right * limit};
    improve(matrix, sides);
    bisect(matrix, std::move(sides.left), left, each, limit, found);
    bisect(matrix, std::move(sides.right), right, each, limit, found);
}

void improve_pairs(const CutWeights& matrix, double limit, std::vector<Vertices>& parts) {
    bool improved = true;
    for (int round = 0; round < kMostPasses && improved; ++round) {
        improved = false;
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b) {
                Halves sides{.left = parts[a], .right = parts[b], .left_limit = limit, .right_limit = limit};
                if (!improve(matrix, sides)) continue;
                improved = true;
                parts[a] = std::move(sides.left);
                parts[b] = std::move(sides.right);
            }
    }
}

// Weight inside parts, less the price of load above the limit.
double quality_of(const CutWeights& matrix, double limit, const std::vector<Vertices>& parts) {
    double quality = 0;
    for (const Vertices& part : parts)
        quality += matrix.within(part) - matrix.price_of_excess * std::max(0.0, matrix.load_of(part) - limit);
    return quality;
}

Vertices start_order(std::size_t n, int start, std::uint64_t seed) {
    Vertices order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    if (start > 0)
        for (std::size_t i = 0; const int v : SeededRandom(seed, {start}).permutation(int(n)))
            order[i++] = std::size_t(v);
    return order;
}

}  // namespace

std::vector<int> partition(const CoActivationGraph& graph, const PartitionSpec& spec) {
    const CutWeights matrix(graph);
    if (spec.parts < 1 || matrix.n % std::size_t(spec.parts) != 0)
        throw InputError("partition.parts", fmt::format("a divisor of {} vertices", matrix.n),
                         fmt::format("{}", spec.parts));
    if (!(spec.tolerance >= 0) || spec.starts < 1)
        throw InputError("partition", "a tolerance from 0 and a start at least",
                         fmt::format("{} and {}", spec.tolerance, spec.starts));
    const double limit =
        (1 + spec.tolerance) * std::accumulate(matrix.load.begin(), matrix.load.end(), 0.0) / spec.parts;
    std::vector<Vertices> best;
    double best_quality = 0;
    for (int start = 0; start < spec.starts; ++start) {
        std::vector<Vertices> parts;
        bisect(matrix, start_order(matrix.n, start, spec.seed), spec.parts, matrix.n / std::size_t(spec.parts), limit,
               parts);
        improve_pairs(matrix, limit, parts);
        const double quality = quality_of(matrix, limit, parts);
        if (!best.empty() && quality <= best_quality) continue;
        best = std::move(parts);
        best_quality = quality;
    }
    std::vector<int> part_of(matrix.n);
    for (std::size_t part = 0; part < best.size(); ++part)
        for (const std::size_t v : best[part]) part_of[v] = int(part);
    return part_of;
}

double cut(const CoActivationGraph& graph, const std::vector<int>& part_of) {
    double sum = 0;
    for (auto [edge, end] = boost::edges(graph); edge != end; ++edge)
        if (part_of.at(boost::source(*edge, graph)) != part_of.at(boost::target(*edge, graph)))
            sum += graph[*edge].tokens;
    return sum;
}

}  // namespace strata
