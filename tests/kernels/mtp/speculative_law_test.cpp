// What verification emits has the target's law, whatever the drafts are.
#include <gtest/gtest.h>

#include "tests/kernels/mtp/verify_batch.hpp"

namespace strata {
namespace {

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
        VerifyBatch<float> batch(kSequences, 2, 6, 23);
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
    VerifyBatch<float> batch(1, 1, 6, 29);
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
        VerifyBatch<float> batch(1, 5, 700, seed);
        for (int i = 0; i < 5; ++i) std::copy_n(batch.target_row(0, i), 700, batch.draft_row(0, i));
        batch.run();
        EXPECT_EQ(batch.emitted[0], 6);
    }
}

// p lives on the even tokens, q on the odd ones: no draft is kept, and the replacement is odd.
TEST(VerifyLaw, disjoint_supports_keep_none) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        VerifyBatch<float> batch(1, 2, 1200, seed);
        for (int i = 0; i < 2; ++i) {
            for (long v = 0; v < 1200; ++v) (v % 2 ? batch.draft_row(0, i) : batch.target_row(0, i))[v] = -INFINITY;
            batch.tokens_in[std::size_t(i)] &= ~1;
        }
        batch.run();
        EXPECT_EQ(batch.emitted[0], 1);
        EXPECT_EQ(batch.tokens[0] % 2, 1);
    }
}

}  // namespace
}  // namespace strata
