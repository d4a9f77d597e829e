// The definition of verification in double, for one sequence: from logits and given uniform numbers to the emitted
// tokens. A draw is the first token at which the running sum of weights, in the order of the vocabulary, passes
// u * total.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::reference {

using Law = std::vector<double>;

inline Law softmax(std::vector<double> logits, double temperature) {
    const double max = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double& one : logits) sum += one = std::exp((one - max) / temperature);
    for (double& one : logits) one /= sum;
    return logits;
}

inline int draw(const std::vector<double>& weights, double u) {
    double total = 0, sum = 0;
    for (const double one : weights) total += one;
    int last = 0;
    for (int v = 0; v < int(weights.size()); ++v) {
        if (weights[std::size_t(v)] > 0) last = v;
        sum += weights[std::size_t(v)];
        if (sum > u * total) return v;
    }
    return last;
}

inline std::vector<double> residual(const Law& q, const Law& p) {
    std::vector<double> weights(q.size());
    for (std::size_t v = 0; v < q.size(); ++v) weights[v] = std::max(q[v] - p[v], 0.0);
    return weights;
}

// q: of drafts + 1 positions; p: of each draft. u_accept: one a draft; u_draw: one. Returns what is emitted.
inline std::vector<int> verify(const std::vector<Law>& q, const std::vector<Law>& p, const std::vector<int>& drafts,
                               const std::vector<double>& u_accept, double u_draw) {
    std::vector<int> emitted;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const auto x = std::size_t(drafts[i]);
        if (!(u_accept[i] * p[i][x] < q[i][x])) {
            emitted.push_back(draw(residual(q[i], p[i]), u_draw));
            return emitted;
        }
        emitted.push_back(drafts[i]);
    }
    emitted.push_back(draw(q.back(), u_draw));
    return emitted;
}

inline int best(const std::vector<double>& logits) {
    return int(std::max_element(logits.begin(), logits.end()) - logits.begin());  // the first of equals
}

inline std::vector<int> verify_greedy(const std::vector<std::vector<double>>& logits, const std::vector<int>& drafts) {
    std::vector<int> emitted;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        emitted.push_back(best(logits[i]));
        if (emitted.back() != drafts[i]) return emitted;
    }
    emitted.push_back(best(logits.back()));
    return emitted;
}

}  // namespace strata::reference
