// What Muon does before and after its Newton-Schulz steps, at the matrices that models have. Momentum and weights are
// updated in place: before each check they are made anew, from the same seed.
#include <cmath>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/optimizer/bench_parts.hpp"
#include "kernels/optimizer/muon.hpp"
#include "kernels/optimizer/muon_launch.hpp"
#include "kernels/optimizer/muon_reference.hpp"

namespace strata {

namespace {

constexpr float kRate = 0.02f;

double elements_of(const Shape& shape) { return double(shape["matrices"] * shape["rows"] * shape["columns"]); }

struct Operands {
    Operands(const Shape& shape, std::uint64_t of_seed)
        : seed(of_seed),
          count(std::size_t(elements_of(shape))),
          gradient(random_normal<Bf16>(count, seed)),
          orthogonal(random_normal<Bf16>(count, seed + 1)),
          momentum(count),
          master(count),
          direction(count),
          weight(count),
          partials(std::size_t(shape["matrices"] * kMuonParts)) {
        task = {.gradient = gradient.data(),
                .momentum = momentum.data(),
                .master = master.data(),
                .weight = weight.data(),
                .direction = direction.data(),
                .orthogonal = orthogonal.data(),
                .partials = partials.data(),
                .matrices = shape["matrices"],
                .rows = shape["rows"],
                .columns = shape["columns"],
                .rate = kRate};
        renew();
    }
    void renew() {
        fill_normal(momentum.data(), count, seed + 2, 1, 0);
        fill_normal(master.data(), count, seed + 3, 1, 0);
        direction.poison(), weight.poison();
    }
    std::int64_t each() const { return task.rows * task.columns; }
    // Where element i of a matrix is in one that has its shorter side first.
    std::int64_t oriented(std::int64_t i) const {
        return task.rows > task.columns ? i % task.columns * task.rows + i / task.columns : i;
    }
    std::uint64_t seed;
    std::size_t count;
    Buffer<Bf16> gradient, orthogonal;
    Buffer<float> momentum, master;
    Buffer<Bf16> direction, weight;
    Buffer<float> partials;
    MuonTask task;
};

// As they are and as they should be, of elements here and there.
struct Sampled {
    std::vector<double> is, should;
    void add(double one, double expected) { is.push_back(one), should.push_back(expected); }
};

Verdict verify_direction(const Operands& is) {
    const Buffer<float> before = random_normal<float>(is.count, is.seed + 2);
    Sampled momenta, directions;
    for (const std::int64_t matrix : rows_to_compare(is.task.matrices, 2, 1)) {
        const auto first = std::size_t(matrix * is.each()), each = std::size_t(is.each());
        const auto gradient = is.gradient.read(first, each), direction = is.direction.read(first, each);
        const auto old = before.read(first, each), momentum = is.momentum.read(first, each);
        double squares = 0;
        for (std::size_t i = 0; i < each; ++i) {
            const double ahead = reference::muon_momentum(old[i], to_float(gradient[i]), is.task.mu, true).direction;
            squares += ahead * ahead;
        }
        for (const std::int64_t at : rows_to_compare(is.each(), 4096, 2)) {
            const auto i = std::size_t(at);
            const auto should = reference::muon_momentum(old[i], to_float(gradient[i]), is.task.mu, true);
            momenta.add(momentum[i], should.momentum);
            directions.add(to_float(direction[std::size_t(is.oriented(at))]),
                           should.direction / (std::sqrt(squares) + 1e-7));
        }
    }
    return all_of({close_to(momenta.is, momenta.should, 1e-6, 1e-6),
                   close_to(directions.is, directions.should, 1e-8, 0x1.02p-8)});
}

Verdict verify_apply(const Operands& is) {
    const Buffer<float> before = random_normal<float>(is.count, is.seed + 3);
    const double scale = 0.18 * std::sqrt(double(std::max(is.task.rows, is.task.columns)));
    Sampled masters, weights;
    for (const std::int64_t matrix : rows_to_compare(is.task.matrices, 4, 1))
        for (const std::int64_t at : rows_to_compare(is.each(), 1024, 2)) {
            const auto i = std::size_t(matrix * is.each() + at);
            const double orthogonal =
                to_float(is.orthogonal.read(std::size_t(matrix * is.each() + is.oriented(at)), 1)[0]);
            const double should = reference::muon_weight(before.read(i, 1)[0], orthogonal, kRate, is.task.decay, scale);
            masters.add(is.master.read(i, 1)[0], should);
            weights.add(to_float(is.weight.read(i, 1)[0]), should);
        }
    return all_of(
        {close_to(masters.is, masters.should, 1e-6, 1e-6), close_to(weights.is, weights.should, 1e-6, 0x1.02p-8)});
}

Shape shape_of(std::int64_t matrices, std::int64_t rows, std::int64_t columns) {
    return {{"matrices", matrices}, {"rows", rows}, {"columns", columns}};
}

Kernel kernel(const std::string& name, const std::string& what, void (*launch)(const MuonTask&, cudaStream_t),
              Verdict (*verify)(const Operands&), Work (*work_of)(const Shape&)) {
    return {.name = name,
            .what = what,
            .source = "kernels/optimizer/muon.cu",
            .goal = {.share = 0.90, .text = "streams, as AdamW does: some 3.9 TB/s of 4.3 (facts A16)"},
            .shapes = {{shape_of(32, 2048, 7168), "v3 v3.2"},
                       {shape_of(1, 16384, 7168), "v3 v3.2"},
                       {shape_of(32, 2048, 4096), "v4-flash"},
                       {shape_of(16, 3072, 7168), "v4-pro"},
                       {shape_of(16, 5120, 2304), "v4.1-flash"}},
            .check_shapes = {shape_of(0, 8, 16), shape_of(1, 8, 16), shape_of(2, 72, 136), shape_of(2, 136, 72)},
            .prepare =
                [=](const Shape& shape, int sets, std::uint64_t seed) {
                    auto operands = std::make_shared<std::vector<Operands>>();
                    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 8 * std::uint64_t(set));
                    return Prepared{.work = work_of(shape),
                                    .launch =
                                        [operands, launch](int set, cudaStream_t stream) {
                                            launch((*operands)[std::size_t(set)].task, stream);
                                        },
                                    .poison = [operands] { operands->front().renew(); },
                                    .verify = [operands, verify] { return verify(operands->front()); }};
                },
            .set_bytes = [work_of](const Shape& shape) { return work_of(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> muon_kernels() {
    return {kernel("optimizer/muon-direction", "momentum with Nesterov's look ahead, scaled to norm 1, in BF16",
                   muon_direction, verify_direction,
                   [](const Shape& shape) { return MuonMomentum{.elements = elements_of(shape)}.work(); }),
            kernel("optimizer/muon-apply", "FP32 master weights and their BF16 copy moved along an orthogonal matrix",
                   muon_apply, verify_apply,
                   [](const Shape& shape) { return MuonApply{.elements = elements_of(shape)}.work(); })};
}

}  // namespace strata
