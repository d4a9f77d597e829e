#include "kernels/engram/engram_gate_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/engram/engram_gate_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

template <class T>
class Aligned {
public:
    explicit Aligned(std::size_t count) : packs_((count + Pack<T>::kSize - 1) / Pack<T>::kSize) {}
    T* data() { return packs_.data()->at; }
    T& operator[](std::size_t i) { return data()[i]; }

private:
    std::vector<Pack<T>> packs_;
};

struct Gate {
    Gate(long tokens, int hidden, int streams)
        : sites(std::size_t(tokens * streams)),
          width(std::size_t(hidden)),
          x(sites * width),
          kv((sites + std::size_t(tokens)) * width),
          out(sites * width),
          weight(std::size_t(streams) * width),
          live(std::size_t(tokens), 1),
          gate(sites),
          dot(sites),
          rstd_x(sites),
          rstd_k(sites) {
        std::mt19937_64 random(11);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < sites * width; ++i) x[i] = to_bf16(normal(random)), out[i] = {0xFFFF};
        for (std::size_t i = 0; i < (sites + std::size_t(tokens)) * width; ++i) kv[i] = to_bf16(3 * normal(random));
        for (std::size_t i = 0; i < std::size_t(streams) * width; ++i) weight[i] = 1 + 0.3f * normal(random);
        task = {.x = x.data(),
                .kv = kv.data(),
                .weight = weight.data(),
                .live = live.data(),
                .out = out.data(),
                .gate = gate.data(),
                .dot = dot.data(),
                .rstd_x = rstd_x.data(),
                .rstd_k = rstd_k.data(),
                .tokens = tokens,
                .hidden = hidden,
                .streams = streams};
    }

    template <int packs>
    void run(ThreadOrder order, int blocks = 0) {
        require_valid(task);
        Grid grid = grid_of(task);  // a kernel made for wider rows takes narrow ones too, in more shared memory
        const int held = gate_packs(task.hidden), more = packs * gate_places(packs) - held * gate_places(held);
        if (more > 0) grid.shared_bytes += std::size_t(more) * std::size_t(grid.threads) * 16;
        if (blocks > 0) grid.blocks = blocks;
        emulate(grid, order, [&](EmulatedThread& t) { engram_gate<packs>(t, task); });
    }

    static std::vector<double> row(Aligned<Bf16>& of, std::size_t index, std::size_t width) {
        std::vector<double> values;
        for (std::size_t i = 0; i < width; ++i) values.push_back(to_float(of[index * width + i]));
        return values;
    }

    reference::EngramGate should(std::size_t token, std::size_t stream) {
        const auto streams = std::size_t(task.streams);
        std::vector<double> weights;
        for (std::size_t i = 0; i < width; ++i) weights.push_back(weight[stream * width + i]);
        return reference::engram_gate(row(x, token * streams + stream, width),
                                      row(kv, token * (streams + 1) + stream, width),
                                      row(kv, token * (streams + 1) + streams, width), weights, live[token], task.eps);
    }

    std::size_t sites, width;
    Aligned<Bf16> x, kv, out;
    Aligned<float> weight;
    std::vector<std::uint8_t> live;
    std::vector<float> gate, dot, rstd_x, rstd_k;
    EngramGateTask task;
};

// Holds every output against the reference; the sum over all of the squared differences from the reference's BF16, as
// a part of the squares, is what TileKernels keeps below 2e-10 (facts B8).
void expect_as_defined(Gate& is) {
    double different = 0, squares = 0;
    for (std::size_t token = 0; token < std::size_t(is.task.tokens); ++token)
        for (std::size_t stream = 0; stream < std::size_t(is.task.streams); ++stream) {
            const auto should = is.should(token, stream);
            const std::size_t site = token * std::size_t(is.task.streams) + stream;
            EXPECT_NEAR(is.rstd_x[site], should.rstd_x, 2e-6 * should.rstd_x);
            EXPECT_NEAR(is.rstd_k[site], should.rstd_k, 2e-6 * should.rstd_k);
            EXPECT_NEAR(is.dot[site], should.dot, 2e-5);
            EXPECT_NEAR(is.gate[site], should.gate, 2e-5);
            for (std::size_t i = 0; i < is.width; ++i) {
                const double one = to_float(is.out[site * is.width + i]);
                EXPECT_NEAR(one, should.out[i], 0x1p-8 * std::abs(should.out[i]) + 1e-5);
                const double rounded = to_float(to_bf16(float(should.out[i])));
                different += (one - rounded) * (one - rounded), squares += one * one + rounded * rounded;
            }
        }
    EXPECT_LT(different / squares, 2e-10);
}

TEST(EngramGate, matches_the_reference_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        Gate is(9, 1048, 4);  // 131 packs: the second of a thread is not always there
        is.live[3] = 0;
        is.run<3>(order, 2);  // a block takes tokens 0, 2 ... 8: every turn and back
        expect_as_defined(is);
    }
}

TEST(EngramGate, other_sizes_and_streams) {
    Gate one(1, 8, 1), three(3, 264, 3), wide(1, 5120, 2);
    one.run<3>(ThreadOrder::forward);
    expect_as_defined(one);
    three.run<8>(ThreadOrder::shuffled);
    expect_as_defined(three);
    wide.run<5>(ThreadOrder::reversed);
    expect_as_defined(wide);
}

// x = 1 everywhere, key = 2, weight = 1, H = 16: both norms give 1, so dot = 16 / 4 = 4 and the gate is sigmoid(2).
TEST(EngramGate, by_hand) {
    Gate is(1, 16, 1);
    for (std::size_t i = 0; i < 16; ++i)
        is.x[i] = to_bf16(1), is.kv[i] = to_bf16(2), is.kv[16 + i] = to_bf16(8), is.weight[i] = 1;
    is.run<3>(ThreadOrder::forward);
    EXPECT_FLOAT_EQ(is.rstd_k[0], 0.5f);
    EXPECT_FLOAT_EQ(is.dot[0], 4);
    EXPECT_NEAR(is.gate[0], 0.880797, 1e-6);
    EXPECT_EQ(to_float(is.out[3]), 8.0625f);  // 1 + 8 * 0.880797 = 8.0464, to the nearest sixteenth
    for (std::size_t i = 0; i < 16; ++i) is.kv[i] = to_bf16(-2);
    is.run<3>(ThreadOrder::forward);
    EXPECT_NEAR(is.gate[0], 1 - 0.880797, 1e-6);
}

TEST(EngramGate, zeros_open_it_by_half) {
    Gate is(1, 16, 1);
    for (std::size_t i = 0; i < 16; ++i) is.kv[i] = to_bf16(0);
    is.run<3>(ThreadOrder::forward);
    EXPECT_EQ(is.dot[0], 0);
    EXPECT_EQ(is.gate[0], 0.5f);
    EXPECT_FLOAT_EQ(engram_gate_of(1e-30f), engram_gate_of(1e-7f));  // from there on the root is 1e-3
    EXPECT_NEAR(engram_gate_of(-1e-30f), 0.49975, 1e-7);
}

TEST(EngramGate, a_token_that_is_not_live_passes_through_whatever_its_rows_hold) {
    Gate is(2, 16, 2);
    is.live[1] = 0;
    for (std::size_t i = 3 * 16; i < 6 * 16; ++i) is.kv[i] = {0x7FC0};
    is.run<3>(ThreadOrder::forward);
    EXPECT_EQ(is.gate[2], 0);
    for (std::size_t i = 2 * 16; i < 4 * 16; ++i) EXPECT_EQ(is.out[i].bits, is.x[i].bits);
}

TEST(EngramGate, a_nan_stays_in_its_stream) {
    Gate is(1, 16, 2);
    is.kv[5] = {0x7FC0};  // in the key of stream 0
    is.run<3>(ThreadOrder::forward);
    EXPECT_TRUE(std::isnan(to_float(is.out[0])));
    EXPECT_FALSE(std::isnan(to_float(is.out[16])));
}

TEST(EngramGate, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(EngramGateTask{.hidden = 8}));
    EXPECT_THROW(require_valid(EngramGateTask{.hidden = 12}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramGateTask{.hidden = 8200}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramGateTask{.hidden = 8, .streams = 5}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramGateTask{.tokens = 1, .hidden = 8}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
