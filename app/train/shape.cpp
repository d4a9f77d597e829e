#include "app/train/shape.hpp"

#include <fmt/format.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "kernels/engram/hash_parameters.hpp"

namespace strata {

namespace {

constexpr int kOrders = 2;  // 2-grams and 3-grams
constexpr int kRowsRead = kOrders * kEngramHeads;

double expert_parameters(const Budget& budget) { return 3.0 * budget.hidden * budget.expert_width; }

// What a token meets besides the shared expert's widening.
double active_unwidened(const NetworkShape& shape) {
    const Budget& budget = shape.budget;
    const double hidden = budget.hidden;
    const double attention = 4 * hidden * hidden, router = (hidden + 1) * shape.experts;
    const double shared = 3 * hidden * budget.shared_width;
    const double gate = shape.buckets > 0 ? 2 * hidden * shape.row_values() : 0;  // keys and values
    return budget.layers * (attention + router + shared + budget.top_k * expert_parameters(budget)) + gate;
}

// Of n streams: n in, n out and n x n between them, at both sublayers; and the gate's further keys.
double stream_parameters(const NetworkShape& shape) {
    if (shape.streams == 1) return 0;
    const double n = shape.streams, maps = n * (n + 2);
    const double keys = shape.buckets > 0 ? (n - 1) * shape.budget.hidden * shape.row_values() : 0;
    return 2 * shape.budget.layers * (n * shape.budget.hidden * maps + maps + 3) + keys;
}

double sparse_parameters(const Budget& budget) {
    return budget.layers * budget.idle_experts * expert_parameters(budget);
}

std::int64_t rows_from(std::int64_t buckets) {
    return engram_hash_layers({.layers = {NetworkShape::kTableLayer},
                               .buckets = buckets,
                               .compressed_vocab = 256,
                               .orders = kOrders,
                               .seed = 0})
        .front()
        .rows;
}

// Primes rise from `buckets`: the most buckets whose rows still fit.
std::int64_t most_buckets(double rows) {
    std::int64_t buckets = static_cast<std::int64_t>(rows / kRowsRead);
    while (buckets > 2 && static_cast<double>(rows_from(buckets)) > rows) --buckets;
    return buckets;
}

NetworkShape unwidened(const Budget& budget, double rho, ResidualKind residual) {
    NetworkShape shape{.budget = budget, .residual = residual, .streams = residual == ResidualKind::plain ? 1 : 4};
    const int idle = static_cast<int>(std::lround(rho * budget.idle_experts));
    shape.experts = budget.top_k + idle;
    if (idle == budget.idle_experts) return shape;
    const double for_table = sparse_parameters(budget) * (1.0 - 1.0 * idle / budget.idle_experts);
    shape.buckets = most_buckets(for_table / budget.row_width);
    shape.rows = rows_from(shape.buckets);
    return shape;
}

}  // namespace

int NetworkShape::row_values() const { return kRowsRead * budget.row_width; }

double NetworkShape::active_parameters() const {
    return active_unwidened(*this) + 3.0 * budget.hidden * widened + stream_parameters(*this);
}

double NetworkShape::total_parameters() const {
    return active_parameters() + budget.layers * (experts - budget.top_k) * expert_parameters(budget) +
           static_cast<double>(rows) * budget.row_width;
}

double NetworkShape::sparse_in_table() const {
    const double table = static_cast<double>(rows) * budget.row_width;
    return table / (table + budget.layers * (experts - budget.top_k) * expert_parameters(budget));
}

double NetworkShape::training_flops_per_token() const {
    const double head = 256.0 * budget.hidden;
    const double scores = budget.layers * 2.0 * budget.hidden * (budget.length + 1) / 2;  // q k and weights v
    return 3 * 2 * (active_parameters() + head + scores);
}

NetworkShape shape_of(const Budget& budget, double rho, ResidualKind residual) {
    if (!(rho >= 0 && rho <= 1)) throw InputError("rho", "0 to 1", fmt::format("{}", rho));
    // The most that any rho meets: all experts' routers, or the gate and nearly all of them.
    const double most = std::max(active_unwidened(unwidened(budget, 1, residual)),
                                 active_unwidened(unwidened(budget, 1 - 1.0 / budget.idle_experts, residual)));
    NetworkShape shape = unwidened(budget, rho, residual);
    shape.widened = static_cast<int>(std::lround((most - active_unwidened(shape)) / (3.0 * budget.hidden)));
    return shape;
}

}  // namespace strata
