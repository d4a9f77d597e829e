// Routing, thread by thread. A warp routes a token: a lane holds neighbouring experts in registers, so that the lowest
// lane with a value is the lowest expert with it, and each of the k rounds is one maximum over the warp. All that comes
// from memory is asked for first: few tokens take little longer than a trip there. Scores of the chosen are computed
// anew, from logits that L1 has, because carrying them through the rounds takes longer.
// A NaN logit counts as the lowest number (its score is 0 beside others) and an infinite one as the largest, so that
// weights are finite and experts in range whatever comes; `fault` then tells of NaN.
#pragma once

#include <cfloat>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "kernels/arithmetic.hpp"
#include "kernels/moe/score.hpp"
#include "kernels/ordered.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// What a router found wrong with its data; the result is defined all the same.
inline constexpr std::int32_t kNanLogit = 1;
inline constexpr std::int32_t kNoSuchExpert = 2;  // of the table or of the placement: expert -1, weight 0

struct RouteTask {
    const float* logits = nullptr;        // [tokens][experts]
    const float* bias = nullptr;          // [experts]; none: all 0
    const std::uint8_t* alive = nullptr;  // [tokens], 0: the token gets experts -1 and weights 0; none: all are alive
    std::int32_t* experts_out = nullptr;  // [tokens][k], best first
    float* weights = nullptr;             // [tokens][k]
    std::int32_t* fault = nullptr;        // one number, raised to kNanLogit or kNoSuchExpert; may be absent
    long tokens = 0;
    int experts = 0;  // 128, 256, 384 or 512
    int k = 0;
    Score score = Score::sigmoid;
    int groups = 1;  // a power of two
    int kept_groups = 1;
    float scale = 1;

    // Hash-routed layers: the experts of a token stand in a table.
    const std::int32_t* table = nullptr;      // [vocabulary][k]
    const std::int32_t* token_ids = nullptr;  // [tokens]
    long vocabulary = 0;

    // Duplicated experts: what is written is copy (rank + token * 23333) % copies of the chosen one.
    const std::int32_t* copies = nullptr;       // [experts]
    const std::int32_t* physical_of = nullptr;  // [experts][most_copies]
    int most_copies = 0;
    long rank = 0;
};

inline void require_valid(const RouteTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("router: " + what); };
    if (task.tokens < 0 || task.experts % 128 != 0 || task.experts < 128 || task.experts > 512)
        refuse(std::to_string(task.tokens) + " tokens, " + std::to_string(task.experts) +
               " experts; expected 128, 256, 384 or 512 experts");
    if (task.groups < 1 || task.groups > 32 || (task.groups & (task.groups - 1)) != 0 || task.kept_groups < 1 ||
        task.kept_groups > task.groups)
        refuse(std::to_string(task.kept_groups) + " of " + std::to_string(task.groups) +
               " groups; expected a power of two of groups, up to 32, and at most as many kept");
    if (task.k < 1 || task.k > 32 || task.k > task.experts / task.groups * task.kept_groups)
        refuse("k is " + std::to_string(task.k) + "; expected 1 to 32, and no more than the kept groups hold");
    if (task.tokens > 0 && (!task.logits || !task.experts_out || !task.weights))
        refuse("a buffer is missing (logits, experts_out and weights are all needed)");
    if (!task.table != !task.token_ids || (task.table && task.vocabulary < 1))
        refuse("a table needs token ids and the size of its vocabulary");
    if (!task.copies != !task.physical_of || (task.copies && (task.most_copies < 1 || task.rank < 0)))
        refuse("copies need physical_of, most_copies and a rank");
    if (reinterpret_cast<std::uintptr_t>(task.logits) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.bias) % 16 != 0)
        refuse("logits and bias must be aligned to 16 bytes");
}

inline constexpr int kRouteThreads = 128;

inline Grid grid_of(const RouteTask& task) {
    return {.blocks = int(ceil_div(task.tokens, kRouteThreads / 32)), .threads = kRouteThreads};
}

// call(std::integral_constant<int, experts a lane>): the kernel holds them in registers, so it is compiled for each.
template <class Call>
void with_experts_a_lane(const RouteTask& task, Call call) {
    switch (task.experts / 128) {
        case 1: return call(std::integral_constant<int, 4>{});
        case 2: return call(std::integral_constant<int, 8>{});
        case 3: return call(std::integral_constant<int, 12>{});
        default: return call(std::integral_constant<int, 16>{});
    }
}

// NaN is not above anything, so it becomes the lowest number.
STRATA_HD float bounded(float x) { return min_of(max_of(x, -FLT_MAX), FLT_MAX); }

// Softmax over the experts divides e^(logit - largest) by their sum; the other two need no more than the logit.
struct Normaliser {
    float largest = 0;
    float sum = 1;
};

template <Score score>
STRATA_HD float score_as(float logit, Normaliser over) {
    const float x = bounded(logit);
    if constexpr (score == Score::sigmoid) return sigmoid(x);
    if constexpr (score == Score::softmax) return exp_of(x - over.largest) / over.sum;
    return std::sqrt(max_of(x, 0) + log1pf(exp_of(x < 0 ? x : -x)));
}

STRATA_HD float score_of(float logit, Score score, Normaliser over) {
    if (score == Score::sigmoid) return score_as<Score::sigmoid>(logit, over);
    if (score == Score::softmax) return score_as<Score::softmax>(logit, over);
    return score_as<Score::sqrt_softplus>(logit, over);
}

// Those of a lane: the kind of score is asked once, so that they are computed side by side.
template <Score score, int kPerLane>
STRATA_BODY void scores_as(const float (&logits)[kPerLane], Normaliser over, float (&scores)[kPerLane]) {
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) scores[i] = score_as<score>(logits[i], over);
}

template <int kPerLane>
STRATA_BODY void scores_of(const float (&logits)[kPerLane], Score score, Normaliser over, float (&scores)[kPerLane]) {
    if (score == Score::sigmoid) return scores_as<Score::sigmoid>(logits, over, scores);
    if (score == Score::softmax) return scores_as<Score::softmax>(logits, over, scores);
    scores_as<Score::sqrt_softplus>(logits, over, scores);
}

template <int kPerLane, class Thread>
STRATA_BODY Normaliser normaliser_of(Thread& t, const float (&logits)[kPerLane]) {
    Normaliser over{.largest = -FLT_MAX, .sum = 0};
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) over.largest = max_of(over.largest, bounded(logits[i]));
    over.largest = warp_max(t, over.largest);
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) over.sum += exp_of(bounded(logits[i]) - over.largest);
    over.sum = warp_sum(t, over.sum);
    return over;
}

// The lowest lane of those set.
template <class Thread>
STRATA_BODY int lowest_of(unsigned lanes) {
    return Thread::ones((lanes & (0u - lanes)) - 1);
}

// Keys of experts outside the best groups become 0, which no expert's key is.
template <int kPerLane, class Thread>
STRATA_BODY void keep_best_groups(Thread& t, const RouteTask& task, const float (&choices)[kPerLane],
                                  unsigned (&keys)[kPerLane]) {
    const int lanes = 32 / task.groups;
    float first = -FLT_MAX, second = -FLT_MAX;
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) {
        second = max_of(second, min_of(first, choices[i]));
        first = max_of(first, choices[i]);
    }
    for (int step = 1; step < lanes; step *= 2) {
        const float other = t.shuffle_xor(first, step), other_second = t.shuffle_xor(second, step);
        second = max_of(min_of(first, other), max_of(second, other_second));
        first = max_of(first, other);
    }
    unsigned key = ordered(first + second);
    bool kept = false;
    for (int round = 0; round < task.kept_groups; ++round) {
        const unsigned best = t.largest(key);
        if (lowest_of<Thread>(t.ballot(key == best)) / lanes != t.lane() / lanes) continue;
        kept = true;
        key = 0;
    }
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) keys[i] = kept ? keys[i] : 0;
}

// Lane r gets the expert of rank r.
template <int kPerLane, class Thread>
STRATA_BODY int best_experts(Thread& t, const RouteTask& task, const float (&logits)[kPerLane],
                             const float (&bias)[kPerLane], Normaliser over) {
    float choices[kPerLane];
    unsigned keys[kPerLane];
    scores_of(logits, task.score, over, choices);
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) {
        choices[i] = bounded(choices[i] + bias[i]);
        keys[i] = ordered(choices[i]);
    }
    if (task.groups > 1) keep_best_groups(t, task, choices, keys);
    int mine = -1;
    for (int rank = 0; rank < task.k; ++rank) {
        unsigned best = 0;
        STRATA_UNROLL
        for (int i = 0; i < kPerLane; ++i) best = keys[i] > best ? keys[i] : best;
        const unsigned winner = t.largest(best);
        const int lane = lowest_of<Thread>(t.ballot(best == winner));
        int index = kPerLane - 1;
        STRATA_UNROLL
        for (int i = kPerLane - 2; i >= 0; --i) index = keys[i] == winner ? i : index;
        const int expert = t.shuffle(t.lane() * kPerLane + index, lane);
        if (t.lane() == rank) mine = expert;
        STRATA_UNROLL
        for (int i = 0; i < kPerLane; ++i) keys[i] = expert == t.lane() * kPerLane + i ? 0 : keys[i];
    }
    return mine;
}

template <class Thread>
STRATA_BODY void raise(const RouteTask& task, std::int32_t fault) {
    if (task.fault) Thread::atomic_max(task.fault, fault);
}

// Lane r reads the r-th expert of the token, whose id is `id`, from the table.
template <class Thread>
STRATA_BODY int expert_of_table(Thread& t, const RouteTask& task, long id) {
    if (t.lane() >= task.k) return -1;
    const int expert = id >= 0 && id < task.vocabulary ? task.table[id * task.k + t.lane()] : -1;
    if (expert >= 0 && expert < task.experts) return expert;
    raise<Thread>(task, kNoSuchExpert);
    return -1;
}

// The expert that is written: one of the chosen one's copies.
template <class Thread>
STRATA_BODY int placed(const RouteTask& task, long token, int expert) {
    if (expert < 0 || !task.copies) return expert;
    const int copies = task.copies[expert];
    if (copies < 1 || copies > task.most_copies) {
        raise<Thread>(task, kNoSuchExpert);
        return -1;
    }
    return task.physical_of[long(expert) * task.most_copies + (task.rank + token * 23333) % copies];
}

template <int kPerLane, class Thread>
STRATA_BODY void route(Thread& t, const RouteTask& task) {
    const long token = long(t.block()) * (kRouteThreads / 32) + t.warp();
    if (token >= task.tokens) return;
    const bool alive = !task.alive || task.alive[token] != 0;
    const long id = task.table ? task.token_ids[token] : 0;
    const float* of_token = task.logits + token * task.experts;
    float logits[kPerLane], bias[kPerLane];
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; i += 4) {
        const Pack<float> four = load_pack(of_token, t.lane() * kPerLane + i);
        const Pack<float> their_bias = task.bias ? load_pack(task.bias, t.lane() * kPerLane + i) : Pack<float>{};
        STRATA_UNROLL
        for (int j = 0; j < 4; ++j) logits[i + j] = four.at[j], bias[i + j] = their_bias.at[j];
    }
    const bool writes = t.lane() < task.k;
    const long out = token * task.k + t.lane();
    if (!alive) {
        if (writes) task.experts_out[out] = -1, task.weights[out] = 0;
        return;
    }
    bool nan = false;
    STRATA_UNROLL
    for (int i = 0; i < kPerLane; ++i) nan = nan || logits[i] != logits[i];
    if (nan) raise<Thread>(task, kNanLogit);
    const Normaliser over = task.score == Score::softmax ? normaliser_of(t, logits) : Normaliser{};
    const int chosen = task.table ? expert_of_table(t, task, id) : best_experts(t, task, logits, bias, over);
    const float score = writes && chosen >= 0 ? score_of(of_token[chosen], task.score, over) : 0;
    const float sum = max_of(warp_sum(t, score), 1e-20f);
    if (!writes) return;
    const int expert = placed<Thread>(task, token, chosen);
    task.experts_out[out] = expert;
    task.weights[out] = expert < 0 ? 0 : score / sum * task.scale;
}

}  // namespace strata
