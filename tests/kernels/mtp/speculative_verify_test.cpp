#include <gtest/gtest.h>

#include <random>
#include <set>

#include "kernels/mtp/speculative_draw_body.hpp"
#include "kernels/mtp/speculative_verify_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

// A batch with its buffers; `vocabulary` beyond a piece makes draws go over several.
template <class T>
struct Batch {
    Batch(long sequences, int drafts, long vocabulary, std::uint64_t seed) : random(seed) {
        task.sequences = sequences, task.drafts = drafts, task.vocabulary = vocabulary;
        task.seed = seed;
        task.threads = 32;
        std::normal_distribution<float> values(0, 1.5f);
        target.resize(std::size_t(sequences * (drafts + 1) * vocabulary));
        draft.resize(std::size_t(sequences * drafts * vocabulary));
        for (T& one : target) one = from_float<T>(values(random));
        for (T& one : draft) one = from_float<T>(values(random));
        for (long i = 0; i < sequences * drafts; ++i) tokens_in.push_back(int(random() % std::uint64_t(vocabulary)));
    }

    T* target_row(long sequence, int position) {
        return target.data() + (sequence * (task.drafts + 1) + position) * task.vocabulary;
    }
    T* draft_row(long sequence, int position) {
        return draft.data() + (sequence * task.drafts + position) * task.vocabulary;
    }
    std::vector<double> row(const T* at) const {
        std::vector<double> all;
        for (long v = 0; v < task.vocabulary; ++v) all.push_back(to_float(at[v]));
        return all;
    }

    void set_up() {
        task.target_logits = target.data(), task.draft_law = draft.data(), task.draft_tokens = tokens_in.data();
        task.temperatures = temperatures.empty() ? nullptr : temperatures.data();
        task.streams = streams.empty() ? nullptr : streams.data();
        statistics.assign(std::size_t(statistics_of(task)), {NAN, NAN, -7});
        masses.assign(std::size_t(masses_of(task)), NAN);
        decisions.resize(std::size_t(task.sequences));
        tokens.assign(std::size_t(task.sequences * (task.drafts + 1)), -7);
        emitted.assign(std::size_t(task.sequences), -7);
        status.assign(std::size_t(task.sequences), VerifyStatus::fine);
        task.statistics = statistics.data(), task.masses = masses.data(), task.decisions = decisions.data();
        task.tokens = tokens.data(), task.emitted = emitted.data(), task.status = status.data();
        require_valid(task);
    }
    void draw(ThreadOrder order) {
        emulate(masses_grid_of(task), order, [&](EmulatedThread& t) { verify_masses(t, task); });
        emulate(draw_grid_of(task), order, [&](EmulatedThread& t) { verify_draw(t, task); });
    }
    void run(ThreadOrder order = ThreadOrder::forward) {
        set_up();
        if (task.greedy) {
            emulate(statistics_grid_of(task), order, [&](EmulatedThread& t) { verify_best(t, task); });
            emulate(draw_grid_of(task), order, [&](EmulatedThread& t) { verify_greedy(t, task); });
            return;
        }
        emulate(statistics_grid_of(task), order, [&](EmulatedThread& t) { verify_statistics(t, task); });
        draw(order);
    }

    // What was emitted for a sequence; also that what follows is -1.
    std::vector<int> out(long sequence) const {
        const int* first = tokens.data() + sequence * (task.drafts + 1);
        const int count = emitted[std::size_t(sequence)];
        for (int i = count; i <= task.drafts; ++i) EXPECT_EQ(first[i], -1);
        return {first, first + count};
    }
    std::vector<int> expected(long sequence) {
        std::vector<reference::Law> q, p;
        std::vector<std::vector<double>> logits;
        std::vector<double> u;
        const double temperature = temperatures.empty() ? 1 : double(temperatures[std::size_t(sequence)]);
        for (int i = 0; i <= task.drafts; ++i) {
            logits.push_back(row(target_row(sequence, i)));
            q.push_back(reference::softmax(logits.back(), temperature));
        }
        std::vector<int> drafts(tokens_in.begin() + sequence * task.drafts,
                                tokens_in.begin() + (sequence + 1) * task.drafts);
        if (task.greedy) return reference::verify_greedy(logits, drafts);
        const std::uint64_t stream = streams.empty() ? std::uint64_t(sequence) : streams[std::size_t(sequence)];
        for (int i = 0; i < task.drafts; ++i) {
            const auto all = row(draft_row(sequence, i));
            if (task.law == DraftLaw::logits) p.push_back(reference::softmax(all, temperature));
            if (task.law == DraftLaw::probabilities) p.push_back(all);
            if (task.law == DraftLaw::certain) {
                p.push_back(std::vector<double>(all.size(), 0));
                p.back()[std::size_t(drafts[std::size_t(i)])] = 1;
            }
            u.push_back(unit_float(random_words(task.seed, stream, task.step, std::uint32_t(i)).at[0]));
        }
        const auto words = random_words(task.seed, stream, task.step, kDrawPosition);
        return reference::verify(q, p, drafts, u, unit_double(words.at[0], words.at[1]));
    }

    std::mt19937_64 random;
    VerifyTask<T> task;
    std::vector<T> target, draft;
    std::vector<int> tokens_in;
    std::vector<float> temperatures;
    std::vector<std::uint64_t> streams;
    std::vector<PieceStatistics> statistics;
    std::vector<float> masses;
    std::vector<VerifyDecision> decisions;
    std::vector<int> tokens, emitted;
    std::vector<VerifyStatus> status;
};

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
                Batch<TypeParam> batch(4, 3, vocabulary, std::uint64_t(vocabulary) + 17 * std::uint64_t(law));
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
            Batch<TypeParam> batch(6, 2, vocabulary, 3);
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

// chi^2 of counts against a law; with five degrees of freedom it is above 20.5 once in a thousand seeds.
double chi_square(const std::vector<int>& counts, const reference::Law& law) {
    double total = 0, sum = 0;
    for (const int count : counts) total += count;
    for (std::size_t v = 0; v < law.size(); ++v)
        sum += (counts[v] - total * law[v]) * (counts[v] - total * law[v]) / (total * law[v]);
    return sum;
}

// Drafts are drawn from p with numbers of their own; the first emitted token must have the law q of the first position,
// and the second, where there is one, that of the second.
TEST(VerifyLaw, what_is_emitted_has_the_targets_law) {
    constexpr long kSequences = 100;
    for (const DraftLaw law : {DraftLaw::logits, DraftLaw::certain}) {
        Batch<float> batch(kSequences, 2, 6, 23);
        batch.task.law = law;
        for (long sequence = 1; sequence < kSequences; ++sequence) {
            std::copy_n(batch.target_row(0, 0), 3 * 6, batch.target_row(sequence, 0));
            std::copy_n(batch.draft_row(0, 0), 2 * 6, batch.draft_row(sequence, 0));
        }
        const auto q0 = reference::softmax(batch.row(batch.target_row(0, 0)), 1);
        const auto q1 = reference::softmax(batch.row(batch.target_row(0, 1)), 1);
        std::vector<int> first(6), second(6);
        batch.run();
        std::mt19937_64 random(4);
        std::uniform_real_distribution<double> uniform;
        for (batch.task.step = 1; batch.task.step <= 3; ++batch.task.step) {
            for (std::size_t i = 0; i < batch.tokens_in.size(); ++i)
                batch.tokens_in[i] =
                    law == DraftLaw::certain
                        ? int(i % 2)
                        : reference::draw(reference::softmax(batch.row(batch.draft_row(0, int(i % 2))), 1),
                                          uniform(random));
            batch.draw(ThreadOrder::forward);
            for (long sequence = 0; sequence < kSequences; ++sequence) {
                const auto emitted = batch.out(sequence);
                ++first[std::size_t(emitted[0])];
                if (emitted.size() > 1) ++second[std::size_t(emitted[1])];
            }
        }
        EXPECT_LT(chi_square(first, q0), 20.5);
        EXPECT_LT(chi_square(second, q1), 20.5);
    }
}

// The same of the definition with the kernel's random numbers, over many more of them.
TEST(VerifyLaw, the_definition_emits_the_targets_law) {
    Batch<float> batch(1, 1, 6, 29);
    const auto q = reference::softmax(batch.row(batch.target_row(0, 0)), 1);
    const auto p = reference::softmax(batch.row(batch.draft_row(0, 0)), 1);
    const auto q1 = reference::softmax(batch.row(batch.target_row(0, 1)), 1);
    std::mt19937_64 random(4);
    std::uniform_real_distribution<double> uniform;
    std::vector<int> first(6), second(6);
    for (std::uint32_t step = 0; step < 100000; ++step) {
        const auto last = random_words(29, 7, step, kDrawPosition);
        const auto emitted =
            reference::verify({q, q1}, {p}, {reference::draw(p, uniform(random))},
                              {unit_float(random_words(29, 7, step, 0).at[0])}, unit_double(last.at[0], last.at[1]));
        ++first[std::size_t(emitted[0])];
        if (emitted.size() > 1) ++second[std::size_t(emitted[1])];
    }
    EXPECT_LT(chi_square(first, q), 20.5);
    EXPECT_LT(chi_square(second, q1), 20.5);
}

TEST(VerifyLaw, a_draft_is_kept_below_the_ratio_and_not_at_it) {
    EXPECT_TRUE(keeps_draft(0.49f, 1, 0.5f));
    EXPECT_FALSE(keeps_draft(0.5f, 1, 0.5f));
    EXPECT_FALSE(keeps_draft(0, 1, 0));  // what the target never says
}

TEST(VerifyLaw, equal_laws_keep_every_draft) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        Batch<float> batch(1, 5, 700, seed);
        for (int i = 0; i < 5; ++i) std::copy_n(batch.target_row(0, i), 700, batch.draft_row(0, i));
        batch.run();
        EXPECT_EQ(batch.emitted[0], 6);
    }
}

// p lives on the even tokens, q on the odd ones: no draft is kept, and the replacement is odd.
TEST(VerifyLaw, disjoint_supports_keep_none) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        Batch<float> batch(1, 2, 1200, seed);
        for (int i = 0; i < 2; ++i) {
            for (long v = 0; v < 1200; ++v) (v % 2 ? batch.draft_row(0, i) : batch.target_row(0, i))[v] = -INFINITY;
            batch.tokens_in[std::size_t(i)] &= ~1;
        }
        batch.run();
        EXPECT_EQ(batch.emitted[0], 1);
        EXPECT_EQ(batch.tokens[0] % 2, 1);
    }
}

TEST(VerifyEdges, repeats_bit_for_bit_and_depends_on_seed_stream_and_step) {
    Batch<float> batch(32, 0, 50, 5);
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
    Batch<float> batch(1, 1, 4, 6);
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
            Batch<float> batch(2, 2, 40, 7);
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
        Batch<float> batch(1, 1, 40, 8);
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
            Batch<float> batch(2, 2, 40, 9);
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
        Batch<float> batch(2, 1, 40, 10);
        batch.temperatures = {temperature, 1};
        batch.run();
        EXPECT_EQ(batch.status[0], VerifyStatus::bad_temperature);
        EXPECT_EQ(batch.emitted[0], 0);
        EXPECT_EQ(batch.status[1], VerifyStatus::fine);
    }
}

TEST(VerifyEdges, full_blocks_draw_the_same_law) {
    for (const ThreadOrder order : kThreadOrders) {
        Batch<float> batch(2, 1, 9000, 11);
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
    Batch<float> batch(1, 1, 8, 1);
    batch.set_up();
    batch.task.draft_law = nullptr;
    EXPECT_THROW(require_valid(batch.task), std::invalid_argument);
    batch.task.law = DraftLaw::certain;
    EXPECT_NO_THROW(require_valid(batch.task));
}

}  // namespace
}  // namespace strata
