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

// By one thread; some dozen masses.
template <class T>
STRATA_HD ChosenPiece chosen_piece(const VerifyTask<T>& task, const VerifyDecision& decision, long sequence) {
    const long pieces = pieces_of(task);
    const PieceStatistics* statistics = row_statistics(task, sequence, decision.kept);
    const float* masses = task.masses + sequence * pieces;
    const auto mass_of = [&](long piece, bool from_target) {
        return double(from_target ? statistics[piece].sum * exp2_of(statistics[piece].max - decision.target_log2_sum)
                                  : masses[piece]);
    };
    bool from_target = decision.all_kept;
    double total = 0;
    for (long piece = 0; piece < pieces; ++piece) total += mass_of(piece, from_target);
    if (!from_target && total == 0) {  // q and p differ by rounding alone
        from_target = true;
        for (long piece = 0; piece < pieces; ++piece) total += mass_of(piece, from_target);
    }
    if (!(total > 0) || !(total < INFINITY)) return {0, 0, from_target, false};
    const auto random = random_words(task.seed, stream_of(task, sequence), task.step, kDrawPosition);
    const double passed = unit_double(random.at[0], random.at[1]) * total;
    double before = 0;
    long last = 0;
    double before_last = 0;
    for (long piece = 0; piece < pieces; ++piece) {
        const double mass = mass_of(piece, from_target);
        if (before + mass > passed) return {piece, passed - before, from_target, true};
        if (mass > 0) last = piece, before_last = before;
        before += mass;
    }
    return {last, passed - before_last, from_target, true};  // the sum's last rounding
}

// `scratch`: a sum a warp, then, 8 further on, an int a warp.
// The first token of the piece at which the running sum passes `target`; the last with a weight, if rounding leaves
// none.
template <class Thread, class T>
STRATA_BODY int token_in_piece(Thread& t, const VerifyTask<T>& task, const VerifyDecision& decision, long sequence,
                               const ChosenPiece& chosen, double* scratch) {
    constexpr int kEach = LogitsSlice<T, kVerifyPacks>::kCount;
    const long begin = chosen.piece * piece_width(task) + long(t.thread()) * kEach;
    const T* target = target_row(task, sequence, decision.kept);
    const bool reads_drafts = !chosen.from_target && task.law != DraftLaw::certain;
    const T* draft = reads_drafts ? draft_row(task, sequence, decision.kept) : nullptr;
    const int token = decision.all_kept ? -1 : task.draft_tokens[sequence * task.drafts + decision.kept];
    const float scale = kLog2e / temperature_of(task, sequence);
    float weights[kEach];
    double sum = 0;
    STRATA_UNROLL
    for (int e = 0; e < kEach; ++e) {
        const long v = begin + e;
        weights[e] = v < task.vocabulary ? draw_weight(task, decision, chosen.from_target, scale, to_float(target[v]),
                                                       reads_drafts ? to_float(draft[v]) : 0.0f, v == token)
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

// Third launch: a block a sequence.
template <class Thread, class T>
STRATA_BODY void verify_draw(Thread& t, const VerifyTask<T>& task) {
    const long sequence = t.block();
    const VerifyDecision decision = task.decisions[sequence];
    if (decision.status != VerifyStatus::fine) {
        write_emitted(t, task, sequence, decision.kept, -1, decision.status);
        return;
    }
    double* scratch = reinterpret_cast<double*>(t.shared());
    ChosenPiece* chosen = reinterpret_cast<ChosenPiece*>(scratch + 16);
    if (t.thread() == 0) *chosen = chosen_piece(task, decision, sequence);
    t.sync();
    const ChosenPiece piece = *chosen;
    if (!piece.is_law) {
        write_emitted(t, task, sequence, decision.kept, -1, VerifyStatus::no_law);
        return;
    }
    const int token = token_in_piece(t, task, decision, sequence, piece, scratch);
    write_emitted(t, task, sequence, decision.kept, token, VerifyStatus::fine);
}

// Last launch of greedy decoding: a block a sequence, a warp a position.
template <class Thread, class T>
STRATA_BODY void verify_greedy(Thread& t, const VerifyTask<T>& task) {
    const long sequence = t.block(), pieces = pieces_of(task);
    int* best = reinterpret_cast<int*>(t.shared());  // [drafts + 1]; -1: no best token
    for (int position = t.warp(); position <= task.drafts; position += t.warps()) {
        const PieceStatistics* of = row_statistics(task, sequence, position);
        float highest = -INFINITY;
        int at = INT32_MAX, broken = 0;
        for (long piece = t.lane(); piece < pieces; piece += 32) {
            if (of[piece].max > highest) highest = of[piece].max, at = of[piece].best;
            broken |= of[piece].sum != of[piece].sum;
        }
        const float highest_of_all = warp_max(t, highest);
        at = -warp_max(t, highest == highest_of_all ? -at : -INT32_MAX);
        broken = warp_max(t, broken);
        if (t.lane() == 0) best[position] = broken || at == INT32_MAX ? -1 : at;
    }
    t.sync();
    const int* drafts = task.draft_tokens + sequence * task.drafts;
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
