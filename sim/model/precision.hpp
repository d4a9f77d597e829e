// The precision dial: how each class of tensors is stored, by name, and what a row of a class takes. FP8 entries of the
// KV cache keep their rotary part in BF16 (V3.2: 512 E4M3 + 4 FP32 + 64 BF16 = 656 B, facts of FlashMLA), FP4 ones do
// not (V4.1: 512 E2M1 + 32 E4M3 = 288 B).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "kernels/work.hpp"

namespace strata {

// A name may stand for what another does: mxfp4 is fp4_block.
using PrecisionNames = std::vector<std::pair<std::string_view, Precision>>;
const PrecisionNames& weight_precisions();
const PrecisionNames& activation_precisions();
const PrecisionNames& row_precisions();  // of KV entries, index keys and Engram rows

std::string_view to_string(Precision precision);

// One row of so many elements, with a scale for each block that it begins.
double row_bytes(double width, Precision precision);
double kv_entry_bytes(double latent_width, double rotary_width, Precision precision);

}  // namespace strata
