#include <gtest/gtest.h>

#include <set>

#include "tests/kernels/mtp/verify_batch.hpp"

namespace strata {
namespace {

template <class T>
class Verify : public testing::Test {};
using ElementTypes = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Verify, ElementTypes);

// Sequence i has i likely drafts, so that every length is met. 1300 tokens are three pieces of 512 floats or
// two of 1024; rows of 1301 begin off a 16-byte boundary.
TYPED_TEST(Verify, emits_what_the_reference_does_in_every_thread_order) {
    int emitted_by_count[5] = {};
    for (const long vocabulary : {3L, 1304L, 1301L})
        for (const DraftLaw law : {DraftLaw::logits, DraftLaw::probabilities, DraftLaw::certain})
            for (const ThreadOrder order : kThreadOrders) {
                VerifyBatch<TypeParam> batch(4, 3, vocabulary, std::uint64_t(vocabulary) + 17 * std::uint64_t(law));
                batch.task.law = law, batch.task.step = 5;
                batch.temperatures = {1.0f, 0.6f, 1.7f, 1.0f};
                batch.streams = {9, 1ull << 40, 3, 77};
                for (long sequence = 0; sequence < 4; ++sequence)
                    for (int i = 0; i < 3; ++i) {
                        const long token = batch.tokens_in[std::size_t(sequence * 3 + i)];
                        if (i < sequence) batch.target_row(sequence, i)[token] = from_float<TypeParam>(12);
                        if (law != DraftLaw::probabilities) continue;
                        for (long v = 0; v < vocabulary; ++v)
                            batch.draft_row(sequence, i)[v] = from_float<TypeParam>(1.0f / float(vocabulary));
                    }
                batch.run(order);
                for (long sequence = 0; sequence < 4; ++sequence) {
                    EXPECT_EQ(batch.status[std::size_t(sequence)], VerifyStatus::fine);
                    EXPECT_EQ(batch.out(sequence), batch.expected(sequence)) << vocabulary << " " << int(law);
                    ++emitted_by_count[batch.emitted[std::size_t(sequence)]];
                }
            }
    for (int count = 1; count <= 4; ++count) EXPECT_GT(emitted_by_count[count], 0) << count;  // every case was met
}

TYPED_TEST(Verify, greedy_is_exact_in_every_thread_order) {
    int emitted_by_count[4] = {};
    for (const long vocabulary : {5L, 2600L, 2601L})
        for (const ThreadOrder order : kThreadOrders) {
            VerifyBatch<TypeParam> batch(6, 2, vocabulary, 3);
            batch.task.greedy = true;
            for (TypeParam& one : batch.target) one = from_float<TypeParam>(std::round(to_float(one)));  // many ties
            for (long sequence = 0; sequence < 6; ++sequence)
                for (int i = 0; i < sequence % 3; ++i)
                    batch.tokens_in[std::size_t(sequence * 2 + i)] =
                        reference::best(batch.row(batch.target_row(sequence, i)));
            batch.run(order);
            for (long sequence = 0; sequence < 6; ++sequence) {
                EXPECT_EQ(batch.out(sequence), batch.expected(sequence));
                ++emitted_by_count[batch.emitted[std::size_t(sequence)]];
            }
        }
    for (int count = 1; count <= 3; ++count) EXPECT_GT(emitted_by_count[count], 0);
}

TEST(VerifyEdges, repeats_bit_for_bit_and_depends_on_seed_stream_and_step) {
    VerifyBatch<float> batch(32, 0, 50, 5);
    for (long sequence = 1; sequence < 32; ++sequence)
        std::copy_n(batch.target_row(0, 0), 50, batch.target_row(sequence, 0));
    batch.run(ThreadOrder::forward);
    const auto once = batch.tokens;
    batch.run(ThreadOrder::shuffled);
    EXPECT_EQ(batch.tokens, once);
    EXPECT_GT(std::set<int>(once.begin(), once.end()).size(), 5u);  // one law, different streams
    batch.task.step = 1, batch.run();
    EXPECT_NE(batch.tokens, once);
    batch.task.step = 0, ++batch.task.seed, batch.run();
    EXPECT_NE(batch.tokens, once);
}

// The fallback: p is above q everywhere that matters, yet the draft is not kept.
TEST(VerifyEdges, an_empty_residual_draws_from_the_target) {
    VerifyBatch<float> batch(1, 1, 4, 6);
    batch.task.law = DraftLaw::probabilities;
    batch.target = {0, 0, -INFINITY, -INFINITY, 0, 0, 0, 0};  // q = (1/2, 1/2, 0, 0)
    batch.draft = {1, 1, 1, 1};                               // not normalised
    batch.tokens_in = {2};                                    // q(x) = 0
    batch.run();
    EXPECT_EQ(batch.emitted[0], 1);
    EXPECT_LT(batch.tokens[0], 2);
    EXPECT_EQ(batch.status[0], VerifyStatus::fine);
}

TEST(VerifyEdges, a_broken_row_ends_its_sequence_and_no_other) {
    for (const bool greedy : {false, true})
        for (const float bad : {NAN, INFINITY, -INFINITY}) {
            VerifyBatch<float> batch(2, 2, 40, 7);
            batch.task.greedy = greedy;
            for (long sequence = 0; sequence < 2; ++sequence)
                for (int i = 0; i < 2; ++i) {
                    const int token = batch.tokens_in[std::size_t(sequence * 2 + i)];
                    batch.target_row(sequence, i)[token] = 60;  // kept for certain
                }
            for (long v = 0; v < 40; ++v)
                if (bad == -INFINITY || v == 21) batch.target_row(0, 1)[v] = bad;
            batch.run();
            EXPECT_EQ(batch.emitted[1], 3);
            EXPECT_EQ(batch.status[1], VerifyStatus::fine);
            if (greedy && bad == INFINITY) {  // has a largest all the same
                EXPECT_EQ(batch.out(0), (std::vector<int>{batch.tokens_in[0], 21}));
                continue;
            }
            EXPECT_EQ(batch.status[0], VerifyStatus::no_law);
            EXPECT_EQ(batch.out(0), std::vector<int>{batch.tokens_in[0]});
        }
}

TEST(VerifyEdges, a_nan_among_the_drafts_probabilities_is_no_law) {
    for (const long at : {0L, 39L}) {  // the draft's own probability, and another's
        VerifyBatch<float> batch(1, 1, 40, 8);
        batch.task.law = DraftLaw::probabilities;
        batch.tokens_in = {0};
        std::fill_n(batch.draft_row(0, 0), 40, 0.025f);
        batch.target_row(0, 0)[0] = -INFINITY;  // not kept
        batch.draft_row(0, 0)[at] = NAN;
        batch.run();
        EXPECT_EQ(batch.status[0], VerifyStatus::no_law);
        EXPECT_EQ(batch.emitted[0], 0);
    }
}

TEST(VerifyEdges, a_draft_outside_the_vocabulary_ends_its_sequence) {
    for (const bool greedy : {false, true})
        for (const int outside : {-1, 40, INT32_MIN, INT32_MAX}) {
            VerifyBatch<float> batch(2, 2, 40, 9);
            batch.task.greedy = greedy;
            batch.target_row(0, 0)[batch.tokens_in[0]] = 60;
            batch.tokens_in[1] = outside;
            batch.run();
            EXPECT_EQ(batch.status[0], VerifyStatus::draft_out_of_range);
            EXPECT_EQ(batch.out(0), std::vector<int>{batch.tokens_in[0]});
            EXPECT_EQ(batch.status[1], VerifyStatus::fine);
        }
}

TEST(VerifyEdges, a_temperature_that_is_not_positive_emits_nothing) {
    for (const float temperature : {0.0f, -1.0f, NAN, INFINITY}) {
        VerifyBatch<float> batch(2, 1, 40, 10);
        batch.temperatures = {temperature, 1};
        batch.run();
        EXPECT_EQ(batch.status[0], VerifyStatus::bad_temperature);
        EXPECT_EQ(batch.emitted[0], 0);
        EXPECT_EQ(batch.status[1], VerifyStatus::fine);
    }
}

TEST(VerifyEdges, full_blocks_draw_the_same_law) {
    for (const ThreadOrder order : kThreadOrders) {
        VerifyBatch<float> batch(2, 1, 9000, 11);
        batch.task.threads = kVerifyThreads;
        batch.run(order);
        for (long sequence = 0; sequence < 2; ++sequence) EXPECT_EQ(batch.out(sequence), batch.expected(sequence));
    }
}

TEST(VerifyEdges, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(VerifyTask<float>{.vocabulary = 8, .drafts = 3}));
    EXPECT_THROW(require_valid(VerifyTask<float>{.vocabulary = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(VerifyTask<float>{.vocabulary = 8, .drafts = kMostDrafts + 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(VerifyTask<float>{.vocabulary = 8, .threads = 48}), std::invalid_argument);
    VerifyBatch<float> batch(1, 1, 8, 1);
    batch.set_up();
    batch.task.draft_law = nullptr;
    EXPECT_THROW(require_valid(batch.task), std::invalid_argument);
    batch.task.law = DraftLaw::certain;
    EXPECT_NO_THROW(require_valid(batch.task));
}

}  // namespace
}  // namespace strata
