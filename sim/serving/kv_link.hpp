// Moving KV from one place to another: between a prefill and a decode replica, or to host memory and back.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

struct KvLink {
    Bytes per_token{};      // of all layers; V3's MLA in BF16: 70,272 B (arXiv 2505.09343, table 1)
    Bandwidth bandwidth{};  // of a replica, effective
    Seconds latency{};

    Seconds time(double tokens) const {
        return per_token > Bytes(0) ? latency + per_token * tokens / bandwidth : latency;
    }
};

}  // namespace strata
