// What the benches of this folder share: shapes of logits, and one row of a buffer in double.
#pragma once

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/kernel.hpp"

namespace strata {

// All the models have DeepSeek-V3's vocabulary (arXiv 2412.19437, section 4.2).
inline std::vector<ProductionShape> logits_shapes() {
    return {{{{"tokens", 8192}, {"vocabulary", 129280}}, "v3 v3.2 v4-flash v4-pro v4.1-flash"},
            {{{"tokens", 1024}, {"vocabulary", 129280}}, "v3 v3.2 v4-flash v4-pro v4.1-flash"}};
}

inline std::vector<Shape> logits_check_shapes() {
    return {{{"tokens", 0}, {"vocabulary", 8}},
            {{"tokens", 1}, {"vocabulary", 2}},
            {{"tokens", 3}, {"vocabulary", 129280}},
            {{"tokens", 5}, {"vocabulary", 32771}},  // prime: rows begin anywhere
            {{"tokens", 301}, {"vocabulary", 8192}}};
}

}  // namespace strata
