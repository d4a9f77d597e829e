// Newton-Schulz at the matrices that models have, against whole products: our own, and cuBLASLt's.
#include <cmath>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/optimizer/bench_parts.hpp"
#include "kernels/optimizer/muon.hpp"
#include "kernels/optimizer/muon_reference.hpp"
#include "kernels/optimizer/newton_schulz_launch.hpp"
#ifndef STRATA_EMULATED
#include "kernels/bench/library_gemm.hpp"
#endif

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, const std::vector<NewtonSchulzStep>& steps, std::uint64_t seed)
        : in(random_normal<Bf16>(elements(shape), seed,  // a norm of 1, but for chance
                                 1 / std::sqrt(float(shape["rows"]) * float(shape["columns"])))),
          out(elements(shape)),
          spare(elements(shape)),
          gram(std::size_t(shape["matrices"] * shape["rows"] * shape["rows"])),
          polynomial(gram.size()) {
        task = {.in = in.data(),
                .out = out.data(),
                .spare = spare.data(),
                .gram = gram.data(),
                .polynomial = polynomial.data(),
                .matrices = shape["matrices"],
                .rows = shape["rows"],
                .columns = shape["columns"],
                .steps = steps};
    }
    static std::size_t elements(const Shape& shape) {
        return std::size_t(shape["matrices"] * shape["rows"] * shape["columns"]);
    }
    void poison() { out.poison(), spare.poison(), gram.poison(), polynomial.poison(); }

    std::vector<double> row(const Buffer<Bf16>& of, std::int64_t matrix, std::int64_t i, std::int64_t width) const {
        return row_of(of, matrix * task.rows + i, width);
    }
    std::vector<double> column(const Buffer<Bf16>& of, std::int64_t matrix, std::int64_t j) const {
        std::vector<double> all;
        for (std::int64_t i = 0; i < task.rows; ++i)
            all.push_back(to_float(of.read(std::size_t((matrix * task.rows + i) * task.columns + j), 1)[0]));
        return all;
    }
    Buffer<Bf16> in, out, spare, gram, polynomial;
    NewtonSchulzTask task;
};

double dot(const std::vector<double>& x, const std::vector<double>& y) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
    return sum;
}

struct Sampled {
    std::vector<double> is, should;
    void add(double one, double expected) { is.push_back(one), should.push_back(expected); }
    // Rounded once to BF16, and the sums of FP32.
    Verdict verdict() const { return close_to(is, should, 1e-5, 0x1.04p-8); }
};

// A of a matrix, at some rows and columns, as cosines: off its diagonal A is small, and small must be right. Whose X it
// is, is in `x`.
void sample_gram(Sampled& sampled, const Operands& operands, const Buffer<Bf16>& x, std::int64_t matrix) {
    const NewtonSchulzTask& task = operands.task;
    for (const std::int64_t i : rows_to_compare(task.rows, 4, 3)) {
        const auto left = operands.row(x, matrix, i, task.columns),
                   gram = operands.row(operands.gram, matrix, i, task.rows);
        for (const std::int64_t j : rows_to_compare(task.rows, 32, std::uint64_t(i))) {
            const auto right = operands.row(x, matrix, j, task.columns);
            const double lengths = std::sqrt(dot(left, left) * dot(right, right));
            if (lengths > 0) sampled.add(gram[std::size_t(j)] / lengths, dot(left, right) / lengths);
        }
    }
}

// The last step from what it left: A from X, B from A, and the new X from both. Its products are those of every step.
Verdict last_step(const Operands& operands) {
    const NewtonSchulzTask& task = operands.task;
    const NewtonSchulzStep of = task.steps.back();
    const Buffer<Bf16>& x = task.steps.size() > 1 ? operands.spare : operands.in;
    Sampled sampled;
    for (const std::int64_t matrix : rows_to_compare(task.matrices, 3, 1)) {
        sample_gram(sampled, operands, x, matrix);
        for (const std::int64_t i : rows_to_compare(task.rows, 4, 4)) {
            const auto a = operands.row(operands.gram, matrix, i, task.rows);
            const auto b = operands.row(operands.polynomial, matrix, i, task.rows);
            for (const std::int64_t j : rows_to_compare(task.rows, 32, std::uint64_t(i) + 1))
                sampled.add(b[std::size_t(j)], of.b * a[std::size_t(j)] +
                                                   of.c * dot(a, operands.row(operands.gram, matrix, j, task.rows)));
        }
        for (const std::int64_t j : rows_to_compare(task.columns, 4, 5)) {
            const auto before = operands.column(x, matrix, j), after = operands.column(operands.out, matrix, j);
            for (const std::int64_t i : rows_to_compare(task.rows, 8, std::uint64_t(j)))
                sampled.add(after[std::size_t(i)],
                            of.a * before[std::size_t(i)] +
                                dot(operands.row(operands.polynomial, matrix, i, task.rows), before));
        }
    }
    return sampled.verdict();
}

// All of it, where the reference takes no minutes. BF16 in fifteen or thirty products: 2 % of the norm.
Verdict whole(const Operands& operands) {
    const NewtonSchulzTask& task = operands.task;
    std::vector<reference::Coefficients> steps;
    for (const NewtonSchulzStep& step : task.steps) steps.push_back({step.a, step.b, step.c});
    std::vector<double> should;
    const std::int64_t each = task.rows * task.columns;
    for (std::int64_t matrix = 0; matrix < task.matrices; ++matrix) {
        // In has norm 1 but for chance, and that chance is an input of the kernel: the reference starts from the same.
        reference::Matrix x(task.rows, task.columns,
                            in_double(operands.in.read(std::size_t(matrix * each), std::size_t(each))));
        for (const auto& step : steps) x = reference::newton_schulz_step(x, step);
        should.insert(should.end(), x.at.begin(), x.at.end());
    }
    return alike(in_double(operands.out), should, 0.02 * 0.02 / 2);
}

Verdict verify(const Operands& operands) {
    const NewtonSchulzTask& task = operands.task;
    const bool is_small = double(task.matrices * task.rows * task.rows * task.columns) < 1e7;
    return is_small ? all_of({last_step(operands), whole(operands)}) : last_step(operands);
}

Verdict verify_gram(const Operands& operands) {
    Sampled sampled;
    for (const std::int64_t matrix : rows_to_compare(operands.task.matrices, 4, 1))
        sample_gram(sampled, operands, operands.in, matrix);
    return sampled.verdict();
}

NewtonSchulz op_of(const Shape& shape, double steps) {
    return {.matrices = double(shape["matrices"]),
            .rows = double(shape["rows"]),
            .columns = double(shape["columns"]),
            .steps = steps};
}

// The first product of a step.
Work gram_work(const Shape& shape) {
    const double x = double(shape["matrices"] * shape["rows"] * shape["columns"]);
    return {.flops = Flops(x * double(shape["rows"])),
            .read = Bytes(2 * x),
            .written = Bytes(2.0 * double(shape["matrices"] * shape["rows"] * shape["rows"]))};
}

ScaledProductTask gram_of(const NewtonSchulzTask& task) { return products_of(task).front().task; }

// Dense products of cuBLASLt of the same sizes, on operands of its own.
std::vector<Baseline> library_baselines([[maybe_unused]] const NewtonSchulzTask& task, [[maybe_unused]] bool is_step) {
#ifdef STRATA_EMULATED
    return {};
#else
    if (task.matrices == 0) return {};
    const int m = int(task.rows), n = int(task.columns);
    auto gram = std::make_shared<LibraryGemm>(GemmType::bf16, m, m, n, 1);
    auto polynomial = is_step ? std::make_shared<LibraryGemm>(GemmType::bf16, m, m, m, 2) : nullptr;
    auto update = is_step ? std::make_shared<LibraryGemm>(GemmType::bf16, m, n, m, 3) : nullptr;
    const long times = task.matrices * long(is_step ? task.steps.size() : 1);
    return {{"cuBLASLt, whole products", [=](int, cudaStream_t stream) {
                 for (long i = 0; i < times; ++i) {
                     gram->launch(stream);
                     if (polynomial) polynomial->launch(stream), update->launch(stream);
                 }
             }}};
#endif
}

Shape shape_of(std::int64_t matrices, std::int64_t rows, std::int64_t columns) {
    return {{"matrices", matrices}, {"rows", rows}, {"columns", columns}};
}

Kernel kernel(const std::string& name, const std::string& what, std::vector<NewtonSchulzStep> steps) {
    return {.name = name,
            .what = what,
            .source = "kernels/optimizer/newton_schulz.cu",
            .ceiling = Ceiling::bf16,
            // 1.25 x (3 n + m) / (4 n + 2 m) of the library's rate, in operations that the halves leave.
            .goal = {.share = 0.88, .text = "facts A12: 1.25 times as fast as whole products of cuBLASLt"},
            .shapes = {{shape_of(1, 7168, 16384), "v3 v3.2"},
                       {shape_of(32, 2048, 7168), "v3 v3.2"},
                       {shape_of(32, 2048, 4096), "v4-flash"},
                       {shape_of(16, 3072, 7168), "v4-pro"},
                       {shape_of(64, 512, 1280), "v4.1-flash"}},  // the heads of Q, each alone
            .check_shapes = {shape_of(0, 8, 16), shape_of(1, 8, 16), shape_of(2, 40, 72), shape_of(1, 136, 152)},
            .prepare =
                [steps](const Shape& shape, int sets, std::uint64_t seed) {
                    auto operands = std::make_shared<std::vector<Operands>>();
                    for (int set = 0; set < sets; ++set)
                        operands->emplace_back(shape, steps, seed + std::uint64_t(set));
                    std::vector<Baseline> baselines = library_baselines(operands->front().task, true);
                    baselines.push_back({"our whole products", [operands](int set, cudaStream_t stream) {
                                             NewtonSchulzTask task = (*operands)[std::size_t(set)].task;
                                             task.symmetric = false;
                                             newton_schulz(task, stream);
                                         }});
                    return Prepared{.work = op_of(shape, double(steps.size())).work(),
                                    .launch =
                                        [operands](int set, cudaStream_t stream) {
                                            newton_schulz((*operands)[std::size_t(set)].task, stream);
                                        },
                                    .poison = [operands] { operands->front().poison(); },
                                    .verify = [operands] { return verify(operands->front()); },
                                    .baselines = std::move(baselines)};
                },
            .set_bytes = [](const Shape& shape) { return op_of(shape, 1).work().bytes(); }};
}

Kernel gram_kernel() {
    return {.name = "optimizer/muon-gram",
            .what = "X X^T by its upper half and that mirrored",
            .source = "kernels/optimizer/newton_schulz.cu",
            .ceiling = Ceiling::bf16,
            .goal = {.share = 0.82, .text = "facts A12: half the work 1.65 times as fast as the whole product"},
            .shapes = {{shape_of(1, 7168, 16384), "v3 v3.2"}, {shape_of(32, 2048, 7168), "v3 v3.2"}},
            .check_shapes = {shape_of(0, 8, 16), shape_of(1, 8, 16), shape_of(2, 264, 72)},
            .prepare =
                [](const Shape& shape, int sets, std::uint64_t seed) {
                    auto operands = std::make_shared<std::vector<Operands>>();
                    for (int set = 0; set < sets; ++set)
                        operands->emplace_back(shape, five_steps(), seed + std::uint64_t(set));
                    const auto launch_as = [operands](int set, ProductForm form, cudaStream_t stream) {
                        scaled_product(gram_of((*operands)[std::size_t(set)].task), form, stream);
                    };
                    std::vector<Baseline> baselines = library_baselines(operands->front().task, false);
                    baselines.push_back({"our whole product", [=](int set, cudaStream_t stream) {
                                             launch_as(set, ProductForm::rows_by_rows, stream);
                                         }});
                    return Prepared{
                        .work = gram_work(shape),
                        .launch = [=](int set, cudaStream_t stream) { launch_as(set, ProductForm::symmetric, stream); },
                        .poison = [operands] { operands->front().gram.poison(); },
                        .verify = [operands] { return verify_gram(operands->front()); },
                        .baselines = std::move(baselines)};
                },
            .set_bytes = [](const Shape& shape) { return gram_work(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> newton_schulz_kernels() {
    return {kernel("optimizer/newton-schulz", "five steps on tensor cores, halves of symmetric products", five_steps()),
            kernel("optimizer/newton-schulz-hybrid", "V4's eight steps and two that settle at 1", hybrid_steps()),
            gram_kernel()};
}

}  // namespace strata
