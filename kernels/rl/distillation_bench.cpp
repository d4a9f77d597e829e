// Distillation over the whole vocabulary: two readings of BF16 logits forward, and one writing more for the gradient.
#include "kernels/rl/distillation.hpp"
#include "kernels/rl/distillation_launch.hpp"
#include "kernels/rl/distillation_reference.hpp"
#include "kernels/rl/kernels.hpp"
#include "kernels/rl/logits_bench.hpp"
#include "kernels/rl/token_logp_launch.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, Divergence form, bool backward, std::uint64_t seed)
        : student(random_normal<Bf16>(std::size_t(shape["tokens"] * shape["vocabulary"]), seed, 2)),
          teacher(random_normal<Bf16>(student.size(), seed + 1, 2)),
          slope(random_normal<float>(std::size_t(shape["tokens"]), seed + 2)),
          taken(random_integers<std::int32_t>(slope.size(), seed + 3, shape["vocabulary"])),
          divergences(slope.size()),
          student_log2_sum(slope.size()),
          teacher_log2_sum(slope.size()),
          unused(2 * slope.size()),
          gradient(backward ? student.size() : 0),
          error(std::vector<int>{0}) {
        forward = {.student = student.data(),
                   .teacher = teacher.data(),
                   .divergences = divergences.data(),
                   .student_log2_sum = student_log2_sum.data(),
                   .teacher_log2_sum = teacher_log2_sum.data(),
                   .tokens = shape["tokens"],
                   .vocabulary = shape["vocabulary"],
                   .form = form};
        if (!backward) return;
        back = {.student = student.data(),
                .teacher = teacher.data(),
                .divergences = divergences.data(),
                .student_log2_sum = student_log2_sum.data(),
                .teacher_log2_sum = teacher_log2_sum.data(),
                .slope = slope.data(),
                .gradient = gradient.data(),
                .tokens = shape["tokens"],
                .vocabulary = shape["vocabulary"],
                .form = form};
        distillation(forward, nullptr);
    }
    // What it would take to find the two sums alone; it writes nothing that is verified.
    TokenLogpTask<Bf16> sums(const Bf16* logits) const {
        return {.logits = logits,
                .taken = taken.data(),
                .logp = unused.data(),
                .log2_sum = unused.data() + slope.size(),
                .error = error.data(),
                .tokens = forward.tokens,
                .vocabulary = forward.vocabulary};
    }
    Buffer<Bf16> student, teacher;
    Buffer<float> slope;
    Buffer<std::int32_t> taken;
    Buffer<float> divergences, student_log2_sum, teacher_log2_sum, unused;
    Buffer<Bf16> gradient;
    Buffer<int> error;
    DistillationTask<Bf16> forward;
    DistillationGradientTask<Bf16> back;
};

Verdict verify(const Operands& operands, bool backward) {
    const long vocabulary = operands.forward.vocabulary;
    const Divergence form = operands.forward.form;
    const auto divergences = operands.divergences.read(), slope = operands.slope.read();
    std::vector<double> is, should, gradient_is, gradient_should;
    for (const std::int64_t row : rows_to_compare(operands.forward.tokens, 16, 1)) {
        const auto student = row_of(operands.student, row, vocabulary);
        const auto teacher = row_of(operands.teacher, row, vocabulary);
        is.push_back(divergences[std::size_t(row)]);
        should.push_back(reference::divergence(student, teacher, form, 1));
        if (!backward) continue;
        const auto mine = row_of(operands.gradient, row, vocabulary);
        gradient_is.insert(gradient_is.end(), mine.begin(), mine.end());
        const auto expected = reference::divergence_gradient(student, teacher, form, 1, slope[std::size_t(row)]);
        gradient_should.insert(gradient_should.end(), expected.begin(), expected.end());
    }
    // Terms of either sign nearly cancel in a gradient: beside half a step of BF16, an error of 1e-6 of a share.
    return all_of({close_to(is, should, 2e-5, 5e-6), close_to(gradient_is, gradient_should, 3e-8, 0.005)});
}

Work work_of(const Shape& shape, bool backward) {
    const double tokens = double(shape["tokens"]), vocabulary = double(shape["vocabulary"]);
    return backward ? DistillationGradient{.tokens = tokens, .vocabulary = vocabulary}.work()
                    : Distillation{.tokens = tokens, .vocabulary = vocabulary}.work();
}

Prepared prepare(const Shape& shape, Divergence form, bool backward, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, form, backward, seed + 4 * std::uint64_t(set));
    Prepared prepared{.work = work_of(shape, backward)};
    prepared.verify = [operands, backward] { return verify(operands->front(), backward); };
    if (backward) {
        prepared.launch = [operands](int set, cudaStream_t stream) {
            distillation_gradient((*operands)[std::size_t(set)].back, stream);
        };
        prepared.poison = [operands] { operands->front().gradient.poison(); };
        return prepared;
    }
    prepared.launch = [operands](int set, cudaStream_t stream) {
        distillation((*operands)[std::size_t(set)].forward, stream);
    };
    prepared.poison = [operands] { operands->front().divergences.poison(); };
    prepared.baselines.push_back({"two log-sum-exp passes", [operands](int set, cudaStream_t stream) {
                                      const Operands& of = (*operands)[std::size_t(set)];
                                      token_logp(of.sums(of.student.data()), stream);
                                      token_logp(of.sums(of.teacher.data()), stream);
                                  }});
    return prepared;
}

Kernel kernel(const std::string& name, const std::string& what, Divergence form, bool backward) {
    return {.name = name,
            .what = what,
            .source = "kernels/rl/distillation.cu",
            .goal = {.share = 0.88, .text = "as facts A13: 3.8 TB/s of 4.3 on an H200"},
            .shapes = logits_shapes(),
            .check_shapes = logits_check_shapes(),
            .prepare = [form, backward](const Shape& shape, int sets,
                                        std::uint64_t seed) { return prepare(shape, form, backward, sets, seed); },
            .set_bytes = [backward](const Shape& shape) { return work_of(shape, backward).bytes(); }};
}

}  // namespace

std::vector<Kernel> distillation_kernels() {
    return {kernel("rl/distill-reverse", "KL(student | teacher) over the vocabulary, one reading of both",
                   Divergence::reverse, false),
            kernel("rl/distill-reverse-gradient", "its gradient for the student's logits", Divergence::reverse, true),
            kernel("rl/distill-forward", "KL(teacher | student) over the vocabulary, one reading of both",
                   Divergence::forward, false),
            kernel("rl/distill-forward-gradient", "its gradient for the student's logits", Divergence::forward, true)};
}

}  // namespace strata
