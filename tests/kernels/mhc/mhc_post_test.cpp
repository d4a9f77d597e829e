#include "kernels/mhc/mhc_post_body.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/mhc/mhc_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

struct Operands {
    Operands(long tokens_, long hidden_, std::size_t gates) : tokens(tokens_), hidden(hidden_) {
        std::mt19937_64 random(3);
        std::normal_distribution<float> values;
        const auto n = std::size_t(tokens * hidden);
        layer_out.resize(n), residual.resize(4 * n);
        for (Bf16& x : layer_out) x = to_bf16(values(random));
        for (Bf16& x : residual) x = to_bf16(values(random));
        post.resize(gates * 4), comb.resize(gates * 16);
        for (float& x : post) x = values(random);
        for (float& x : comb) x = values(random);
    }
    MhcPostTask task(Bf16* out, bool constant_gates) const {
        return {.layer_out = layer_out.data(),
                .residual = residual.data(),
                .post = post.data(),
                .comb = comb.data(),
                .out = out,
                .tokens = tokens,
                .hidden = hidden,
                .constant_gates = constant_gates};
    }
    long tokens, hidden;
    std::vector<Bf16> layer_out, residual;
    std::vector<float> post, comb;
};

std::vector<double> as_double(const std::vector<Bf16>& in, std::size_t first, std::size_t count) {
    std::vector<double> all;
    for (std::size_t i = first; i < first + count; ++i) all.push_back(to_float(in[i]));
    return all;
}

void expect_spread(const std::vector<Bf16>& is, const Operands& operands, bool constant_gates) {
    const auto h = std::size_t(operands.hidden);
    for (std::size_t t = 0; t < std::size_t(operands.tokens); ++t) {
        const std::size_t gates = constant_gates ? 0 : t;
        std::array<double, 4> post;
        std::array<double, 16> comb;
        std::copy_n(&operands.post[gates * 4], 4, post.begin());
        std::copy_n(&operands.comb[gates * 16], 16, comb.begin());
        const auto layer_out = as_double(operands.layer_out, t * h, h);
        const auto residual = as_double(operands.residual, t * 4 * h, 4 * h);
        const auto should = reference::spread(layer_out.data(), residual.data(), operands.hidden, post, comb);
        for (std::size_t i = 0; i < 4 * h; ++i)  // one rounding to BF16
            ASSERT_NEAR(to_float(is[t * 4 * h + i]), should[i], 1e-6 + std::abs(should[i]) / 256);
    }
}

// One token, all streams 1, 2, 3, 4, layer's output 10, post 0.5, 0, 0, 1; comb moves stream 0 to 1, 1 to 0, keeps 2
// twice and drops 3: out = 5 + 2, 1, 2 * 3, 10.
TEST(MhcPost, mixes_streams_as_a_pencil_does) {
    Operands operands(1, 8, 1);
    for (std::size_t i = 0; i < 32; ++i) operands.residual[i] = to_bf16(float(1 + i / 8));
    for (Bf16& x : operands.layer_out) x = to_bf16(10);
    operands.post = {0.5f, 0, 0, 1};
    operands.comb.assign(16, 0);
    operands.comb[0 * 4 + 1] = 1, operands.comb[1 * 4 + 0] = 1, operands.comb[2 * 4 + 2] = 2;
    std::vector<Bf16> out(32);
    const MhcPostTask task = operands.task(out.data(), false);
    emulate(grid_of(task), ThreadOrder::forward, [&](EmulatedThread& t) { mhc_post(t, task); });
    for (std::size_t x = 0; x < 8; ++x) {
        EXPECT_EQ(to_float(out[x]), 7);
        EXPECT_EQ(to_float(out[8 + x]), 1);
        EXPECT_EQ(to_float(out[16 + x]), 6);
        EXPECT_EQ(to_float(out[24 + x]), 10);
    }
}

TEST(MhcPost, matches_the_reference_in_every_thread_order_and_in_place) {
    const Operands operands(7, 344, 7);  // 301 threads of two blocks have something to do
    for (const ThreadOrder order : kThreadOrders)
        for (const bool in_place : {false, true}) {
            std::vector<Bf16> out = in_place ? operands.residual : std::vector<Bf16>(operands.residual.size());
            MhcPostTask task = operands.task(out.data(), false);
            if (in_place) task.residual = out.data();
            require_valid(task);
            emulate(grid_of(task), order, [&](EmulatedThread& t) { mhc_post(t, task); });
            expect_spread(out, operands, false);
        }
}

TEST(HyperConnections, of_the_static_form_have_one_set_of_gates) {
    const Operands operands(3, 64, 1);
    std::vector<Bf16> out(operands.residual.size()), in(std::size_t(3 * 64));
    const MhcPostTask spread = operands.task(out.data(), true);
    emulate(grid_of(spread), ThreadOrder::reversed, [&](EmulatedThread& t) { mhc_post(t, spread); });
    expect_spread(out, operands, true);

    const MhcGatherTask gather{.residual = operands.residual.data(),
                               .pre = operands.post.data(),
                               .layer_in = in.data(),
                               .tokens = 3,
                               .hidden = 64,
                               .constant_gates = true};
    require_valid(gather);
    emulate(grid_of(gather), ThreadOrder::reversed, [&](EmulatedThread& t) { mhc_gather(t, gather); });
    for (std::size_t t = 0; t < 3; ++t) {
        const auto streams = as_double(operands.residual, t * 256, 256);
        const float* pre = operands.post.data();
        const auto should = reference::layer_in(streams.data(), 64, {pre[0], pre[1], pre[2], pre[3]});
        for (std::size_t x = 0; x < 64; ++x)
            EXPECT_NEAR(to_float(in[t * 64 + x]), should[x], 1e-6 + std::abs(should[x]) / 256);
    }
}

TEST(MhcPost, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(MhcPostTask{.tokens = 0, .hidden = 8}));
    EXPECT_THROW(require_valid(MhcPostTask{.tokens = 1, .hidden = 8}), std::invalid_argument);
    EXPECT_THROW(require_valid(MhcPostTask{.tokens = 0, .hidden = 12}), std::invalid_argument);
    EXPECT_THROW(require_valid(MhcGatherTask{.tokens = -1, .hidden = 8}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
