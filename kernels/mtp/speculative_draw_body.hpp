// The last launch of verification: the token after the drafts that were kept, by the inverse of a distribution function
// in two steps. First the piece in which the running sum of masses passes u * total, then, within it, the token; there
// each thread takes neighbouring tokens, so that the order of sums is that of the vocabulary.
#pragma once

#include "kernels/mtp/speculative_verify_body.hpp"

namespace strata {

struct ChosenPiece {
    long piece;
    double target;     // what the running sum within the piece has to pass
    bool from_target;  // q instead of relu(q - p)
    bool is_law;
};

// Masses by piece in double, of q or of relu(q - p). Where drafts are certain the latter is q's but for the piece of
// the draft.
template <class T>
struct PieceMasses {
    const VerifyTask<T>& task;
    const PieceStatistics* statistics;
    const float* masses;
    float target_log2_sum;
    int piece_of_draft;
    float mass_of_draft;  // of that piece

    STRATA_HD double at(long piece, bool from_target) const {
        if (from_target || (task.law == DraftLaw::certain && piece != piece_of_draft))
            return double(statistics[piece].sum * exp2_of(statistics[piece].max - target_log2_sum));
        return double(task.law == DraftLaw::certain ? mass_of_draft : masses[piece]);
    }
};

template <class Thread, class T>
STRATA_BODY double total_mass(Thread& t, const PieceMasses<T>& masses, long pieces, bool from_target) {
    double total = 0;
    for (long first = 0; first < pieces; first += 32)
        total += warp_sum(t, first + t.lane() < pieces ? masses.at(first + t.lane(), from_target) : 0.0);
    return total;
}

// By a warp, a lane a piece.
template <class Thread, class T>
STRATA_BODY ChosenPiece chosen_piece(Thread& t, const PieceMasses<T>& masses, const VerifyTask<T>& task, bool all_kept,
                                     long sequence) {
    const int pieces = pieces_of(task);
    bool from_target = all_kept;
    double total = total_mass(t, masses, pieces, from_target);
    if (!from_target && total == 0) {  // q and p differ by rounding alone
        from_target = true;
        total = total_mass(t, masses, pieces, from_target);
    }
    if (!(total > 0) || !(total < INFINITY)) return {0, 0, from_target, false};
    const auto random = random_words(task.seed, stream_of(task, sequence), task.step, kDrawPosition);
    const double passed = unit_double(random.at[0], random.at[1]) * total;
    double before = 0;
    ChosenPiece last{0, passed, from_target, true};  // with a mass: for the sum's last rounding
    for (long first = 0; first < pieces; first += 32) {
        const double mass = first + t.lane() < pieces ? masses.at(first + t.lane(), from_target) : 0.0;
        const double start = before + warp_exclusive_sum(t, mass);
        const unsigned passing = t.ballot(mass > 0 && start + mass > passed);
        const int lane = passing ? Thread::ones((passing & (0u - passing)) - 1)
                                 : int(t.largest(mass > 0 ? unsigned(t.lane()) + 1 : 0)) - 1;
        if (lane >= 0) last.piece = first + lane, last.target = passed - t.shuffle(start, lane);
        if (passing) return last;
        before += warp_sum(t, mass);
    }
    return last;
}

// A run of neighbours of a row: those that a thread looks for the token in.
template <class T>
STRATA_BODY LogitsSlice<T, kVerifyPacks> run_of_row(const T* row, long begin, long vocabulary) {
    constexpr int kSize = Pack<T>::kSize;
    LogitsSlice<T, kVerifyPacks> run{};
    STRATA_UNROLL
    for (int i = 0; i < kVerifyPacks; ++i) {
        const long first = begin + i * kSize;
        if (rows_are_packed<T>(vocabulary)) {
            if (first >= vocabulary) continue;
            const auto pack = *reinterpret_cast<const Pack<std::uint32_t>*>(row + first);
            STRATA_UNROLL
            for (int word = 0; word < 4; ++word) run.words[i * 4 + word] = pack.at[word];
        } else {
            STRATA_UNROLL
            for (int e = 0; e < kSize; ++e)
                if (first + e < vocabulary) run.set_element(i * kSize + e, row[first + e]);
        }
    }
    return run;
}

// `scratch`: a sum a warp, then, 8 further on, an int a warp.
// The first token of the piece at which the running sum passes `target`; the last with a weight, if rounding leaves
// none.
template <class Thread, class T>
STRATA_BODY int token_in_piece(Thread& t, const VerifyTask<T>& task, const VerifyDecision& decision, long sequence,
                               float scale, const ChosenPiece& chosen, double* scratch) {
    constexpr int kEach = LogitsSlice<T, kVerifyPacks>::kCount;
    const long begin = chosen.piece * piece_width(task) + long(t.thread()) * kEach;
    const bool reads_drafts = !chosen.from_target && task.law != DraftLaw::certain;
    const auto target = run_of_row(target_row(task, sequence, decision.kept), begin, task.vocabulary);
    LogitsSlice<T, kVerifyPacks> draft{};
    if (reads_drafts) draft = run_of_row(draft_row(task, sequence, decision.kept), begin, task.vocabulary);
    const int token = decision.all_kept ? -1 : task.draft_tokens[sequence * task.drafts + decision.kept];
    float weights[kEach];
    double sum = 0;
    STRATA_UNROLL
    for (int e = 0; e < kEach; ++e) {
        const long v = begin + e;
        weights[e] = v < task.vocabulary ? draw_weight(task.law, decision, chosen.from_target, scale, target.get(e),
                                                       draft.get(e), v == token)
                                         : 0.0f;
        sum += double(weights[e]);
    }
    double running = warp_exclusive_sum(t, sum);
    if (t.lane() == 31) scratch[t.warp()] = running + sum;
    t.sync();
    double below = 0;
    for (int warp = 0; warp < t.warp(); ++warp) below += scratch[warp];
    running += below;
    int first = INT32_MAX, last = -1;
    STRATA_UNROLL
    for (int e = 0; e < kEach; ++e) {
        running += double(weights[e]);
        if (!(weights[e] > 0)) continue;
        last = int(begin + e);
        if (running > chosen.target && first == INT32_MAX) first = last;
    }
    int* of_ints = reinterpret_cast<int*>(scratch + 8);  // not where others may still read sums
    first = -block_max(t, -first, of_ints);
    last = block_max(t, last, of_ints);
    return first == INT32_MAX ? last : first;
}

// Tokens kept, then `token` if there is one, then -1.
template <class Thread, class T>
STRATA_BODY void write_emitted(Thread& t, const VerifyTask<T>& task, long sequence, int kept, int token,
                               VerifyStatus status) {
    if (t.thread() <= task.drafts)
        task.tokens[sequence * (task.drafts + 1) + t.thread()] =
            t.thread() < kept    ? task.draft_tokens[sequence * task.drafts + t.thread()]
            : t.thread() == kept ? token
                                 : -1;
    if (t.thread() == 0) task.emitted[sequence] = kept + (token >= 0), task.status[sequence] = status;
}

// Last launch: a block a sequence.
template <class Thread, class T>
STRATA_BODY void verify_draw(Thread& t, const VerifyTask<T>& task) {
    const long sequence = t.block();
    double* scratch = reinterpret_cast<double*>(t.shared());
    ChosenPiece* chosen = reinterpret_cast<ChosenPiece*>(scratch + 16);
    float* words = reinterpret_cast<float*>(scratch + 20);
    const bool certain = task.law == DraftLaw::certain;
    const float scale = scale_of(task, sequence);
    const VerifyDecision decision = certain ? decide(t, task, sequence, scale, words) : task.decisions[sequence];
    if (decision.status != VerifyStatus::fine) {
        write_emitted(t, task, sequence, decision.kept, -1, decision.status);
        return;
    }
    PieceMasses<T> masses{.task = task,
                          .statistics = row_statistics(task, sequence, decision.kept),
                          .masses = task.masses + sequence * pieces_of(task),
                          .target_log2_sum = decision.target_log2_sum,
                          .piece_of_draft = -1,
                          .mass_of_draft = 0};
    if (certain && !decision.all_kept) {
        masses.piece_of_draft = task.draft_tokens[sequence * task.drafts + decision.kept] / piece_width(task);
        masses.mass_of_draft =
            block_sum(t, mass_of_piece<DraftLaw::certain>(t, task, decision, sequence, scale, masses.piece_of_draft),
                      words + kDecisionWords);
    }
    if (t.warp() == 0) {
        const ChosenPiece found = chosen_piece(t, masses, task, decision.all_kept, sequence);
        if (t.lane() == 0) *chosen = found;
    }
    t.sync();
    const ChosenPiece piece = *chosen;
    if (!piece.is_law) {
        write_emitted(t, task, sequence, decision.kept, -1, VerifyStatus::no_law);
        return;
    }
    const int token = token_in_piece(t, task, decision, sequence, scale, piece, scratch);
    write_emitted(t, task, sequence, decision.kept, token, VerifyStatus::fine);
}

// Last launch of greedy decoding: a block a sequence, a warp a position.
template <class Thread, class T>
STRATA_BODY void verify_greedy(Thread& t, const VerifyTask<T>& task) {
    const long sequence = t.block(), parts = statistics_parts(task);
    int* best = reinterpret_cast<int*>(t.shared());  // [drafts + 1]; -1: no best token
    int* drafts = best + kMostDrafts + 1;            // read while statistics are on their way
    if (t.warp() == t.warps() - 1 && t.lane() < task.drafts)
        drafts[t.lane()] = task.draft_tokens[sequence * task.drafts + t.lane()];
    for (int position = t.warp(); position <= task.drafts; position += t.warps()) {
        const PieceStatistics* of = row_statistics(task, sequence, position);
        float highest = -INFINITY;
        int at = INT32_MAX, broken = 0;
        for (long part = t.lane(); part < parts; part += 32) {
            if (of[part].max > highest) highest = of[part].max, at = of[part].best;
            broken |= of[part].sum != of[part].sum;
        }
        const float highest_of_all = warp_max(t, highest);
        at = -warp_max(t, highest == highest_of_all ? -at : -INT32_MAX);
        broken = warp_max(t, broken);
        if (t.lane() == 0) best[position] = broken || at == INT32_MAX ? -1 : at;
    }
    t.sync();
    VerifyStatus status = VerifyStatus::fine;
    int kept = 0;
    while (kept < task.drafts && best[kept] >= 0 && drafts[kept] == best[kept]) ++kept;
    int token = best[kept];
    if (token < 0) status = VerifyStatus::no_law;
    if (kept < task.drafts && (drafts[kept] < 0 || drafts[kept] >= task.vocabulary))
        status = VerifyStatus::draft_out_of_range, token = -1;
    write_emitted(t, task, sequence, kept, token, status);
}

}  // namespace strata
