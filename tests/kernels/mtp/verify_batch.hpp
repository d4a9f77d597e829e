// A batch of sequences with their drafts, run in the emulator and by the definition.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/mtp/speculative_draw_body.hpp"
#include "kernels/mtp/speculative_verify_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {

// With its buffers; `vocabulary` beyond a piece makes draws go over several.
template <class T>
struct VerifyBatch {
    VerifyBatch(long sequences, int drafts, long vocabulary, std::uint64_t seed) : random(seed) {
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
        if (task.law != DraftLaw::certain)
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

}  // namespace strata
