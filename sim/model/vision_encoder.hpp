// The encoder that makes vision tokens of pages (DeepSeek-OCR, arXiv 2510.18234, section 3.2, and its released code):
// SAM-base over patches of 16 x 16, four of its layers over the whole page and eight over windows; two convolutions
// that make one of sixteen; CLIP-large over what is left; a projection to the language model's width. Its kernels, in
// one place. Not counted: norms, activations and additions (fused into their neighbours), SAM's bias by relative
// position and CLIP's by position (below 1 % of the work).
#pragma once

#include <vector>

#include "sim/model/op.hpp"

namespace strata {

// `hidden`: of the language model, which DeepSeek-OCR's projection (2048 -> 1280) is taken to meet in any model.
std::vector<Op> vision_ops(const std::vector<PageImages>& images, double hidden);

// Matrices alone, stored in BF16.
double vision_parameters(double hidden);
// What stands in memory while pages go through it, kPagesAtOnce of them together.
double vision_activation_bytes(const std::vector<PageImages>& images);

}  // namespace strata
