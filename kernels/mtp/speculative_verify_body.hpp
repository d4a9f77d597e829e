// Verification in three launches. The first reads every row once, a piece a block, and keeps a maximum and a sum a
// piece: the online softmax, and at once the masses from which a draw from q finds its piece. The second decides (each
// block for itself: that is some hundred numbers) and, where a draft was not kept, sums relu(q - p) by piece; the third
// finds the piece and in it the token. Every sum has a fixed order and every random number a counter: a launch repeats.
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

// First launch: a block a piece of a row.
template <class Thread, class T>
STRATA_BODY void verify_statistics(Thread& t, const VerifyTask<T>& task) {
    const long pieces = pieces_of(task), rows = rows_of(task);
    const long sequence = t.block() / (rows * pieces), begin = t.block() % pieces * piece_width(task);
    const int row = int(t.block() / pieces % rows);
    const T* logits =
        row <= task.drafts ? target_row(task, sequence, row) : draft_row(task, sequence, row - task.drafts - 1);
    LogitsSlice<T, kVerifyPacks> slice;
    load_slice(t, slice, logits, begin, task.vocabulary, rows_are_packed<T>(task.vocabulary));
    float x[LogitsSlice<T, kVerifyPacks>::kCount];
    to_floats(x, slice);
    OnlineSoftmax softmax;
    absorb(softmax, x, kLog2e / temperature_of(task, sequence));
    softmax = merged(t, softmax, reinterpret_cast<float*>(t.shared()));
    if (t.thread() == 0) task.statistics[t.block()] = {softmax.max, softmax.sum, -1};
}

// First launch of greedy decoding. Indices are compared as their negatives: of equals the first is the largest.
template <class Thread, class T>
STRATA_BODY void verify_best(Thread& t, const VerifyTask<T>& task) {
    const long pieces = pieces_of(task), rows = rows_of(task);
    const long sequence = t.block() / (rows * pieces), begin = t.block() % pieces * piece_width(task);
    LogitsSlice<T, kVerifyPacks> slice;
    load_slice(t, slice, target_row(task, sequence, int(t.block() / pieces % rows)), begin, task.vocabulary,
               rows_are_packed<T>(task.vocabulary));
    float highest = -INFINITY;
    int best = INT32_MAX, broken = 0;
    STRATA_UNROLL
    for (int i = 0; i < kVerifyPacks; ++i) {
        const int first = int(pack_begin<T>(t, begin, i));
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e) {
            const float x = slice.get(i * Pack<T>::kSize + e);
            if (x > highest) highest = x, best = first + e;
            broken |= x != x;
        }
    }
    const float highest_of_all = block_max(t, highest, reinterpret_cast<float*>(t.shared()));
    int* scratch = reinterpret_cast<int*>(t.shared());
    best = -block_max(t, highest == highest_of_all ? -best : -INT32_MAX, scratch);
    broken = block_max(t, broken, scratch);
    if (t.thread() == 0) task.statistics[t.block()] = {highest_of_all, broken ? NAN : 0.0f, best};
}

// log2 of a row's sum of powers from its pieces, by a warp; NaN where no law can be read off the row.
template <class Thread>
STRATA_BODY float row_log2_sum(Thread& t, const PieceStatistics* pieces, long count) {
    float max = OnlineSoftmax::kLowest, sum = 0;
    for (long piece = t.lane(); piece < count; piece += 32) max = fmaxf(max, pieces[piece].max);
    max = warp_max(t, max);
    for (long piece = t.lane(); piece < count; piece += 32) sum += pieces[piece].sum * exp2_of(pieces[piece].max - max);
    const OnlineSoftmax row{max, warp_sum(t, sum)};
    return row.is_law() ? row.log2_sum() : NAN;
}

// What a position says of its draft.
enum class DraftVerdict : int { kept, replaced, draft_out_of_range, no_law };

template <class T>
STRATA_HD DraftVerdict draft_verdict(const VerifyTask<T>& task, long sequence, int position, float scale,
                                     float target_log2_sum, float draft_log2_sum) {
    const int draft = task.draft_tokens[sequence * task.drafts + position];
    if (draft < 0 || draft >= task.vocabulary) return DraftVerdict::draft_out_of_range;
    const float q = exp2_of(fmaf(to_float(target_row(task, sequence, position)[draft]), scale, -target_log2_sum));
    float p = 1;
    if (task.law != DraftLaw::certain) p = to_float(draft_row(task, sequence, position)[draft]);
    if (task.law == DraftLaw::logits) p = exp2_of(fmaf(p, scale, -draft_log2_sum));
    if (!(q >= 0) || !(p >= 0)) return DraftVerdict::no_law;
    const auto random = random_words(task.seed, stream_of(task, sequence), task.step, std::uint32_t(position));
    return keeps_draft(unit_float(random.at[0]), p, q) ? DraftVerdict::kept : DraftVerdict::replaced;
}

// The same for every thread of the block. `shared`: 3 kMostDrafts + 1 words.
template <class Thread, class T>
STRATA_BODY VerifyDecision decide(Thread& t, const VerifyTask<T>& task, long sequence, float* shared) {
    float* log2_sums = shared;  // [rows]
    DraftVerdict* verdicts = reinterpret_cast<DraftVerdict*>(shared + 2 * kMostDrafts + 1);
    const float temperature = temperature_of(task, sequence);
    for (int row = t.warp(); row < rows_of(task); row += t.warps()) {
        const float log2_sum = row_log2_sum(t, row_statistics(task, sequence, row), pieces_of(task));
        if (t.lane() == 0) log2_sums[row] = log2_sum;
    }
    t.sync();
    const bool has_draft_sums = task.law == DraftLaw::logits;
    if (t.thread() < task.drafts)
        verdicts[t.thread()] = draft_verdict(task, sequence, t.thread(), kLog2e / temperature, log2_sums[t.thread()],
                                             has_draft_sums ? log2_sums[task.drafts + 1 + t.thread()] : 0.0f);
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
template <class T>
STRATA_HD float draw_weight(const VerifyTask<T>& task, const VerifyDecision& decision, bool from_target, float scale,
                            float target_logit, float draft_entry, bool is_draft) {
    const float q = exp2_of(fmaf(target_logit, scale, -decision.target_log2_sum));
    if (from_target) return q;
    const float p = task.law == DraftLaw::certain         ? (is_draft ? 1.0f : 0.0f)
                    : task.law == DraftLaw::probabilities ? draft_entry
                                                          : exp2_of(fmaf(draft_entry, scale, -decision.draft_log2_sum));
    return residual_weight(q, p);
}

// Second launch: a block a piece of the row that the last token comes from.
template <class Thread, class T>
STRATA_BODY void verify_masses(Thread& t, const VerifyTask<T>& task) {
    const long pieces = pieces_of(task), sequence = t.block() / pieces, piece = t.block() % pieces;
    float* shared = reinterpret_cast<float*>(t.shared());
    const VerifyDecision decision = decide(t, task, sequence, shared);
    if (piece == 0 && t.thread() == 0) task.decisions[sequence] = decision;
    if (decision.status != VerifyStatus::fine || decision.all_kept) return;
    const long begin = piece * piece_width(task);
    const bool packed = rows_are_packed<T>(task.vocabulary), reads_drafts = task.law != DraftLaw::certain;
    LogitsSlice<T, kVerifyPacks> target, draft;
    load_slice(t, target, target_row(task, sequence, decision.kept), begin, task.vocabulary, packed);
    // Beyond the end q is 0, and so is its weight whatever p is there.
    if (reads_drafts) load_slice(t, draft, draft_row(task, sequence, decision.kept), begin, task.vocabulary, packed);
    const float scale = kLog2e / temperature_of(task, sequence);
    const int token = task.draft_tokens[sequence * task.drafts + decision.kept];
    float mass = 0;
    STRATA_UNROLL
    for (int i = 0; i < kVerifyPacks; ++i) {
        const long first = pack_begin<T>(t, begin, i);
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e) {
            if (first + e >= task.vocabulary) continue;
            const int at = i * Pack<T>::kSize + e;
            mass += draw_weight(task, decision, false, scale, target.get(at), reads_drafts ? draft.get(at) : 0.0f,
                                first + e == token);
        }
    }
    mass = block_sum(t, mass, shared + 3 * kMostDrafts + 1);
    if (t.thread() == 0) task.masses[t.block()] = mass;
}

}  // namespace strata
