#include "kernels/engram/engram_conv_body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kernels/engram/engram_conv_reference.hpp"
#include "kernels/engram/engram_short_conv.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

class Aligned {
public:
    explicit Aligned(std::size_t count) : packs_(count / 8 + 1) {}
    Bf16* data() { return packs_.data()->at; }
    Bf16& operator[](std::size_t i) { return data()[i]; }

private:
    std::vector<Pack<Bf16>> packs_;
};

// Sequences, each in one piece a launch, with the state between launches.
struct Conv {
    Conv(int of_hidden, int of_streams, std::vector<long> of_lengths)
        : hidden(std::size_t(of_hidden)),
          streams(std::size_t(of_streams)),
          lengths(std::move(of_lengths)),
          row(hidden * streams),
          weight(row),
          taps(4 * row),
          state(lengths.size() * kConvSlots * row) {
        std::mt19937_64 random(23);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < row; ++i) weight[i] = to_bf16(1 + 0.2f * normal(random));
        for (std::size_t i = 0; i < 4 * row; ++i) taps[i] = to_bf16(normal(random));
        for (std::size_t i = 0; i < lengths.size() * kConvSlots * row; ++i) state[i] = {0x7FC0};  // rubbish at first
        for (const long length : lengths) {
            values.emplace_back(std::size_t(length) * row);
            for (std::size_t i = 0; i < std::size_t(length) * row; ++i) values.back()[i] = to_bf16(2 * normal(random));
            outs.emplace_back(std::size_t(length) * row);
        }
        done.assign(lengths.size(), 0);
    }

    // The next `pieces[s]` tokens of each sequence.
    int run(const std::vector<long>& pieces, ThreadOrder order, bool in_place = false) {
        std::vector<std::int32_t> starts{0}, first_position;
        long most = 0;
        for (std::size_t s = 0; s < pieces.size(); ++s) {
            starts.push_back(starts.back() + std::int32_t(pieces[s]));
            first_position.push_back(std::int32_t(done[s]));
            most = std::max(most, pieces[s]);
        }
        const auto tokens = std::size_t(starts.back());
        Aligned in(tokens * row), out(tokens * row), next_state = state;
        for (std::size_t i = 0; i < tokens * row; ++i) out[i] = {0xFFFF};
        for (std::size_t s = 0; s < pieces.size(); ++s)
            std::copy_n(values[s].data() + std::size_t(done[s]) * row, std::size_t(pieces[s]) * row,
                        in.data() + std::size_t(starts[s]) * row);
        int error = 0;
        const EngramConvTask task{.values = in.data(),
                                  .weight = weight.data(),
                                  .taps = taps.data(),
                                  .starts = starts.data(),
                                  .first_position = first_position.data(),
                                  .state = state.data(),
                                  .next_state = in_place ? state.data() : next_state.data(),
                                  .out = out.data(),
                                  .error = &error,
                                  .tokens = long(tokens),
                                  .most_tokens = most,
                                  .sequences = int(pieces.size()),
                                  .hidden = int(hidden),
                                  .streams = int(streams)};
        require_valid(task);
        emulate(grid_of(task), order, [&](EmulatedThread& t) {
            if (is_decode(task))
                conv_packs(task.hidden) == 1 ? engram_conv_decode<1>(t, task) : engram_conv_decode<4>(t, task);
            else
                conv_packs(task.hidden) == 1 ? engram_conv<1>(t, task) : engram_conv<4>(t, task);
        });
        if (!in_place) state = next_state;
        for (std::size_t s = 0; s < pieces.size(); ++s) {
            std::copy_n(out.data() + std::size_t(starts[s]) * row, std::size_t(pieces[s]) * row,
                        outs[s].data() + std::size_t(done[s]) * row);
            done[s] += pieces[s];
        }
        return error;
    }

    reference::Rows rows_of(Aligned& of, std::size_t tokens, std::size_t stream) const {
        reference::Rows rows(tokens);
        for (std::size_t t = 0; t < tokens; ++t)
            for (std::size_t i = 0; i < hidden; ++i) rows[t].push_back(to_float(of[t * row + stream * hidden + i]));
        return rows;
    }

    void expect_as_defined() {
        for (std::size_t s = 0; s < lengths.size(); ++s)
            for (std::size_t stream = 0; stream < streams; ++stream) {
                const auto tokens = std::size_t(lengths[s]);
                const auto should = reference::engram_conv(
                    rows_of(values[s], tokens, stream), rows_of(weight, 1, stream)[0], rows_of(taps, 4, stream), 1e-20);
                const auto is = rows_of(outs[s], tokens, stream);
                for (std::size_t t = 0; t < tokens; ++t)
                    for (std::size_t i = 0; i < hidden; ++i)  // a BF16 step of n beside a tie, then one of the output
                        ASSERT_NEAR(is[t][i], should[t][i], 0x1p-8 * std::abs(should[t][i]) + 0.03)
                            << s << ' ' << stream << ' ' << t << ' ' << i;
            }
    }

    bool same_outs(Conv& other) {
        for (std::size_t s = 0; s < lengths.size(); ++s)
            for (std::size_t i = 0; i < std::size_t(lengths[s]) * row; ++i)
                if (outs[s][i].bits != other.outs[s][i].bits) return false;
        return true;
    }

    std::size_t hidden, streams;
    std::vector<long> lengths;
    std::size_t row;
    Aligned weight, taps, state;
    std::vector<Aligned> values, outs;
    std::vector<long> done;
};

// One channel pack of ones: the norm of a row of equal values is 1 (times the weight, 1), so with taps 1, 2, 4, 8 for
// t - 9, t - 6, t - 3 and t: y_0 = 8, y_3 = 12, y_6 = 14, y_9 = 15, and out = v + silu(y), silu(y) = y up to 0.003.
TEST(EngramConv, by_hand) {
    Conv is(8, 1, {10});
    for (std::size_t i = 0; i < 8; ++i) {
        is.weight[i] = to_bf16(1);
        for (std::size_t k = 0; k < 4; ++k) is.taps[k * 8 + i] = to_bf16(float(1 << k));
        for (std::size_t t = 0; t < 10; ++t) is.values[0][t * 8 + i] = to_bf16(32);
    }
    EXPECT_EQ(is.run({10}, ThreadOrder::forward), 0);
    const float expected[] = {40, 40, 40, 44, 44, 44, 46, 46, 46, 47};
    for (std::size_t t = 0; t < 10; ++t) EXPECT_EQ(to_float(is.outs[0][t * 8 + 3]), expected[t]);
}

TEST(EngramConv, matches_the_reference_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        Conv is(40, 2, {23, 1, 2});
        EXPECT_EQ(is.run({23, 1, 2}, order), 0);
        is.expect_as_defined();
    }
    Conv wide(5128, 1, {13});  // packs of four threads, the last of them of few
    EXPECT_EQ(wide.run({13}, ThreadOrder::shuffled), 0);
    wide.expect_as_defined();
}

// 8192 tokens of four sequences: 683 rows in each of 48 classes. In two turns of 132 blocks 24 classes have 5 spans of
// 137 rows and 24 have 6 of 114, which cost 137 + 114 + 20.
TEST(EngramConv, spans_fill_the_gpu_a_whole_number_of_times) {
    EXPECT_EQ(conv_blocks(2048, 48, 132), 264);
    EXPECT_EQ(conv_blocks(2048, 48, 264), 528);  // 11 of 63
    EXPECT_EQ(conv_blocks(3 * 68, 3, 132), 6);   // spans have at least 32 rows
    EXPECT_EQ(conv_blocks(3 * 20, 3, 132), 3);
    EXPECT_EQ(conv_blocks(30, 1200, 132), 1200);
    EXPECT_EQ(conv_blocks(0, 3, 132), 3);
}

TEST(EngramConv, every_span_of_every_class_has_a_block_longer_ones_first) {
    for (const long blocks : {48L, 70L, 96L, 264L, 299L}) {
        std::vector<std::vector<int>> seen(48);
        int before = 1;
        for (long block = 0; block < blocks; ++block) {
            const ConvSpan one = conv_span(block, blocks, 48);
            EXPECT_GE(one.spans, before);
            before = one.spans;
            auto& spans = seen.at(std::size_t(one.which));
            if (spans.empty()) spans.resize(std::size_t(one.spans));
            ASSERT_EQ(int(spans.size()), one.spans);
            ++spans.at(std::size_t(one.span));
        }
        for (const auto& spans : seen) {
            EXPECT_FALSE(spans.empty());
            for (const int times : spans) EXPECT_EQ(times, 1);
        }
    }
}

constexpr long kTwoSpans = 3 * 68;

TEST(EngramConv, a_long_sequence_is_cut_into_spans) {
    Conv is(8, 1, {kTwoSpans});
    EXPECT_EQ(grid_of(EngramConvTask{.most_tokens = kTwoSpans, .sequences = 1, .hidden = 8, .streams = 1}).blocks, 6);
    EXPECT_EQ(is.run({is.lengths[0]}, ThreadOrder::reversed), 0);
    is.expect_as_defined();
}

TEST(EngramConv, chunks_and_decode_give_the_same_bits) {
    const long length = kTwoSpans + 17;
    Conv whole(8, 1, {length, 24});
    EXPECT_EQ(whole.run({length, 24}, ThreadOrder::forward), 0);
    Conv cut(8, 1, {length, 24});
    for (const auto& pieces : std::vector<std::vector<long>>{{5, 0}, {length - 11, 1}, {2, 7}, {0, 3}})
        EXPECT_EQ(cut.run(pieces, ThreadOrder::shuffled), 0);
    for (int step = 0; step < 4; ++step) EXPECT_EQ(cut.run({1, 1}, ThreadOrder::forward, step > 1), 0);
    EXPECT_EQ(cut.run({0, 9}, ThreadOrder::forward), 0);
    EXPECT_TRUE(cut.same_outs(whole));
}

// Of 64 streams four sequences are decoded at once, so that a block takes a second one, or a third that has no token.
TEST(EngramConv, decode_takes_sequence_after_sequence) {
    const std::vector<long> lengths(9, 5);
    Conv whole(8, 64, lengths), cut(8, 64, lengths);
    EXPECT_EQ(whole.run(lengths, ThreadOrder::forward), 0);
    EXPECT_EQ(cut.run(std::vector<long>(9, 3), ThreadOrder::forward), 0);
    for (const auto& pieces : std::vector<std::vector<long>>{
             {1, 1, 0, 1, 0, 1, 1, 1, 1}, {1, 0, 1, 1, 1, 1, 0, 1, 0}, {0, 1, 1, 0, 1, 0, 1, 0, 1}})
        EXPECT_EQ(cut.run(pieces, ThreadOrder::shuffled, true), 0);
    EXPECT_TRUE(cut.same_outs(whole));
}

TEST(EngramConv, reports_sequences_that_make_no_sense) {
    for (const std::vector<std::int32_t>& starts :
         {std::vector<std::int32_t>{0, 9}, std::vector<std::int32_t>{-1, 2}, std::vector<std::int32_t>{2, 1}}) {
        Aligned in(4 * 8), out(4 * 8), state(9 * 8), next(9 * 8), weight(8), taps(32);
        const std::int32_t position = 0;
        int error = 0;
        const EngramConvTask task{.values = in.data(),
                                  .weight = weight.data(),
                                  .taps = taps.data(),
                                  .starts = starts.data(),
                                  .first_position = &position,
                                  .state = state.data(),
                                  .next_state = next.data(),
                                  .out = out.data(),
                                  .error = &error,
                                  .tokens = 4,
                                  .most_tokens = 4,
                                  .sequences = 1,
                                  .hidden = 8,
                                  .streams = 1};
        emulate(grid_of(task), ThreadOrder::forward, [&](EmulatedThread& t) { engram_conv<1>(t, task); });
        EXPECT_EQ(error, 1);
    }
}

TEST(EngramConv, work_of_a_prompt_is_one_reading_and_one_writing) {
    EXPECT_DOUBLE_EQ((EngramShortConv{.tokens = 1, .hidden = 1}.work().bytes().si()), 4 * (2 + 2));
    EXPECT_DOUBLE_EQ((EngramShortConv{.tokens = 1, .hidden = 1, .decode = true}.work().bytes().si()), 4 * (8 + 4));
}

TEST(EngramConv, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(EngramConvTask{.hidden = 8}));
    EXPECT_THROW(require_valid(EngramConvTask{.hidden = 9}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramConvTask{.hidden = 7688}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramConvTask{.tokens = 1, .most_tokens = 1, .sequences = 1, .hidden = 8}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace strata
