// GRPO's loss from the log p of tokens, and its slope for each: a warp a group for the advantages, a block a sequence
// for the losses, one block for the totals. All of it is small beside one reading of the logits. Sums are in double and
// in a fixed order.
//   loss = -min(ratio A, clip(ratio) A) + kl_weight * estimate,  ratio = exp(logp - old)
//   estimate = exp(ref - logp) - (ref - logp) - 1, times the ratio where unbiased (arXiv 2512.02556)
// An advantage of 0 gives a first term of 0 whatever the ratio. On an edge of the clip range a token still learns.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/rl/grpo.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct GroupAdvantageTask {
    const float* rewards = nullptr;  // [groups][size]; a NaN stays within its group
    float* advantages = nullptr;     // [groups][size]
    long groups = 0;
    long size = 0;
    float epsilon = 1e-4f;  // TRL's; DeepSeekMath names none
};

inline constexpr int kSequencesOutOfRange = 2;  // in *error: offsets that do not ascend within the tokens

struct SequenceSums {
    double loss;  // weighted within the sequence as the aggregation says
    double kl;    // not weighted
    long counted;
};

struct PolicyTotals {
    float loss;
    float kl;      // mean of the estimate over counted tokens; 0 without kl_weight
    float weight;  // what slopes have still to be multiplied by: 1 / counted tokens, or 1 / sequences
    int counted;
};

struct PolicyLossTask {
    const float* logp = nullptr;            // [tokens]
    const float* old_logp = nullptr;        // [tokens], of the policy that sampled them
    const float* reference_logp = nullptr;  // [tokens]; not needed without kl_weight
    const std::uint8_t* counted = nullptr;  // [tokens]; null: all count
    const long* offsets = nullptr;          // [sequences + 1], ascending, from 0 to tokens
    const float* advantages = nullptr;      // [sequences]
    float* losses = nullptr;                // [tokens], before aggregation; 0 where not counted
    float* slopes = nullptr;                // [tokens]; d loss / d logp once multiplied by totals->weight
    SequenceSums* sums = nullptr;           // [sequences]
    PolicyTotals* totals = nullptr;
    int* error = nullptr;
    long tokens = 0;
    long sequences = 0;
    GrpoOptions options{};
};

inline void require_valid(const GroupAdvantageTask& task) {
    if (task.groups < 0 || task.groups > 0x7FFFFFFF || task.size < 1)
        throw std::invalid_argument("group advantage: " + std::to_string(task.groups) + " groups of " +
                                    std::to_string(task.size) + "; expected groups of at least one");
    if (task.groups > 0 && (!task.rewards || !task.advantages))
        throw std::invalid_argument("group advantage: rewards and advantages are both needed");
    if (!(task.epsilon > 0)) throw std::invalid_argument("group advantage: epsilon must be positive");
}

inline void require_valid(const PolicyLossTask& task) {
    const GrpoOptions& options = task.options;
    if (task.tokens < 0 || task.sequences < 0 || task.sequences > 0x7FFFFFFF)
        throw std::invalid_argument("policy loss: " + std::to_string(task.tokens) + " tokens in " +
                                    std::to_string(task.sequences) + " sequences");
    if (!task.totals || !task.error || (task.sequences > 0 && (!task.offsets || !task.advantages || !task.sums)) ||
        (task.tokens > 0 && (!task.logp || !task.old_logp || !task.losses || !task.slopes)) ||
        (task.tokens > 0 && options.kl_weight != 0 && !task.reference_logp))
        throw std::invalid_argument("policy loss: a buffer that is needed is missing");
    if (!(options.clip_low >= 0 && options.clip_low <= 1) || !(options.clip_high >= 0))
        throw std::invalid_argument("policy loss: clip_low must be in [0, 1] and clip_high not below 0");
    if (options.cap != 0 && !(options.cap > 1 + options.clip_high))
        throw std::invalid_argument("policy loss: a cap of " + std::to_string(options.cap) +
                                    "; expected 0 or more than 1 + clip_high");
}

inline constexpr int kPolicyThreads = 256;
inline constexpr int kPolicyWarps = kPolicyThreads / 32;

inline Grid grid_of(const GroupAdvantageTask& task) {
    return {.blocks = int(ceil_div(task.groups, kPolicyWarps)), .threads = kPolicyThreads};
}
inline Grid grid_of(const PolicyLossTask& task) {
    return {.blocks = int(task.sequences), .threads = kPolicyThreads, .shared_bytes = kPolicyWarps * sizeof(double)};
}
inline Grid totals_grid_of(const PolicyLossTask&) {
    return {.blocks = 1, .threads = kPolicyThreads, .shared_bytes = kPolicyWarps * sizeof(double)};
}

// In double, so that equal rewards have exactly their mean and advantage 0.
template <class Thread>
STRATA_BODY void group_advantage(Thread& t, const GroupAdvantageTask& task) {
    const long group = long(t.block()) * kPolicyWarps + t.warp();
    if (group >= task.groups) return;
    const float* rewards = task.rewards + group * task.size;
    double sum = 0, squares = 0;
    for (long i = t.lane(); i < task.size; i += 32) sum += rewards[i];
    const double mean = warp_sum(t, sum) / double(task.size);
    for (long i = t.lane(); i < task.size; i += 32) squares += (rewards[i] - mean) * (rewards[i] - mean);
    squares = warp_sum(t, squares);
    const double deviation = task.size > 1 ? sqrt(squares / double(task.size - 1)) : 0.0;
    for (long i = t.lane(); i < task.size; i += 32)
        task.advantages[group * task.size + i] = float((rewards[i] - mean) / (deviation + double(task.epsilon)));
}

struct TokenLoss {
    float loss;
    float slope;
    float kl;
};

STRATA_HD TokenLoss token_loss(float logp, float old_logp, float reference_logp, float advantage, bool teaches,
                               const GrpoOptions& options) {
    TokenLoss out{0, 0, 0};
    const float ratio = expf(logp - old_logp);
    if (teaches && advantage != 0) {
        const float capped = options.cap > 0 ? min_of(ratio, options.cap) : ratio;
        const float clipped = min_of(max_of(ratio, 1 - options.clip_low), 1 + options.clip_high);
        const float gain = capped * advantage, gain_clipped = clipped * advantage;
        out.loss = -(gain <= gain_clipped ? gain : gain_clipped);
        if (capped == ratio && gain <= gain_clipped) out.slope = -advantage * ratio;
        if (ratio != ratio) out.loss = out.slope = ratio;  // a NaN stays seen: comparisons above would drop it
    }
    if (options.kl_weight != 0) {
        const float away = reference_logp - logp;
        const float power = expm1f(away);
        out.kl = power - away;
        out.loss += options.kl_weight * (options.unbiased_kl ? ratio * out.kl : out.kl);
        // d kl / d logp = -power; with the ratio in front, ratio * kl - ratio * power is -ratio * away
        out.slope -= options.kl_weight * (options.unbiased_kl ? ratio * away : power);
    }
    return out;
}

template <class Thread>
STRATA_BODY void policy_loss(Thread& t, const PolicyLossTask& task) {
    double* scratch = reinterpret_cast<double*>(t.shared());
    const long sequence = t.block();
    const long begin = task.offsets[sequence], end = task.offsets[sequence + 1];
    if (begin < 0 || begin > end || end > task.tokens) {
        if (t.thread() == 0) {
            t.atomic_max(task.error, kSequencesOutOfRange);
            task.sums[sequence] = {0, 0, 0};
        }
        return;
    }
    const auto counts = [&](long token) { return !task.counted || task.counted[token]; };
    double counted = 0, drift = 0;
    for (long token = begin + t.thread(); token < end; token += kPolicyThreads)
        if (counts(token)) counted += 1, drift += double(task.old_logp[token]) - double(task.logp[token]);
    counted = block_sum(t, counted, scratch);
    drift = block_sum(t, drift, scratch);
    const float advantage = task.advantages[sequence];
    const double limit = task.options.off_policy_limit;
    const bool teaches = !(limit > 0 && advantage < 0 && drift > limit * counted);
    const double weight = task.options.aggregation == Aggregation::sequences && counted > 0 ? 1 / counted : 1.0;
    double loss = 0, kl = 0;
    for (long token = begin + t.thread(); token < end; token += kPolicyThreads) {
        TokenLoss of{0, 0, 0};
        if (counts(token))
            of = token_loss(task.logp[token], task.old_logp[token],
                            task.options.kl_weight != 0 ? task.reference_logp[token] : 0.0f, advantage, teaches,
                            task.options);
        task.losses[token] = of.loss;
        task.slopes[token] = float(of.slope * weight);
        loss += of.loss * weight, kl += of.kl;
    }
    loss = block_sum(t, loss, scratch);
    kl = block_sum(t, kl, scratch);
    if (t.thread() == 0) task.sums[sequence] = {loss, kl, long(counted)};
}

// After policy_loss, in a launch of its own.
template <class Thread>
STRATA_BODY void policy_totals(Thread& t, const PolicyLossTask& task) {
    double* scratch = reinterpret_cast<double*>(t.shared());
    double loss = 0, kl = 0, counted = 0;
    for (long i = t.thread(); i < task.sequences; i += kPolicyThreads)
        loss += task.sums[i].loss, kl += task.sums[i].kl, counted += double(task.sums[i].counted);
    loss = block_sum(t, loss, scratch);
    kl = block_sum(t, kl, scratch);
    counted = block_sum(t, counted, scratch);
    if (t.thread() != 0) return;
    const double parts = task.options.aggregation == Aggregation::tokens ? counted : double(task.sequences);
    const double weight = parts > 0 ? 1 / parts : 0.0;  // nothing counted: a loss of 0
    *task.totals = {float(loss * weight), float(counted > 0 ? kl / counted : 0.0), float(weight), int(counted)};
}

}  // namespace strata
