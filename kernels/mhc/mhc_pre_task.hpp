// What `pre` of mHC is asked for, in its three forms, and how a cluster's shared memory is divided for it.
#pragma once

#include <algorithm>

#include "kernels/mhc/mhc_post_body.hpp"

namespace strata {

enum class MhcForm {
    pre,         // gates and the layer's input from the streams
    fused,       // `post` of the site before first: the new streams are written, and mixed while they are at hand
    single_pass  // V4.1: as fused, but the input is gathered with the gates of the site before
};

struct MhcPreTask {
    MhcForm form = MhcForm::pre;
    const Bf16* residual = nullptr;  // [tokens][4][hidden]; but for `pre`, those of the site before
    const float* fn = nullptr;       // [24][4 hidden]
    MhcGates gates{};
    Bf16* layer_in = nullptr;  // [tokens][hidden]
    float* post = nullptr;     // [tokens][4]
    float* comb = nullptr;     // [tokens][4][4]
    float* pre = nullptr;      // [tokens][4]; needed by single_pass, which uses it at the next site
    float* mixes = nullptr;    // [tokens][24], where they are wanted
    // Of the site before; not for `pre`.
    const Bf16* layer_out = nullptr;  // [tokens][hidden]
    const float* last_post = nullptr;
    const float* last_comb = nullptr;
    const float* last_pre = nullptr;  // single_pass only; at the first layer 1, 0, 0, 0 for every token
    Bf16* new_residual = nullptr;     // may be `residual`
    long tokens = 0;
    int hidden = 0;    // 1024, 4096, 5120 or 7168
    int clusters = 8;  // that run at once, at most: an H200 was found to have room for 7, 112 of its multiprocessors
};

inline constexpr int kMhcCluster = 16;          // blocks; each has 1/16 of hidden, of all four streams
inline constexpr int kMhcSums = kMhcMixes + 1;  // and the sum of squares
inline constexpr long kMhcSharedBytes = 227 * 1024;

// How a block works: its warps share the products, `steps` times 16 for each; a tile is eight tokens. A warpgroup more
// moves tiles and brings sums together.
template <int warps, int steps, MhcForm form_>
struct MhcPlan {
    static constexpr int kWarps = warps;
    static constexpr int kThreads = 32 * (warps + 4);
    // A thread of the warps that multiply, and of the others. Few warps have enough as they are.
    static constexpr bool kSharesRegisters = warps == 16;
    static constexpr MhcForm kForm = form_;
    static constexpr bool kSpreads = form_ != MhcForm::pre, kIsTight = kSpreads && steps > 5;
    static constexpr bool kKeepsPlaces = steps <= 5 || form_ != MhcForm::single_pass;  // in registers
    static constexpr int kRegisters = steps > 5 ? 112 : 104, kOtherRegisters = steps > 5 ? 32 : 64;
    static constexpr int kSteps = steps;
    static constexpr int kTokens = 8;
    static constexpr int kHidden = 64 * warps * steps;
    static constexpr int kSlice = kHidden / kMhcCluster;  // of hidden, a block
    // A tile comes in boxes of 64 elements, swizzled: in elements, [box][stream, then layer_out][token][64].
    static constexpr int kBoxes = kSlice / 64;
    static constexpr int kRow = 64, kStreamRows = kTokens * kRow;
    static constexpr int kBox = (kSpreads ? 5 : 4) * kStreamRows;
    static_assert(kSlice % 64 == 0 && kTokens <= kMhcCluster);

    static constexpr long kStageBytes = 2L * kBoxes * kBox;
    // Of the site before, in floats, beside each stage: post [8][4], comb [8][4][4], pre [8][4].
    static constexpr int kLastComb = kTokens * 4, kLastPre = kTokens * 20;
    static constexpr long kLastBytes = kSpreads ? kTokens * 24 * 4L : 0L;
    static constexpr long kPartialBytes = warps * 8L * kMhcSums * 4;
    static constexpr long kInboxBytes = kMhcCluster * kMhcSums * 4L;
    static constexpr long kGateBytes = kTokens * 4 * 4L;
    // Seven steps' part of fn and all else do not fit the registers together: one step's is in shared memory.
    static constexpr int kStepsInRegisters = std::min(steps, 6);
    static constexpr long kFnBytes = (steps - kStepsInRegisters) * 3L * 16 * 32 * warps;
    // A tile's input is gathered so many turns after its products: its sums go through the cluster and come back as
    // gates in about 2400 cycles (estimated), and a turn of a large slice takes longer than one of a small.
    static constexpr int kLag = form_ == MhcForm::single_pass ? 0 : kIsTight ? 2 : 3;
    static constexpr int kSlots = std::max(kLag + 1, 3);  // for sums and gates on their way
    static constexpr int kFewStages = kLag + 3;           // multiplied, waiting, being written, being loaded
    static constexpr int kMostStages = kSlice >= 448 ? 7 : 12;
    static constexpr long kBarrierBytes = (2 * kMostStages + 9 + 2 * kSlots) * 8L / 16 * 16 + 16;
    static constexpr long kOtherBytes = kFnBytes + kPartialBytes + kSlots * (kInboxBytes + kGateBytes) + kBarrierBytes;
    static constexpr int kStages =
        int(std::min((kMhcSharedBytes - kOtherBytes) / (kStageBytes + kLastBytes), long(kMostStages)));
    static_assert(kStages >= kFewStages);
    // fn's part of the block as it comes, in FP32 and in three bands, in the room of the first tiles.
    static constexpr int kFnBox = 8 * kMhcStreams * 32;
    static constexpr long kFnBandBytes = kSlice / 32 * kFnBox * 4L;
    static_assert(3 * kFnBandBytes <= kStages * kStageBytes);
    static constexpr long kBytes = kOtherBytes + kStages * (kStageBytes + kLastBytes);
};

// The smallest size is for checks: it has fewer warps.
template <MhcForm form, class Use>
auto with_plan_of_form(const MhcPreTask& task, Use use) {
    switch (task.hidden) {
        case 4096: return use(MhcPlan<16, 4, form>{});
        case 5120: return use(MhcPlan<16, 5, form>{});
        case 7168: return use(MhcPlan<16, 7, form>{});
        default: return use(MhcPlan<4, 4, form>{});
    }
}

template <class Use>
auto with_plan(const MhcPreTask& task, Use use) {
    switch (task.form) {
        case MhcForm::pre: return with_plan_of_form<MhcForm::pre>(task, use);
        case MhcForm::fused: return with_plan_of_form<MhcForm::fused>(task, use);
        default: return with_plan_of_form<MhcForm::single_pass>(task, use);
    }
}

inline void require_valid(const MhcPreTask& task) {
    if (task.tokens < 0 || task.tokens > 1L << 28 ||
        (task.hidden != 1024 && task.hidden != 4096 && task.hidden != 5120 && task.hidden != 7168))
        throw std::invalid_argument("mhc_pre: " + std::to_string(task.tokens) + " tokens of " +
                                    std::to_string(task.hidden) + " elements; hidden must be 1024, 4096, 5120 or 7168");
    if (task.clusters < 1)
        throw std::invalid_argument("mhc_pre: " + std::to_string(task.clusters) + " clusters; expected at least one");
    if (task.gates.iterations < 1)
        throw std::invalid_argument("mhc_pre: " + std::to_string(task.gates.iterations) +
                                    " iterations of Sinkhorn; expected at least one");
    if (task.tokens == 0) return;
    if (!task.gates.scale || !task.gates.base) throw std::invalid_argument("mhc_pre: scale or base is missing");
    require_buffers("mhc_pre", {task.residual, task.fn, task.layer_in, task.post, task.comb});
    if (task.form != MhcForm::pre)
        require_buffers("mhc_pre after post", {task.layer_out, task.last_post, task.last_comb, task.new_residual});
    if (task.form == MhcForm::single_pass) require_buffers("mhc_pre in a single pass", {task.last_pre, task.pre});
}

// Two tiles a cluster, for each cluster reads all of fn: where tokens are few that takes longest.
inline Grid grid_of(const MhcPreTask& task) {
    return with_plan(task, [&](auto plan) {
        using Plan = decltype(plan);
        const long pairs = ceil_div(task.tokens, 2 * Plan::kTokens);
        return Grid{.blocks = int(std::min(pairs, long(task.clusters))) * kMhcCluster,
                    .threads = Plan::kThreads,
                    .cluster = kMhcCluster,
                    .shared_bytes = std::size_t(Plan::kBytes)};
    });
}

}  // namespace strata
