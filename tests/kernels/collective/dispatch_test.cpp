#include "kernels/collective/dispatch_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/collective/dispatch_reference.hpp"
#include "kernels/moe/combine_body.hpp"
#include "kernels/moe/permute_body.hpp"
#include "kernels/quant/quantise_body.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Integers = std::vector<std::int32_t>;

struct Layout {
    Integers expert_counts, rank_counts, rank_offsets, pair_of_row, rank_of_row, row_of_pair;
    long rows() const { return rank_offsets.back(); }
};

Layout laid_out(const Integers& expert_of_pair, int k, int experts, int ranks,
                ThreadOrder order = ThreadOrder::shuffled) {
    const std::size_t pairs = expert_of_pair.size();
    Integers rank_of_pair(pairs, -7);
    Layout out{Integers(std::size_t(experts), -7),
               Integers(std::size_t(ranks)),
               Integers(std::size_t(ranks) + 1),
               Integers(pairs, -7),
               Integers(pairs, -7),
               Integers(pairs, -7)};
    const DispatchLayoutTask task{.expert_of_pair = expert_of_pair.data(),
                                  .rank_of_pair = rank_of_pair.data(),
                                  .expert_counts = out.expert_counts.data(),
                                  .rank_counts = out.rank_counts.data(),
                                  .rank_offsets = out.rank_offsets.data(),
                                  .pair_of_row = out.pair_of_row.data(),
                                  .rank_of_row = out.rank_of_row.data(),
                                  .row_of_pair = out.row_of_pair.data(),
                                  .tokens = long(pairs) / k,
                                  .k = k,
                                  .experts = experts,
                                  .ranks = ranks};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { lay_out_dispatch(t, task); });
    return out;
}

struct Packed {
    std::vector<Bf16> rows;
    std::vector<E4m3> codes;
    std::vector<float> scales;
    Integers local_experts;
    std::vector<float> weights;
};

Packed packed(const std::vector<Bf16>& in, const Integers& expert_of_pair, const std::vector<float>& weights,
              const Layout& layout, PackTask task, bool fp8, ThreadOrder order = ThreadOrder::shuffled) {
    task.tokens = long(expert_of_pair.size()) / task.k, task.rows = layout.rows();
    const std::size_t elements = std::size_t(task.rows * task.hidden), pairs = std::size_t(task.rows * task.k);
    Packed out;
    out.local_experts.assign(pairs, -7), out.weights.assign(pairs, -7);
    if (fp8)
        out.codes.assign(elements, {0xEE}), out.scales.assign(elements / 128, -7);
    else
        out.rows.assign(elements, {0xEEEE});
    task.in = in.data(), task.expert_of_pair = expert_of_pair.data(), task.weight_of_pair = weights.data();
    task.row_of_pair = layout.row_of_pair.data();
    task.out_bf16 = out.rows.data(), task.out_fp8 = out.codes.data(), task.scales = out.scales.data();
    task.local_experts = out.local_experts.data(), task.weights = out.weights.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) {
        if (fp8)
            pack_tokens<true>(t, task);
        else
            pack_tokens<false>(t, task);
    });
    return out;
}

Integers random_routes(long tokens, int k, int experts, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Integers all;
    for (long token = 0; token < tokens; ++token) {
        Integers order(static_cast<std::size_t>(experts));
        for (int expert = 0; expert < experts; ++expert) order[std::size_t(expert)] = expert;
        std::ranges::shuffle(order, random);
        for (int i = 0; i < k; ++i) all.push_back(random() % 10 == 0 ? -1 : order[std::size_t(i)]);
    }
    return all;
}

std::vector<Bf16> small_integers(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Bf16> all(count);
    for (Bf16& one : all) one = to_bf16(float(int(random() % 17) - 8));
    return all;
}

template <class T>
std::vector<T> part(const std::vector<T>& all, long first, long count) {
    return {all.begin() + first, all.begin() + first + count};
}

Integers bits_of(const std::vector<Bf16>& values) {
    Integers bits;
    for (const Bf16 x : values) bits.push_back(x.bits);
    return bits;
}

// Two ranks of two experts. Token 0: experts 3 and 2, both rank 1; token 1: 0 and 3; token 2: dead; token 3: 1.
TEST(DispatchReference, hand_made) {
    const auto is = reference::dispatch({3, 2, 0, 3, -1, -1, 1, 99}, 2, 4, 2);
    EXPECT_EQ(is.expert_counts, (Integers{1, 1, 1, 2}));
    EXPECT_EQ(is.rank_offsets, (Integers{0, 2, 4}));
    EXPECT_EQ(is.token_of_row, (Integers{1, 3, 0, 1}));
    EXPECT_EQ(is.row_of_pair, (Integers{2, -1, 0, 3, -1, -1, 1, -1}));
}

TEST(DispatchLayout, matches_the_reference_in_every_thread_order) {
    const int k = 6, experts = 36, ranks = 12;
    // One block, and a cluster whose blocks add up five experts each, the last one.
    for (const long tokens : {301, 1000})
        for (const ThreadOrder order : kThreadOrders) {
            Integers routes = random_routes(tokens, k, experts, 1);
            routes[7] = 36, routes[8] = -2147483647;  // there are no such experts
            const auto should = reference::dispatch(routes, k, experts, ranks);
            const Layout is = laid_out(routes, k, experts, ranks, order);
            EXPECT_EQ(is.expert_counts, should.expert_counts);
            EXPECT_EQ(is.rank_offsets, should.rank_offsets);
            EXPECT_EQ(is.row_of_pair, should.row_of_pair);
            for (long row = 0; row < is.rows(); ++row) {
                EXPECT_EQ(is.pair_of_row[std::size_t(row)] / k, should.token_of_row[std::size_t(row)]);
                const std::int32_t rank = is.rank_of_row[std::size_t(row)];
                EXPECT_GE(row, should.rank_offsets[std::size_t(rank)]);
                EXPECT_LT(row, should.rank_offsets[std::size_t(rank) + 1]);
            }
        }
}

TEST(DispatchLayout, no_tokens_and_dead_tokens) {
    EXPECT_EQ(laid_out({}, 2, 4, 2).rank_offsets, (Integers{0, 0, 0}));
    const Layout dead = laid_out({-1, -1, -1, -1}, 2, 4, 2);
    EXPECT_EQ(dead.rank_offsets, (Integers{0, 0, 0}));
    EXPECT_EQ(dead.expert_counts, (Integers{0, 0, 0, 0}));
    EXPECT_EQ(dead.row_of_pair, (Integers{-1, -1, -1, -1}));
}

TEST(Pack, fp8_rows_are_those_of_quantisation_bit_for_bit) {
    const long tokens = 7, hidden = 4480;  // 35 tiles: a last warp is half full, a second turn of loads
    const int experts = 12, ranks = 4;
    std::vector<Bf16> in(std::size_t(tokens * hidden));
    std::mt19937_64 random(2);
    std::normal_distribution<float> values;
    for (Bf16& one : in) one = to_bf16(values(random));
    for (const int k : {3, 10})
        for (const bool power_of_two : {false, true}) {
            std::vector<E4m3> codes(in.size());
            std::vector<float> scales(in.size() / 128);
            const QuantiseTilesTask alone{.in = in.data(),
                                          .out = codes.data(),
                                          .scales = {.fp32 = scales.data(), .power_of_two = power_of_two},
                                          .rows = tokens,
                                          .width = hidden};
            emulate(grid_of(alone), ThreadOrder::forward, [&](EmulatedThread& t) { quantise_tiles(t, alone); });
            const Integers routes = random_routes(tokens, k, experts, 3);
            const Layout layout = laid_out(routes, k, experts, ranks);
            for (const ThreadOrder order : kThreadOrders) {
                const Packed is =
                    packed(in, routes, std::vector<float>(routes.size(), 1), layout,
                           {.hidden = hidden, .k = k, .experts = experts, .ranks = ranks, .power_of_two = power_of_two},
                           true, order);
                for (long row = 0; row < layout.rows(); ++row) {
                    const long token = layout.pair_of_row[std::size_t(row)] / k;
                    for (long x = 0; x < hidden; ++x)
                        ASSERT_EQ(is.codes[std::size_t(row * hidden + x)].bits,
                                  codes[std::size_t(token * hidden + x)].bits);
                    EXPECT_EQ(part(is.scales, row * 35, 35), part(scales, token * 35, 35));
                }
            }
        }
}

TEST(Pack, a_row_tells_its_rank_which_of_its_experts_and_their_weights) {
    const Integers routes{3, 2, 0, 3, -1, -1, 1, 99};  // as in the hand-made reference
    const std::vector<float> weights{1, 2, 3, 4, 5, 6, 7, 8};
    const Layout layout = laid_out(routes, 2, 4, 2);
    const Packed is = packed(small_integers(4 * 128, 4), routes, weights, layout,
                             {.hidden = 128, .k = 2, .experts = 4, .ranks = 2}, false);
    EXPECT_EQ(is.local_experts, (Integers{0, -1, 1, -1, 1, 0, -1, 1}));
    EXPECT_EQ(is.weights, (std::vector<float>{3, 0, 7, 0, 1, 2, 0, 4}));
}

// One rank's tensor of tokens under a layout that was made once.
TEST(Pack, a_layout_is_used_again_for_other_tensors) {
    const int k = 4, experts = 16, ranks = 4;
    const Integers routes = random_routes(20, k, experts, 5);
    const Layout layout = laid_out(routes, k, experts, ranks);
    for (const std::uint64_t seed : {6u, 7u}) {
        const std::vector<Bf16> in = small_integers(20 * 256, seed);
        const Packed is = packed(in, routes, std::vector<float>(routes.size(), 1), layout,
                                 {.hidden = 256, .k = k, .experts = experts, .ranks = ranks}, false);
        for (long row = 0; row < layout.rows(); ++row)
            EXPECT_EQ(bits_of(part(is.rows, row * 256, 256)),
                      bits_of(part(in, layout.pair_of_row[std::size_t(row)] / k * 256, 256)));
    }
}

// What one rank does with the rows that it received: by expert, through experts (which multiply by their number plus
// one), and the weighted sum of each row's experts.
std::vector<Bf16> computed_by_experts(const std::vector<Bf16>& rows, const Integers& local_experts,
                                      const std::vector<float>& weights, long hidden, int k, int experts, int first) {
    const long count = long(rows.size()) / hidden;
    Integers counts(experts + 0UL), offsets(experts + 1UL), pair_of_slot(std::size_t(slots_for(count * k, experts, 8))),
        slot_of_pair(std::size_t(count * k)), expert_of_tile(pair_of_slot.size() / 8);
    const AlignTask order{.expert_of_pair = local_experts.data(),
                          .counts = counts.data(),
                          .offsets = offsets.data(),
                          .pair_of_slot = pair_of_slot.data(),
                          .slot_of_pair = slot_of_pair.data(),
                          .expert_of_tile = expert_of_tile.data(),
                          .pairs = count * k,
                          .slots = long(pair_of_slot.size()),
                          .experts = experts,
                          .tile = 8};
    require_valid(order);
    emulate(grid_of(order), ThreadOrder::reversed, [&](EmulatedThread& t) { align(t, order); });
    std::vector<Bf16> by_expert(pair_of_slot.size() * std::size_t(hidden)), out(rows.size());
    const PermuteTask there{.in = reinterpret_cast<const std::uint8_t*>(rows.data()),
                            .out = reinterpret_cast<std::uint8_t*>(by_expert.data()),
                            .slot_of_pair = slot_of_pair.data(),
                            .pair_of_slot = pair_of_slot.data(),
                            .used = &offsets.back(),
                            .tokens = count,
                            .slots = order.slots,
                            .row_bytes = hidden * 2,
                            .k = k};
    require_valid(there);
    emulate(grid_of(there), ThreadOrder::forward, [&](EmulatedThread& t) { permute(t, there); });
    for (std::size_t tile = 0; tile < expert_of_tile.size(); ++tile)
        for (std::size_t at = tile * 8 * std::size_t(hidden); at < (tile + 1) * 8 * std::size_t(hidden); ++at)
            by_expert[at] = to_bf16(to_float(by_expert[at]) * float(first + expert_of_tile[tile] + 1));
    const CombineTask back{.rows = by_expert.data(),
                           .slot_of_pair = slot_of_pair.data(),
                           .weights = weights.data(),
                           .out = out.data(),
                           .tokens = count,
                           .slots = order.slots,
                           .hidden = hidden,
                           .k = k};
    require_valid(back);
    emulate(grid_of(back), ThreadOrder::forward, [&](EmulatedThread& t) { combine(t, back); });
    return out;
}

// Three ranks, each with its own tokens, send, compute and add up. Numbers are such that nothing is rounded, so the
// result is that of one rank with all experts, to the bit: sum over experts of weight * (expert + 1) * x.
TEST(ExpertParallel, a_round_trip_is_exact) {
    const int ranks = 3, experts = 6, k = 4;
    const long tokens = 9, hidden = 128;
    std::vector<Integers> routes;
    std::vector<Layout> layouts;
    std::vector<std::vector<Bf16>> in, returned;
    std::vector<std::vector<float>> weights;
    std::vector<Packed> sent;
    for (int rank = 0; rank < ranks; ++rank) {
        routes.push_back(random_routes(tokens, k, experts, std::uint64_t(rank)));
        for (int pair = 0; pair < k; ++pair) routes.back()[std::size_t(pair)] = -1;  // a token that goes nowhere
        in.push_back(small_integers(std::size_t(tokens * hidden), std::uint64_t(10 + rank)));
        weights.push_back({});
        for (std::size_t pair = 0; pair < routes.back().size(); ++pair)
            weights.back().push_back(pair % 2 == 0 ? 0.5f : 0.25f);
        layouts.push_back(laid_out(routes.back(), k, experts, ranks));
        sent.push_back(packed(in.back(), routes.back(), weights.back(), layouts.back(),
                              {.hidden = hidden, .k = k, .experts = experts, .ranks = ranks}, false));
        returned.emplace_back(sent.back().rows.size());
    }
    for (int to = 0; to < ranks; ++to)
        for (int from = 0; from < ranks; ++from) {  // rows of one sender at a time: the order of arrival
            const long first = layouts[from].rank_offsets[to], count = layouts[from].rank_offsets[to + 1] - first;
            const std::vector<Bf16> back = computed_by_experts(part(sent[from].rows, first * hidden, count * hidden),
                                                               part(sent[from].local_experts, first * k, count * k),
                                                               part(sent[from].weights, first * k, count * k), hidden,
                                                               k, experts / ranks, to * (experts / ranks));
            std::ranges::copy(back, returned[from].begin() + first * hidden);
        }
    for (int rank = 0; rank < ranks; ++rank) {
        std::vector<Bf16> out(std::size_t(tokens * hidden));
        const CombineTask sum{.rows = returned[rank].data(),
                              .slot_of_pair = layouts[rank].row_of_pair.data(),
                              .out = out.data(),
                              .tokens = tokens,
                              .slots = layouts[rank].rows(),
                              .hidden = hidden,
                              .k = k};
        require_valid(sum);
        emulate(grid_of(sum), ThreadOrder::reversed, [&](EmulatedThread& t) { combine(t, sum); });
        for (long at = 0; at < tokens * hidden; ++at) {
            float should = 0;
            for (long pair = at / hidden * k; pair < (at / hidden + 1) * k; ++pair)
                if (routes[rank][std::size_t(pair)] >= 0)
                    should += weights[rank][std::size_t(pair)] * float(routes[rank][std::size_t(pair)] + 1) *
                              to_float(in[rank][std::size_t(at)]);
            ASSERT_EQ(to_float(out[std::size_t(at)]), should) << "rank " << rank << " element " << at;
        }
    }
}

TEST(Pack, rows_beyond_the_room_are_not_written) {
    const Integers routes{0, 1};
    Layout layout{{}, {}, {0, 1}, {0, 1}, {0, 0}, {5, -3}};
    const Packed is = packed(small_integers(128, 1), routes, {1, 1}, layout,
                             {.hidden = 128, .k = 2, .experts = 2, .ranks = 1}, false);
    EXPECT_EQ(is.rows[0].bits, 0xEEEE);
    EXPECT_EQ(is.local_experts, (Integers{-7, -7}));
}

TEST(Pack, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(PackTask{.hidden = 100, .k = 1, .experts = 2, .ranks = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(PackTask{.hidden = 128, .k = 1, .experts = 3, .ranks = 2}), std::invalid_argument);
    EXPECT_THROW(require_valid(PackTask{.tokens = 1, .hidden = 128, .k = 1, .experts = 2, .ranks = 1}),
                 std::invalid_argument);
    EXPECT_NO_THROW(require_valid(PackTask{.hidden = 128, .k = 1, .experts = 2, .ranks = 1}));
    EXPECT_THROW(require_valid(DispatchLayoutTask{.k = 2, .experts = 5, .ranks = 2}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
