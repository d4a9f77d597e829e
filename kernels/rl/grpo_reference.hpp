// The definition of GRPO's loss in double: from logits to the loss, its gradient with respect to the log p of the taken
// tokens, and that with respect to the logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/rl/grpo.hpp"

namespace strata::reference {

// A = (r - mean) / (std + epsilon) within each group; std divides by size - 1, and a group of one has advantage 0.
inline std::vector<double> group_advantages(const std::vector<double>& rewards, long group_size, double epsilon) {
    std::vector<double> advantages(rewards.size());
    for (std::size_t first = 0; first < rewards.size(); first += std::size_t(group_size)) {
        double mean = 0, squares = 0;
        for (std::size_t i = first; i < first + std::size_t(group_size); ++i) mean += rewards[i] / double(group_size);
        for (std::size_t i = first; i < first + std::size_t(group_size); ++i)
            squares += (rewards[i] - mean) * (rewards[i] - mean);
        const double deviation = group_size > 1 ? std::sqrt(squares / double(group_size - 1)) : 0;
        for (std::size_t i = first; i < first + std::size_t(group_size); ++i)
            advantages[i] = group_size > 1 ? (rewards[i] - mean) / (deviation + epsilon) : 0;
    }
    return advantages;
}

inline double log_sum_exp(const std::vector<double>& x) {
    const double max = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const double one : x) sum += std::exp(one - max);
    return max + std::log(sum);
}

inline double token_logp(std::vector<double> logits, long taken, double temperature) {
    for (double& one : logits) one /= temperature;
    return logits[std::size_t(taken)] - log_sum_exp(logits);
}

// slope * d logp / d logits
inline std::vector<double> token_logp_gradient(std::vector<double> logits, long taken, double temperature,
                                               double slope) {
    for (double& one : logits) one /= temperature;
    const double lse = log_sum_exp(logits);
    for (std::size_t v = 0; v < logits.size(); ++v)
        logits[v] = slope * ((long(v) == taken) - std::exp(logits[v] - lse)) / temperature;
    return logits;
}

struct PolicyLosses {
    double loss = 0;                   // of the batch
    double kl = 0;                     // mean of the (not weighted) estimate over counted tokens
    std::vector<double> token_losses;  // 0 where not counted
    std::vector<double> slopes;        // d loss / d logp
};

struct PolicyBatch {
    std::vector<double> logp, old_logp, reference_logp;  // of tokens
    std::vector<bool> counted;
    std::vector<long> offsets;       // of sequences: tokens [offsets[i], offsets[i + 1])
    std::vector<double> advantages;  // of sequences
};

inline PolicyLosses policy_loss(const PolicyBatch& batch, const GrpoOptions& options) {
    PolicyLosses out{.token_losses = std::vector<double>(batch.logp.size()),
                     .slopes = std::vector<double>(batch.logp.size())};
    const long sequences = long(batch.advantages.size());
    const double all_counted = double(std::count(batch.counted.begin(), batch.counted.end(), true));
    for (long i = 0; i < sequences; ++i) {
        double counted = 0, drift = 0;
        for (long at = batch.offsets[std::size_t(i)]; at < batch.offsets[std::size_t(i + 1)]; ++at)
            if (batch.counted[std::size_t(at)])
                ++counted, drift += batch.old_logp[std::size_t(at)] - batch.logp[std::size_t(at)];
        const double advantage = batch.advantages[std::size_t(i)];
        const bool teaches =
            !(options.off_policy_limit > 0 && advantage < 0 && drift / counted > double(options.off_policy_limit));
        const double weight =
            options.aggregation == Aggregation::tokens ? 1 / all_counted : 1 / (counted * double(sequences));
        for (long at = batch.offsets[std::size_t(i)]; at < batch.offsets[std::size_t(i + 1)]; ++at) {
            const auto t = std::size_t(at);
            if (!batch.counted[t]) continue;
            const double ratio = std::exp(batch.logp[t] - batch.old_logp[t]);
            const double capped = options.cap > 0 ? std::min(ratio, double(options.cap)) : ratio;
            const double clipped = std::clamp(ratio, double(1 - options.clip_low), double(1 + options.clip_high));
            const double gain = std::min(capped * advantage, clipped * advantage);
            const bool moves = capped == ratio && capped * advantage <= clipped * advantage;
            double loss = teaches && advantage != 0 ? -gain : 0;
            double slope = teaches && moves && advantage != 0 ? -advantage * ratio : 0;
            const double away = batch.reference_logp[t] - batch.logp[t];
            const double kl = std::exp(away) - away - 1;
            if (options.kl_weight != 0) {
                const double of_kl = options.unbiased_kl ? ratio : 1;
                loss += double(options.kl_weight) * of_kl * kl;
                slope += double(options.kl_weight) *
                         (options.unbiased_kl ? ratio * kl + ratio * (1 - std::exp(away)) : 1 - std::exp(away));
                out.kl += kl / all_counted;
            }
            out.token_losses[t] = loss;
            out.slopes[t] = slope * weight;
            out.loss += loss * weight;
        }
    }
    return out;
}

}  // namespace strata::reference
