// Sinkhorn-balanced momentum of as many rows as 8192 and 2048 tokens touch of an Engram layer, against the copy of this
// run. Momentum and weights are updated in place: before each check they are made anew, from the same seed.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/optimizer/bench_parts.hpp"
#include "kernels/optimizer/sinkhorn_momentum.hpp"
#include "kernels/optimizer/sinkhorn_momentum_launch.hpp"
#include "kernels/optimizer/sinkhorn_momentum_reference.hpp"

namespace strata {

namespace {

constexpr std::size_t kWidth = kSinkhornWidth;

// Each row once: multiples of a prime, modulo a number of rows that it does not divide.
std::vector<std::int32_t> touched_rows(std::int64_t rows, std::int64_t table_rows) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < rows; ++i) ids.push_back(std::int32_t(i * 15'485'863 % table_rows));
    return ids;
}

struct Operands {
    Operands(const Shape& shape, std::uint64_t of_seed)
        : ids_on_host(touched_rows(shape["rows"], shape["table_rows"])),
          gradient(random_normal<Bf16>(ids_on_host.size() * kWidth, of_seed, 1e-3f)),
          ids(ids_on_host),
          momentum(std::size_t(shape["table_rows"]) * kWidth),
          weight(momentum.size()),
          columns(kWidth),
          norms(ids.size()),
          table(std::size_t(shape["table_rows"]) * kEngramRowStride),
          error(std::vector<int>{0}),
          seed(of_seed) {
        task = {.gradient = gradient.data(),
                .ids = ids.data(),
                .momentum = momentum.data(),
                .weight = weight.data(),
                .table = table.data(),
                .norms = norms.data(),
                .columns = columns.data(),
                .error = error.data(),
                .rows = shape["rows"],
                .table_rows = shape["table_rows"],
                .rate = 1e-3f};
        sums = Buffer<float>(std::size_t(task.blocks) * kWidth), means = Buffer<float>(std::size_t(task.blocks) * 2);
        task.sums = sums.data(), task.means = means.data();
        renew();
    }
    void renew() {
        fill_normal(momentum.data(), momentum.size(), seed + 1, 1e-3f, 0);
        fill_normal(weight.data(), weight.size(), seed + 2, 1, 0);
        table.poison();
    }

    std::vector<std::int32_t> ids_on_host;
    Buffer<Bf16> gradient;
    Buffer<std::int32_t> ids;
    Buffer<float> momentum, weight, columns, norms, sums{0}, means{0};
    Buffer<std::uint8_t> table;
    Buffer<int> error;
    std::uint64_t seed;
    SinkhornMomentumTask task;
};

// All rows' momenta and the columns' factors, then weights and stored rows of some.
Verdict verify(const Operands& of) {
    const SinkhornMomentumTask& task = of.task;
    const Buffer<float> old_momentum = random_normal<float>(of.momentum.size(), of.seed + 1, 1e-3f);
    const Buffer<float> old_weight = random_normal<float>(of.weight.size(), of.seed + 2, 1);
    std::vector<float> momentum;  // of the touched rows
    const std::vector<float> all = of.momentum.read();
    double norms = 0;
    for (const std::int32_t id : of.ids_on_host) {
        const auto first = all.begin() + std::ptrdiff_t(std::size_t(id) * kWidth);
        momentum.insert(momentum.end(), first, first + std::ptrdiff_t(kWidth));
        norms += reference::norm_of({first, first + std::ptrdiff_t(kWidth)});
    }
    const double threshold = double(task.tau) * norms / std::max(double(task.rows), 1.0);
    const auto columns = reference::sinkhorn_columns(momentum, kWidth, threshold, task.iterations);

    std::vector<double> m, m_should, w, w_should;
    std::vector<double> scales, scales_should;
    for (const std::int64_t row : rows_to_compare(task.rows, 64, 1)) {
        const auto at = std::size_t(of.ids_on_host[std::size_t(row)]) * kWidth;
        const auto was = old_momentum.read(at, kWidth), is = of.momentum.read(at, kWidth);
        const auto gradient = of.gradient.read(std::size_t(row) * kWidth, kWidth);
        std::vector<double> u;
        for (std::size_t j = 0; j < kWidth; ++j) {
            m.push_back(is[j]), m_should.push_back(double(task.mu) * was[j] + to_float(gradient[j]));
            u.push_back(is[j] * columns[j]);
        }
        const double norm = reference::norm_of(u);
        const auto weight = of.weight.read(at, kWidth), weight_was = old_weight.read(at, kWidth);
        double amax = 0;
        for (std::size_t j = 0; j < kWidth; ++j) {
            w.push_back(double(weight[j]) - weight_was[j]);
            w_should.push_back(-double(task.rate) * task.gamma * 16 * u[j] / norm);
            if (j < 32) amax = std::max(amax, double(std::abs(weight[j])));
        }
        const auto stored = of.table.read(at / kWidth * kEngramRowStride + kWidth, 1);
        scales.push_back(to_float(Ue8m0{stored[0]}));
        scales_should.push_back(to_float(to_ue8m0(power_of_two_above(float(amax) / kE4m3Max))));
    }
    std::vector<double> columns_is = in_double(of.columns.read());
    if (task.rows == 0) columns_is = columns;  // nothing was launched
    // A weight of 1 moves by 2e-4: float leaves 6e-8 of it.
    return all_of({same_bits(of.error.read(), {0}), close_to(m, m_should, 1e-9, 1e-5),
                   close_to(columns_is, columns, 0, 1e-4), close_to(w, w_should, 5e-7, 1e-3),
                   close_to(scales, scales_should, 0, 1e-6)});
}

SinkhornMomentum op_of(const Shape& shape) { return {.rows = double(shape["rows"])}; }

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 3 * std::uint64_t(set));
    return {
        .work = op_of(shape).work(),
        .launch = [operands](int set,
                             cudaStream_t stream) { sinkhorn_momentum((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().renew(); },
        .verify = [operands] { return verify(operands->front()); }};
}

}  // namespace

std::vector<Kernel> sinkhorn_momentum_kernels() {
    return {{.name = "optimizer/sinkhorn-momentum",
             .what = "Sinkhorn-balanced momentum of an Engram table's touched rows, K = 11, twelve launches",
             .source = "kernels/optimizer/sinkhorn_momentum.cu",
             .goal = {.share = 0.80, .text = "no published figure; seven passes of 0.93 with their starts and ends"},
             .shapes = {{{{"rows", 196'608}, {"table_rows", 400'000}}, "v4.1-flash"},
                        {{{"rows", 393'216}, {"table_rows", 800'000}}, "v4.1-flash"}},
             .check_shapes = {{{"rows", 0}, {"table_rows", 1}},
                              {{"rows", 1}, {"table_rows", 1}},
                              {{"rows", 5000}, {"table_rows", 7001}}},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) {
                 return Bytes(double(shape["table_rows"]) * (8 * 256 + kEngramRowStride) +
                              double(shape["rows"]) * (2 * 256 + 8));
             }}};
}

}  // namespace strata
