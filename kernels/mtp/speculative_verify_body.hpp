// Verification in two launches or three. The first reads every row once and keeps a maximum and a sum a piece: the
// online softmax, and at once the masses from which a draw from q finds its piece. The second decides (each block for
// itself: that is some hundred numbers) and, where a draft was not kept, sums relu(q - p) by piece; where drafts are
// certain p is one at a single token, and the first launch's masses do but for one piece. The last finds the piece and
// in it the token. A block goes through the pieces of its part of a row without a word between its warps: each lays
// down what it found, and at the end they are added. Every sum has a fixed order and every random number a counter: a
// launch repeats.
#pragma once

#include "kernels/mtp/philox.hpp"
#include "kernels/mtp/speculative_verify_task.hpp"
#include "kernels/rl/logits_slice.hpp"
#include "kernels/rl/online_softmax.hpp"

namespace strata {

// Whether draft x is kept; u in [0, 1).
STRATA_HD bool keeps_draft(float u, float p, float q) { return u * p < q; }

// relu that lets a NaN through.
STRATA_HD float residual_weight(float q, float p) {
    const float weight = q - p;
    return weight <= 0 ? 0.0f : weight;
}

// The four words of a sequence's position; the draw of the last token has a position of its own.
inline constexpr std::uint32_t kDrawPosition = 0xFFFFFFFFu;

STRATA_HD PhiloxCounter random_words(std::uint64_t seed, std::uint64_t stream, std::uint32_t step,
                                     std::uint32_t position) {
    return philox({{position, step, std::uint32_t(stream), std::uint32_t(stream >> 32)}},
                  {{std::uint32_t(seed), std::uint32_t(seed >> 32)}});
}

template <class T>
STRATA_HD std::uint64_t stream_of(const VerifyTask<T>& task, long sequence) {
    return task.streams ? task.streams[sequence] : std::uint64_t(sequence);
}
template <class T>
STRATA_HD float temperature_of(const VerifyTask<T>& task, long sequence) {
    return task.temperatures && !task.greedy ? task.temperatures[sequence] : 1.0f;
}
// Of logits to powers of two.
template <class T>
STRATA_HD float scale_of(const VerifyTask<T>& task, long sequence) {
    return kLog2e / temperature_of(task, sequence);
}
template <class T>
STRATA_HD const T* target_row(const VerifyTask<T>& task, long sequence, int position) {
    return task.target_logits + (sequence * (task.drafts + 1) + position) * task.vocabulary;
}
template <class T>
STRATA_HD const T* draft_row(const VerifyTask<T>& task, long sequence, int position) {
    return task.draft_law + (sequence * task.drafts + position) * task.vocabulary;
}
template <class T>
STRATA_HD const PieceStatistics* row_statistics(const VerifyTask<T>& task, long sequence, int row) {
    return task.statistics + (sequence * rows_of(task) + row) * pieces_of(task);
}

template <class T>
STRATA_HD const T* row_with_statistics(const VerifyTask<T>& task, long row) {
    const int rows = rows_of(task), sequence = int(row) / rows, at = int(row) % rows;
    return at <= task.drafts ? target_row(task, sequence, at) : draft_row(task, sequence, at - task.drafts - 1);
}

// use(piece, slice) for the pieces of a part; of rows that are packed the next is loaded before one is used.
template <class Thread, class T, class Use>
STRATA_BODY void for_pieces(Thread& t, const VerifyTask<T>& task, const T* logits, const Part& part, Use use) {
    const int width = piece_width(task), vocabulary = int(task.vocabulary);
    LogitsSlice<T, kVerifyPacks> next;
    if (!rows_are_packed<T>(vocabulary)) {
        STRATA_ROLLED
        for (int piece = part.first; piece < part.last; ++piece) {
            load_slice(t, next, logits + piece * width, 0, vocabulary - piece * width, false);
            use(piece, next);
        }
        return;
    }
    load_slice(t, next, logits + part.first * width, 0, vocabulary - part.first * width, true);
    STRATA_ROLLED
    for (int piece = part.first; piece < part.last; ++piece) {
        const LogitsSlice<T, kVerifyPacks> slice = next;
        const int begin = (piece + 1) * width;
        if (piece + 1 < part.last) load_slice(t, next, logits + begin, 0, vocabulary - begin, true);
        use(piece, slice);
    }
}

// First launch: a block a part of a row.
template <class Thread, class T>
STRATA_BODY void verify_statistics(Thread& t, const VerifyTask<T>& task) {
    const Part part = part_of(task, statistics_parts(task), t.block());
    auto* of_warps = reinterpret_cast<OnlineSoftmax*>(t.shared());  // [piece][warp]
    const float scale = scale_of(task, int(part.row) / rows_of(task));
    for_pieces(t, task, row_with_statistics(task, part.row), part,
               [&](int piece, const LogitsSlice<T, kVerifyPacks>& slice) {
                   float x[LogitsSlice<T, kVerifyPacks>::kCount];
                   to_floats(x, slice);
                   OnlineSoftmax mine;
                   absorb(mine, x, scale);
                   const float max = warp_max(t, mine.max), sum = warp_sum(t, mine.sum * exp2_of(mine.max - max));
                   if (t.lane() == 0) of_warps[(piece - part.first) * t.warps() + t.warp()] = {max, sum};
               });
    t.sync();
    for (int piece = part.first + t.thread(); piece < part.last; piece += t.threads()) {
        const OnlineSoftmax* found = of_warps + (piece - part.first) * t.warps();
        OnlineSoftmax all = found[0];
        for (int warp = 1; warp < t.warps(); ++warp) all.max = fmaxf(all.max, found[warp].max);
        all.sum = 0;
        for (int warp = 0; warp < t.warps(); ++warp) all.sum += found[warp].sum * exp2_of(found[warp].max - all.max);
        task.statistics[part.row * pieces_of(task) + piece] = {all.max, all.sum, -1};
    }
}

// First launch of greedy decoding, which needs the best of a part only. Indices are compared as their negatives: of
// equals the first is the largest.
template <class Thread, class T>
STRATA_BODY void verify_best(Thread& t, const VerifyTask<T>& task) {
    const Part part = part_of(task, statistics_parts(task), t.block());
    float highest = -INFINITY;
    int best = INT32_MAX, broken = 0;
    for_pieces(t, task, row_with_statistics(task, part.row), part,
               [&](int piece, const LogitsSlice<T, kVerifyPacks>& slice) {
                   STRATA_UNROLL
                   for (int i = 0; i < kVerifyPacks; ++i) {
                       const int first = int(pack_begin<T>(t, piece * piece_width(task), i));
                       STRATA_UNROLL
                       for (int e = 0; e < Pack<T>::kSize; ++e) {
                           const float x = slice.get(i * Pack<T>::kSize + e);
                           if (x > highest) highest = x, best = first + e;
                           broken |= x != x;
                       }
                   }
               });
    const float highest_of_all = block_max(t, highest, reinterpret_cast<float*>(t.shared()));
    int* scratch = reinterpret_cast<int*>(t.shared());
    best = -block_max(t, highest == highest_of_all ? -best : -INT32_MAX, scratch);
    broken = block_max(t, broken, scratch);
    if (t.thread() == 0)
        task.statistics[part.row * pieces_of(task) + part.part] = {highest_of_all, broken ? NAN : 0.0f, best};
}

// log2 of a row's sum of powers from its pieces, by a warp; NaN where no law can be read off the row.
template <class Thread>
STRATA_BODY float row_log2_sum(Thread& t, const PieceStatistics* pieces, long count) {
    OnlineSoftmax mine;
    for (long piece = t.lane(); piece < count; piece += 32) {
        const OnlineSoftmax one{pieces[piece].max, pieces[piece].sum};
        const float max = fmaxf(mine.max, one.max);
        mine = {max, mine.sum * exp2_of(mine.max - max) + one.sum * exp2_of(one.max - max)};
    }
    const float max = warp_max(t, mine.max);
    const OnlineSoftmax row{max, warp_sum(t, mine.sum * exp2_of(mine.max - max))};
    return row.is_law() ? row.log2_sum() : NAN;
}

// What a position says of its draft.
enum class DraftVerdict : int { kept, replaced, draft_out_of_range, no_law };

// What is read of a draft, while sums are still on their way.
struct DraftLogits {
    bool in_range = false;
    float target = 0;
    float draft = 1;  // certain
};

template <class T>
STRATA_HD DraftLogits draft_logits(const VerifyTask<T>& task, long sequence, int position) {
    const int draft = task.draft_tokens[sequence * task.drafts + position];
    if (draft < 0 || draft >= task.vocabulary) return {};
    return {true, to_float(target_row(task, sequence, position)[draft]),
            task.law == DraftLaw::certain ? 1.0f : to_float(draft_row(task, sequence, position)[draft])};
}

template <class T>
STRATA_HD DraftVerdict draft_verdict(const VerifyTask<T>& task, long sequence, int position, const DraftLogits& logits,
                                     float scale, float target_log2_sum, float draft_log2_sum) {
    if (!logits.in_range) return DraftVerdict::draft_out_of_range;
    const float q = exp2_of(fmaf(logits.target, scale, -target_log2_sum));
    const float p = task.law == DraftLaw::logits ? exp2_of(fmaf(logits.draft, scale, -draft_log2_sum)) : logits.draft;
    if (!(q >= 0) || !(p >= 0)) return DraftVerdict::no_law;
    const auto random = random_words(task.seed, stream_of(task, sequence), task.step, std::uint32_t(position));
    return keeps_draft(unit_float(random.at[0]), p, q) ? DraftVerdict::kept : DraftVerdict::replaced;
}

// The same for every thread of the block. `shared`: kDecisionWords. Drafts are looked at by the last warp, which has no
// row's sum to wait for where rows are fewer than warps.
template <class Thread, class T>
STRATA_BODY VerifyDecision decide(Thread& t, const VerifyTask<T>& task, long sequence, float scale, float* shared) {
    float* log2_sums = shared;  // [rows]
    DraftVerdict* verdicts = reinterpret_cast<DraftVerdict*>(shared + 2 * kMostDrafts + 1);
    const float temperature = temperature_of(task, sequence);
    const bool has_draft = t.warp() == t.warps() - 1 && t.lane() < task.drafts;
    const DraftLogits logits = has_draft ? draft_logits(task, sequence, t.lane()) : DraftLogits{};
    for (int row = t.warp(); row < rows_of(task); row += t.warps()) {
        const float log2_sum = row_log2_sum(t, row_statistics(task, sequence, row), pieces_of(task));
        if (t.lane() == 0) log2_sums[row] = log2_sum;
    }
    t.sync();
    const bool has_draft_sums = task.law == DraftLaw::logits;
    if (has_draft)
        verdicts[t.lane()] = draft_verdict(task, sequence, t.lane(), logits, scale, log2_sums[t.lane()],
                                           has_draft_sums ? log2_sums[task.drafts + 1 + t.lane()] : 0.0f);
    t.sync();
    VerifyDecision out{0, VerifyStatus::fine, false, 0, 0};
    if (!(temperature > 0 && temperature < INFINITY)) {
        out.status = VerifyStatus::bad_temperature;
        return out;
    }
    while (out.kept < task.drafts && verdicts[out.kept] == DraftVerdict::kept) ++out.kept;
    out.all_kept = out.kept == task.drafts;
    out.target_log2_sum = log2_sums[out.kept];
    if (!out.all_kept && has_draft_sums) out.draft_log2_sum = log2_sums[task.drafts + 1 + out.kept];
    if (!out.all_kept && verdicts[out.kept] == DraftVerdict::draft_out_of_range)
        out.status = VerifyStatus::draft_out_of_range;
    else if ((!out.all_kept && verdicts[out.kept] == DraftVerdict::no_law) ||
             out.target_log2_sum != out.target_log2_sum)
        out.status = VerifyStatus::no_law;
    return out;
}

// The weight of a token in the draw: q, or relu(q - p) at the position of the draft that was not kept.
STRATA_HD float draw_weight(DraftLaw law, const VerifyDecision& decision, bool from_target, float scale,
                            float target_logit, float draft_entry, bool is_draft) {
    const float q = exp2_of(fmaf(target_logit, scale, -decision.target_log2_sum));
    if (from_target) return q;
    const float p = law == DraftLaw::certain         ? (is_draft ? 1.0f : 0.0f)
                    : law == DraftLaw::probabilities ? draft_entry
                                                     : exp2_of(fmaf(draft_entry, scale, -decision.draft_log2_sum));
    return residual_weight(q, p);
}

// What this thread's elements of a piece of the row at position `kept` weigh; the law is not asked for at each of them.
template <DraftLaw law, class Thread, class T>
STRATA_BODY float mass_of_piece(Thread& t, const VerifyTask<T>& task, const VerifyDecision& decision, long sequence,
                                float scale, int piece) {
    const int begin = piece * piece_width(task);
    const bool packed = rows_are_packed<T>(task.vocabulary), reads_drafts = law != DraftLaw::certain;
    LogitsSlice<T, kVerifyPacks> target, draft;
    load_slice(t, target, target_row(task, sequence, decision.kept), begin, task.vocabulary, packed);
    if (reads_drafts) load_slice(t, draft, draft_row(task, sequence, decision.kept), begin, task.vocabulary, packed);
    const int token = task.draft_tokens[sequence * task.drafts + decision.kept];
    float mass = 0;
    STRATA_UNROLL
    for (int i = 0; i < kVerifyPacks; ++i) {
        const int first = int(pack_begin<T>(t, begin, i)), left = int(task.vocabulary) - first;
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e) {
            const int at = i * Pack<T>::kSize + e;
            const float weight = draw_weight(law, decision, false, scale, target.get(at),
                                             reads_drafts ? draft.get(at) : 0.0f, first + e == token);
            if (e < left) mass += weight;
        }
    }
    return mass;
}

// Second launch: a block a part of the row that the last token comes from.
template <class Thread, class T>
STRATA_BODY void verify_masses(Thread& t, const VerifyTask<T>& task) {
    const Part part = part_of(task, masses_parts(task), t.block());
    float* shared = reinterpret_cast<float*>(t.shared());
    const float scale = scale_of(task, part.row);
    const VerifyDecision decision = decide(t, task, part.row, scale, shared);
    if (part.part == 0 && t.thread() == 0) task.decisions[part.row] = decision;
    if (decision.status != VerifyStatus::fine || decision.all_kept) return;
    float* of_warps = shared + kDecisionWords;  // [piece][warp]
    const auto lay_down_masses = [&]<DraftLaw law>() {
        STRATA_ROLLED
        for (int piece = part.first; piece < part.last; ++piece) {
            const float mass = warp_sum(t, mass_of_piece<law>(t, task, decision, part.row, scale, piece));
            if (t.lane() == 0) of_warps[(piece - part.first) * t.warps() + t.warp()] = mass;
        }
    };
    if (task.law == DraftLaw::logits)
        lay_down_masses.template operator()<DraftLaw::logits>();
    else
        lay_down_masses.template operator()<DraftLaw::probabilities>();
    t.sync();
    for (int piece = part.first + t.thread(); piece < part.last; piece += t.threads()) {
        float mass = 0;
        for (int warp = 0; warp < t.warps(); ++warp) mass += of_warps[(piece - part.first) * t.warps() + warp];
        task.masses[part.row * pieces_of(task) + piece] = mass;
    }
}

}  // namespace strata
