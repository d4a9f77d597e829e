#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> patchify_kernels();
std::vector<Kernel> pixel_unshuffle_kernels();
std::vector<Kernel> page_resize_kernels();
std::vector<Kernel> strided_convolution_kernels();
std::vector<Kernel> encoder_attention_kernels();
std::vector<Kernel> vision_kernels();  // all of them

}  // namespace strata
