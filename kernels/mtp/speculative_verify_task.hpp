// The task of verifying drafts, and the sizes that follow from it.
//
// Stated where the definition leaves it open:
// - NaN, +inf or nothing but -inf among a row's logits (a NaN among p; p(x) below 0): no law can be read off the row.
// The
//   sequence emits what was kept before the row's position and nothing more, and its status says why. Greedy decoding
//   refuses NaN and rows of -inf only. A draft outside the vocabulary and a temperature that is not positive: likewise.
//   Positions after the first that is not kept are not looked at.
// - relu(q - p) that vanishes everywhere though x was not kept (p = q but for rounding): the draw is from q.
// - top-k and top-p are not applied here: logits that a sampler masked arrive as -inf.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/mtp/speculative_verify.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

enum class VerifyStatus : int { fine = 0, draft_out_of_range = 1, no_law = 2, bad_temperature = 3 };

// Of a piece of a row: its largest scaled logit and the sum of powers of two below it; greedy: the largest logit, where
// it is, and a sum of NaN if any is NaN.
struct PieceStatistics {
    float max;
    float sum;
    int best;
};

// What became of a sequence's drafts; from the row at position `kept` comes the last token.
struct VerifyDecision {
    int kept;
    VerifyStatus status;
    bool all_kept;
    float target_log2_sum;
    float draft_log2_sum;
};

template <class T>
struct VerifyTask {
    const T* target_logits = nullptr;        // [sequences][drafts + 1][vocabulary]; Bf16 or float
    const T* draft_law = nullptr;            // [sequences][drafts][vocabulary]; not read where certain or greedy
    const int* draft_tokens = nullptr;       // [sequences][drafts]
    const float* temperatures = nullptr;     // [sequences], of both laws; null: 1. Greedy has none
    const std::uint64_t* streams = nullptr;  // [sequences]: whose random numbers; null: the index
    PieceStatistics* statistics = nullptr;   // scratch: statistics_of(task)
    float* masses = nullptr;                 // scratch: masses_of(task); not needed by greedy decoding
    VerifyDecision* decisions = nullptr;     // scratch: [sequences]; not needed by greedy decoding
    int* tokens = nullptr;                   // [sequences][drafts + 1]: emitted, then -1
    int* emitted = nullptr;                  // [sequences]: how many, kept + 1
    VerifyStatus* status = nullptr;          // [sequences]
    long sequences = 0;
    long vocabulary = 0;
    int drafts = 0;
    DraftLaw law = DraftLaw::logits;
    bool greedy = false;     // keep the target's best tokens; of equals the first
    std::uint64_t seed = 0;  // random numbers follow from seed, stream, step and position
    std::uint32_t step = 0;
    int threads = 256;  // a block; fewer make smaller pieces
};

inline constexpr int kVerifyThreads = 256;
inline constexpr int kVerifyPacks = 4;  // a thread, in flight at once
inline constexpr int kMostDrafts = 16;
inline constexpr int kDecisionWords = 3 * kMostDrafts + 2;  // of shared memory, an even number

inline constexpr int kMostPieces = 32;  // of a block, one after the other
// Blocks that an H200 runs at once, as registers allow: four an SM of the first launch, and three or two of the second.
inline constexpr int kStatisticsPlaces = 4 * 132;
template <class T>
inline constexpr int kMassesPlaces = (sizeof(T) == 4 ? 3 : 2) * 132;

template <class T>
STRATA_HD int piece_width(const VerifyTask<T>& task) {
    return task.threads * kVerifyPacks * Pack<T>::kSize;
}
template <class T>
STRATA_HD int pieces_of(const VerifyTask<T>& task) {
    return (int(task.vocabulary) + piece_width(task) - 1) / piece_width(task);  // a division of 64 bits is a call
}
// Rows that have statistics, a sequence: the target's, then the draft model's.
template <class T>
STRATA_HD int rows_of(const VerifyTask<T>& task) {
    return task.drafts + 1 + (task.law == DraftLaw::logits && !task.greedy ? task.drafts : 0);
}

// Blocks that share each of so many rows: as many as all run at once, and one where there are more rows.
template <class T>
STRATA_HD int parts_of(const VerifyTask<T>& task, long rows, int places) {
    const int pieces = pieces_of(task), wanted = rows < places ? places / int(rows) : 1;
    const int needed = (pieces + kMostPieces - 1) / kMostPieces;
    return wanted > pieces ? pieces : wanted > needed ? wanted : needed;
}

// The pieces of one of them.
struct Part {
    long row;
    int part;
    int first;
    int last;  // behind the last
};

template <class T>
STRATA_HD Part part_of(const VerifyTask<T>& task, int parts, int block) {
    const int pieces = pieces_of(task), part = block % parts;
    const int each = pieces / parts, longer = pieces % parts;  // parts that have one more
    const int first = part * each + (part < longer ? part : longer);
    return {block / parts, part, first, first + each + (part < longer)};
}

// Of the first launch, and of the second.
template <class T>
STRATA_HD int statistics_parts(const VerifyTask<T>& task) {
    return parts_of(task, task.sequences * rows_of(task), kStatisticsPlaces);
}
template <class T>
STRATA_HD int masses_parts(const VerifyTask<T>& task) {
    return parts_of(task, task.sequences, kMassesPlaces<T>);
}

template <class T>
long statistics_of(const VerifyTask<T>& task) {
    return task.sequences * rows_of(task) * pieces_of(task);
}
template <class T>
long masses_of(const VerifyTask<T>& task) {
    return task.sequences * pieces_of(task);
}

template <class T>
void require_valid(const VerifyTask<T>& task) {
    const auto refuse = [](const std::string& why) { throw std::invalid_argument("speculative verify: " + why); };
    if (task.sequences < 0 || task.vocabulary <= 0 || task.vocabulary >= 1L << 30)
        refuse(std::to_string(task.sequences) + " sequences over " + std::to_string(task.vocabulary) +
               " tokens; expected a positive vocabulary below 2^30");
    if (task.drafts < 0 || task.drafts > kMostDrafts)
        refuse(std::to_string(task.drafts) + " drafts; expected 0 to " + std::to_string(kMostDrafts));
    if (task.threads < 32 || task.threads > kVerifyThreads || task.threads % 32 != 0)
        refuse("blocks of " + std::to_string(task.threads) + " threads; expected a multiple of 32 up to 256");
    if (statistics_of(task) > 0x7FFFFFFF) refuse("too many rows for one launch; give it fewer sequences");
    if (task.sequences == 0) return;
    const bool drawn = !task.greedy;
    if (!task.target_logits || (task.drafts > 0 && !task.draft_tokens) || !task.statistics || !task.tokens ||
        !task.emitted || !task.status || (drawn && (!task.masses || !task.decisions)) ||
        (drawn && task.law != DraftLaw::certain && task.drafts > 0 && !task.draft_law))
        refuse("a buffer that is needed is missing");
    if (reinterpret_cast<std::uintptr_t>(task.target_logits) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.draft_law) % 16 != 0)
        refuse("logits must be aligned to 16 bytes");
}

// One grid a launch: statistics of pieces, then, unless drafts are certain, decisions and masses of pieces, then the
// draw; greedy decoding takes the first and the last. Shared memory: two words a warp for each piece of a block.
template <class T>
Grid statistics_grid_of(const VerifyTask<T>& task) {
    return {.blocks = int(task.sequences * rows_of(task) * statistics_parts(task)),
            .threads = task.threads,
            .shared_bytes = kMostPieces * (kVerifyThreads / 32) * 2 * sizeof(float)};
}
template <class T>
Grid masses_grid_of(const VerifyTask<T>& task) {
    return {.blocks = int(task.sequences * masses_parts(task)),
            .threads = task.threads,
            .shared_bytes = (kDecisionWords + kMostPieces * (kVerifyThreads / 32)) * sizeof(float)};
}
template <class T>
Grid draw_grid_of(const VerifyTask<T>& task) {
    return {.blocks = int(task.sequences),
            .threads = task.threads,
            .shared_bytes = 20 * sizeof(double) + (kDecisionWords + kVerifyThreads / 32) * sizeof(float)};
}

}  // namespace strata
