// Latent attention by its definition, in double: one head of one query over the entries that it may see.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/attention/latent_cache.hpp"

namespace strata::reference {

struct Attended {
    std::vector<double> out;
    double lse;        // natural, of the scores alone: the sink is no part of it
    double max_logit;  // of scale * q . k
};

// An entry that is attended to twice stands twice among the keys. With no key: out 0, lse +inf, max_logit -inf. A sink
// is a score that has no value: it takes exp(sink) of the sum's weight.
inline Attended attended(const std::vector<double>& q, const std::vector<std::vector<double>>& keys, double scale,
                         double sink = -std::numeric_limits<double>::infinity()) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::vector<double> logits;
    for (const std::vector<double>& key : keys) {
        double score = 0;
        for (std::size_t d = 0; d < q.size(); ++d) score += q[d] * key[d];
        logits.push_back(scale * score);
    }
    Attended is{std::vector<double>(kLatentValueDim), kInfinity, -kInfinity};
    if (keys.empty()) return is;
    is.max_logit = *std::ranges::max_element(logits);
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - is.max_logit);
    is.lse = is.max_logit + std::log(sum);
    const double kept = 1 / (1 + std::exp(sink - is.lse));  // exp(lse) / (exp(lse) + exp(sink))
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (std::size_t d = 0; d < kLatentValueDim; ++d) is.out[d] += std::exp(logits[i] - is.lse) * kept * keys[i][d];
    return is;
}

// The numbers of a stored entry. Tensor cores multiply BF16: a code times its scale, rounded to BF16, is what an entry
// of FP8 is by definition.
inline std::vector<double> latent_entry(LatentFormat format, const std::uint8_t* row, const std::uint8_t* scales) {
    const LatentLayout layout = layout_of(format);
    std::vector<double> entry;
    for (int d = 0; d < layout.codes; ++d) {
        float scale = 0;
        const int at = d / layout.codes_a_scale;
        if (format == LatentFormat::v32_fp8)
            std::memcpy(&scale, scales + at * 4, 4);
        else
            scale = to_float(Ue8m0{scales[at]});
        entry.push_back(to_float(to_bf16(to_float(E4m3{row[d]}) * scale)));
    }
    for (int d = layout.codes; d < layout.dim; ++d) {
        Bf16 x;
        std::memcpy(&x, row + layout.rest_at + (d - layout.codes) * 2, 2);
        entry.push_back(to_float(x));
    }
    return entry;
}

}  // namespace strata::reference
