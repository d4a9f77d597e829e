#include "kernels/rl/distillation_body.hpp"

#include <gtest/gtest.h>

#include "kernels/rl/distillation_reference.hpp"
#include "kernels/simt/emulator.hpp"
#include "tests/kernels/rl/logits.hpp"

namespace strata {
namespace {

constexpr Divergence kForms[] = {Divergence::forward, Divergence::reverse};

template <class T>
struct Distilled {
    std::vector<float> divergences, student_log2_sum, teacher_log2_sum;
    std::vector<T> gradient;
};

template <class T>
Distilled<T> emulated(const RandomLogits<T>& student, const RandomLogits<T>& teacher, Divergence form,
                      float temperature, const std::vector<float>& slope, ThreadOrder order,
                      const std::vector<std::uint8_t>& counted = {}, bool in_place = false) {
    const std::size_t tokens = slope.size();
    Distilled<T> out{std::vector<float>(tokens, -7), std::vector<float>(tokens, -7), std::vector<float>(tokens, -7),
                     in_place ? student.at : std::vector<T>(student.at.size(), from_float<T>(-7))};
    const DistillationTask<T> task{.student = student.at.data(),
                                   .teacher = teacher.at.data(),
                                   .counted = counted.empty() ? nullptr : counted.data(),
                                   .divergences = out.divergences.data(),
                                   .student_log2_sum = out.student_log2_sum.data(),
                                   .teacher_log2_sum = out.teacher_log2_sum.data(),
                                   .tokens = long(tokens),
                                   .vocabulary = student.vocabulary,
                                   .temperature = temperature,
                                   .form = form};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { distillation(t, task); });
    const DistillationGradientTask<T> gradient{.student = in_place ? out.gradient.data() : student.at.data(),
                                               .teacher = teacher.at.data(),
                                               .divergences = out.divergences.data(),
                                               .student_log2_sum = out.student_log2_sum.data(),
                                               .teacher_log2_sum = out.teacher_log2_sum.data(),
                                               .slope = slope.data(),
                                               .gradient = out.gradient.data(),
                                               .tokens = long(tokens),
                                               .vocabulary = student.vocabulary,
                                               .temperature = temperature,
                                               .form = form};
    require_valid(gradient);
    emulate(grid_of(gradient), order, [&](EmulatedThread& t) { distillation_gradient(t, gradient); });
    return out;
}

template <class T>
class Distillations : public testing::Test {};
using ElementTypes = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Distillations, ElementTypes);

TYPED_TEST(Distillations, match_the_reference_in_every_thread_order) {
    const std::vector<float> slope{1.0f, -0.5f};
    for (const long vocabulary : {1L, 13L, 4808L, 5001L}) {
        const RandomLogits<TypeParam> student(2, vocabulary, 21), teacher(2, vocabulary, 22);
        for (const Divergence form : kForms)
            for (const ThreadOrder order : kThreadOrders) {
                if (vocabulary < 32 && order != ThreadOrder::shuffled) continue;
                const auto is = emulated(student, teacher, form, 1.4f, slope, order);
                for (long row = 0; row < 2; ++row) {
                    const double should = reference::divergence(student.row(row), teacher.row(row), form, double(1.4f));
                    EXPECT_NEAR(is.divergences[std::size_t(row)], should, 1e-5 + 5e-6 * should);
                    const auto gradient = reference::divergence_gradient(student.row(row), teacher.row(row), form,
                                                                         double(1.4f), slope[std::size_t(row)]);
                    for (std::size_t v = 0; v < gradient.size(); ++v)
                        ASSERT_NEAR(to_float(is.gradient[std::size_t(row * vocabulary) + v]), gradient[v],
                                    1e-6 + std::abs(gradient[v]) * (sizeof(TypeParam) == 2 ? 0.005 : 2e-5));
                }
            }
    }
}

TEST(Distillation, in_place_is_the_same) {
    const RandomLogits<Bf16> student(2, 4808, 23), teacher(2, 4808, 24);
    const auto apart = emulated(student, teacher, Divergence::reverse, 1, {1, 2}, ThreadOrder::forward);
    const auto in_place = emulated(student, teacher, Divergence::reverse, 1, {1, 2}, ThreadOrder::reversed, {}, true);
    for (std::size_t i = 0; i < apart.gradient.size(); ++i)
        ASSERT_EQ(apart.gradient[i].bits, in_place.gradient[i].bits);
}

TEST(Distillation, of_equal_laws_is_zero_whatever_is_added_to_the_logits) {
    const RandomLogits<float> student(1, 600, 25);
    RandomLogits<float> teacher = student;
    for (float& one : teacher.at) one += 4;
    for (const Divergence form : kForms) {
        const auto is = emulated(student, teacher, form, 1, {1.0f}, ThreadOrder::forward);
        EXPECT_NEAR(is.divergences[0], 0, 3e-6);
        for (const float one : is.gradient) EXPECT_NEAR(one, 0, 1e-6);
    }
}

// Student (1/2, 1/2), teacher (3/4, 1/4): KL(student | teacher) = (log(2/3) + log 2) / 2 = log(4/3) / 2.
TEST(Distillation, by_hand) {
    RandomLogits<float> student(1, 2, 1), teacher(1, 2, 1);
    student.set(0, 0, 1), student.set(0, 1, 1);
    teacher.set(0, 0, std::log(3.0f)), teacher.set(0, 1, 0);
    const auto reverse = emulated(student, teacher, Divergence::reverse, 1, {1.0f}, ThreadOrder::forward);
    EXPECT_NEAR(reverse.divergences[0], std::log(4.0 / 3) / 2, 1e-6);
    // d/dx = s (log(s/t) - KL): 1/2 (log(2/3) - log(4/3)/2) = -log(3)/4
    EXPECT_NEAR(reverse.gradient[0], -std::log(3.0) / 4, 1e-6);
    const auto forward = emulated(student, teacher, Divergence::forward, 1, {1.0f}, ThreadOrder::forward);
    EXPECT_NEAR(forward.divergences[0], 0.75 * std::log(1.5) + 0.25 * std::log(0.5), 1e-6);
    EXPECT_NEAR(forward.gradient[0], 0.5 - 0.75, 1e-6);
}

TEST(Distillation, what_a_mask_takes_from_both_adds_nothing) {
    RandomLogits<float> student(1, 40, 26), teacher(1, 40, 27), fewer_student(1, 30, 1), fewer_teacher(1, 30, 1);
    for (long v = 0; v < 40; ++v) {
        if (v < 30) fewer_student.set(0, v, student.at[std::size_t(v)]);
        if (v < 30) fewer_teacher.set(0, v, teacher.at[std::size_t(v)]);
        if (v >= 30) student.set(0, v, -INFINITY), teacher.set(0, v, -INFINITY);
    }
    for (const Divergence form : kForms) {
        const auto is = emulated(student, teacher, form, 1, {1.0f}, ThreadOrder::forward);
        const auto should = emulated(fewer_student, fewer_teacher, form, 1, {1.0f}, ThreadOrder::forward);
        EXPECT_NEAR(is.divergences[0], should.divergences[0], 1e-6);
        for (std::size_t v = 30; v < 40; ++v) EXPECT_EQ(is.gradient[v], 0);
    }
}

TEST(Distillation, a_nan_stays_seen_and_what_does_not_count_is_not_read) {
    RandomLogits<float> student(2, 40, 28), teacher(2, 40, 29);
    teacher.set(0, 17, NAN);
    for (const Divergence form : kForms) {
        EXPECT_TRUE(std::isnan(emulated(student, teacher, form, 1, {1, 1}, ThreadOrder::forward).divergences[0]));
        const auto is = emulated(student, teacher, form, 1, {0, 1}, ThreadOrder::forward, {0, 1});
        EXPECT_EQ(is.divergences[0], 0);
        for (std::size_t v = 0; v < 40; ++v) EXPECT_EQ(is.gradient[v], 0);
        EXPECT_GT(is.divergences[1], 0);
    }
}

TEST(Distillation, the_references_gradient_is_that_of_finite_differences) {
    const RandomLogits<float> student(1, 12, 30), teacher(1, 12, 31);
    for (const Divergence form : kForms) {
        const auto gradient = reference::divergence_gradient(student.row(0), teacher.row(0), form, 0.8, 1.5);
        for (std::size_t v = 0; v < 12; ++v) {
            auto up = student.row(0), down = up;
            up[v] += 1e-5, down[v] -= 1e-5;
            const double should = 1.5 *
                                  (reference::divergence(up, teacher.row(0), form, 0.8) -
                                   reference::divergence(down, teacher.row(0), form, 0.8)) /
                                  2e-5;
            EXPECT_NEAR(gradient[v], should, 1e-8);
        }
    }
}

TEST(Distillation, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(DistillationTask<float>{.tokens = 1, .vocabulary = 8}), std::invalid_argument);
    EXPECT_THROW(require_valid(DistillationTask<float>{.vocabulary = 8, .temperature = NAN}), std::invalid_argument);
    EXPECT_THROW(require_valid(DistillationGradientTask<float>{.tokens = -1, .vocabulary = 8}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(DistillationGradientTask<Bf16>{.vocabulary = 129280}));
}

}  // namespace
}  // namespace strata
