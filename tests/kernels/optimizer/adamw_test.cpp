#include "kernels/optimizer/adamw_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/optimizer/adamw.hpp"
#include "kernels/optimizer/adamw_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

template <class T>
class Aligned {
public:
    explicit Aligned(std::size_t count) : packs_((count + Pack<T>::kSize - 1) / Pack<T>::kSize + 1) {}
    T* data() { return packs_.data()->at; }
    T& operator[](std::size_t i) { return data()[i]; }

private:
    std::vector<Pack<T>> packs_;
};

// One tensor with its buffers; the element behind the last is watched.
template <class State>
struct Tensor {
    explicit Tensor(long of, std::uint64_t seed)
        : count(std::size_t(of)), weight(count), gradient(count), master(count), m(count), v(count) {
        std::mt19937_64 random(seed);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < count; ++i) {
            master[i] = normal(random);
            weight[i] = to_bf16(master[i]);
            gradient[i] = to_bf16(normal(random));
            m[i] = from_float<State>(0.1f * normal(random));
            v[i] = from_float<State>(std::abs(0.01f * normal(random)));
        }
        master[count] = 77, weight[count] = to_bf16(77), m[count] = from_float<State>(77);
    }
    AdamWTensor<State> view() {
        return {weight.data(), master.data(), m.data(), v.data(), gradient.data(), long(count)};
    }
    std::size_t count;
    Aligned<Bf16> weight, gradient;
    Aligned<float> master;
    Aligned<State> m, v;
};

template <class State, bool has_master>
void run(std::vector<Tensor<State>>& tensors, AdamWTask<State, has_master> task,
         ThreadOrder order = ThreadOrder::forward) {
    std::vector<AdamWTensor<State>> views;
    for (Tensor<State>& tensor : tensors) views.push_back(tensor.view());
    const std::vector<AdamWChunk> chunks = adamw_chunks<has_master>(views);
    task.tensors = views.data(), task.chunks = chunks.data(), task.chunk_count = long(chunks.size());
    task.tensor_count = std::int32_t(views.size());
    require_valid(task);
    const AdamWStep step = step_of(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { adamw(t, task, step); });
}

// g = 2, m = v = 0, first step: both corrections undo (1 - beta), so m_hat = 2, v_hat = 4 and the move is the rate.
TEST(AdamWReference, the_first_step_moves_by_the_rate) {
    const auto after = reference::adamw({.weight = 10}, 2, {.rate = 0.5, .eps = 0, .decay = 0.1});
    EXPECT_NEAR(after.weight, 10 * 0.95 - 0.5, 1e-12);
    EXPECT_NEAR(after.m, 0.2, 1e-12);
    EXPECT_NEAR(after.v, 0.2, 1e-12);
}

TEST(AdamW, matches_the_reference_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        std::vector<Tensor<float>> tensors;
        for (const long count : {1l, 8195l, 0l, 2048l, 16384l, 7l}) tensors.emplace_back(count, 1 + count);
        std::vector<Tensor<float>> before = tensors;
        const float scale = 0.25f;
        run<float, true>(tensors, {.gradient_scale = &scale, .rate = 3e-3f, .step = 7}, order);
        const reference::AdamWParameters as{.rate = 3e-3f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.95f,
                                            .eps = 1e-20f,
                                            .decay = 0.1f,
                                            .gradient_scale = 0.25,
                                            .step = 7};
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            Tensor<float>&is = tensors[i], &was = before[i];
            for (std::size_t at = 0; at < is.count; ++at) {
                const auto should =
                    reference::adamw({was.master[at], was.m[at], was.v[at]}, to_float(was.gradient[at]), as);
                ASSERT_NEAR(is.master[at], should.weight, 1e-6 * std::abs(should.weight) + 1e-8);
                ASSERT_NEAR(is.m[at], should.m, 1e-6 * std::abs(should.m) + 1e-8);
                ASSERT_NEAR(is.v[at], should.v, 1e-6 * should.v);
                ASSERT_EQ(is.weight[at].bits, to_bf16(is.master[at]).bits);
            }
            EXPECT_EQ(is.master[is.count], 77);
            EXPECT_EQ(to_float(is.weight[is.count]), 77);
            EXPECT_EQ(is.m[is.count], 77);
        }
    }
}

bool beside(Bf16 is, double should) {  // one of the two BF16 numbers around it, or itself; a little float error allowed
    const double step = std::exp2(std::ilogb(should) - 7);
    return std::abs(to_float(is) - should) <= step * (1 + 1e-3);
}

template <bool has_master>
void expect_rounded_by_chance() {
    std::vector<Tensor<Bf16>> tensors;
    tensors.emplace_back(20005, 3);
    std::vector<Tensor<Bf16>> before = tensors, again = tensors, other = tensors;
    const AdamWTask<Bf16, has_master> task{.rate = 1e-3f, .step = 3, .seed = 5};
    run(tensors, task);
    run(again, task, ThreadOrder::shuffled);
    auto next = task;
    next.seed = 6;
    run(other, next);
    const reference::AdamWParameters as{.rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.95f, .decay = 0.1f, .step = 3};
    int same_as_other = 0;
    double bias = 0, expected_bias_scale = 0;
    for (std::size_t at = 0; at < tensors[0].count; ++at) {
        auto &is = tensors[0], &was = before[0];
        const double weight = has_master ? double(was.master[at]) : double(to_float(was.weight[at]));
        const auto should =
            reference::adamw({weight, to_float(was.m[at]), to_float(was.v[at])}, to_float(was.gradient[at]), as);
        ASSERT_TRUE(beside(is.m[at], should.m) && beside(is.v[at], should.v));
        if (has_master)
            ASSERT_NEAR(is.master[at], should.weight, 2e-6);
        else
            ASSERT_TRUE(beside(is.weight[at], should.weight));
        ASSERT_EQ(is.m[at].bits, again[0].m[at].bits);
        ASSERT_EQ(is.weight[at].bits, again[0].weight[at].bits);
        same_as_other += is.m[at].bits == other[0].m[at].bits;
        const double step = std::exp2(std::ilogb(should.v) - 7);
        bias += (to_float(is.v[at]) - should.v) / step, expected_bias_scale += 0.25;
    }
    EXPECT_NEAR(double(same_as_other) / 20005, 2.0 / 3, 0.05);  // p^2 + (1-p)^2 for p uniform
    EXPECT_LT(std::abs(bias), 5 * std::sqrt(expected_bias_scale));
}

TEST(AdamW, with_bf16_moments_rounds_by_chance) { expect_rounded_by_chance<true>(); }
TEST(AdamW, without_a_master_rounds_the_weight_by_chance) { expect_rounded_by_chance<false>(); }

// A hundredth of a BF16 step is lost by rounding to nearest; by chance it arrives on average.
TEST(StochasticRounding, keeps_the_mean_and_numbers_that_bf16_has) {
    const float x = 1.0f + 0.01f * 0x1p-7f;
    double sum = 0;
    const int draws = 400'000;
    for (int i = 0; i < draws; ++i) sum += double(to_float(round_by_chance(x, mixed_word(std::uint32_t(i))))) - 1;
    EXPECT_NEAR(sum / draws, 0.01 * 0x1p-7, 5 * 0x1p-7 * std::sqrt(0.01 / draws));
    for (const float has : {1.0f, -1.0f, 0.0f, -0.0f, 0x1p-133f, 3.389531389e38f})
        for (const std::uint32_t chance : {0u, 1u, 0xFFFFu}) EXPECT_EQ(to_float(round_by_chance(has, chance)), has);
    EXPECT_TRUE(std::isinf(to_float(round_by_chance(INFINITY, 0xFFFF))));
    EXPECT_TRUE(std::isnan(to_float(round_by_chance(NAN, 0xFFFF))));
    EXPECT_FALSE(std::isinf(to_float(round_by_chance(3.4028234e38f, 0xFFFF))));
}

// The three chances of a parameter and those of its neighbours are independent as far as a correlation shows.
TEST(StochasticRounding, chances_are_uniform_and_uncorrelated) {
    double sum = 0, with_m = 0, with_next = 0, with_weight = 0;
    const int packs = 20'000;
    const auto centred = [](std::uint32_t bits) { return double(bits & 0xFFFF) / 65536 - 0.5; };
    for (int pack = 0; pack < packs; ++pack) {
        const std::uint64_t bits = pack_bits_of(1, 1, 0, pack);
        for (int i = 0; i < 8; ++i) {
            const Chances is = chances_of(bits, i), next = chances_of(bits, (i + 1) % 8);
            sum += centred(is.moments);
            with_m += centred(is.moments) * centred(is.moments >> 16);
            with_weight += centred(is.moments) * centred(is.weight);
            with_next += centred(is.moments) * centred(next.moments);
        }
    }
    const double n = packs * 8.0, product = std::sqrt(n) / 12;  // deviation of a sum of n products
    EXPECT_LT(std::abs(sum), 5 * std::sqrt(n / 12));
    EXPECT_LT(std::abs(with_m), 5 * product);
    EXPECT_LT(std::abs(with_weight), 5 * product);
    EXPECT_LT(std::abs(with_next), 5 * product * 2);
}

TEST(AdamW, a_nan_gradient_stays_with_its_parameter) {
    std::vector<Tensor<float>> tensors;
    tensors.emplace_back(20, 4);
    tensors[0].gradient[9] = {0x7FC0};
    run<float, true>(tensors, {.rate = 1e-3f});
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(std::isnan(tensors[0].master[i]), i == 9);
}

// With eps = 1e-20 a parameter that never had a gradient must not become 0 / 0.
TEST(AdamW, no_gradient_ever_is_decay_alone) {
    std::vector<Tensor<float>> tensors;
    tensors.emplace_back(1, 4);
    tensors[0].gradient[0] = to_bf16(0), tensors[0].m[0] = tensors[0].v[0] = 0, tensors[0].master[0] = 2;
    run<float, true>(tensors, {.rate = 0.5f, .decay = 0.1f});
    EXPECT_FLOAT_EQ(tensors[0].master[0], 2 * 0.95f);
}

TEST(AdamW, work_is_28_20_and_14_bytes_a_parameter) {
    EXPECT_DOUBLE_EQ(AdamW{.parameters = 1}.work().bytes().si(), 28);
    EXPECT_DOUBLE_EQ((AdamW{.parameters = 1, .state_bytes = 2}.work().bytes().si()), 20);
    EXPECT_DOUBLE_EQ((AdamW{.parameters = 1, .state_bytes = 2, .master = false}.work().bytes().si()), 14);
}

TEST(AdamW, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(AdamWTask<float, true>{}));
    EXPECT_THROW(require_valid(AdamWTask<float, true>{.step = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(AdamWTask<float, true>{.chunk_count = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(AdamWTask<float, true>{.beta1 = 1}), std::invalid_argument);
    Tensor<float> tensor(8, 1);
    AdamWTensor<float> view = tensor.view();
    view.m += 1;
    EXPECT_THROW(adamw_chunks<true>(std::vector{view}), std::invalid_argument);
    view = tensor.view(), view.master = nullptr;
    EXPECT_THROW(adamw_chunks<true>(std::vector{view}), std::invalid_argument);
    EXPECT_NO_THROW(adamw_chunks<false>(std::vector{view}));
}

}  // namespace
}  // namespace strata
