// Attention of DeepSeek-OCR's encoders (arXiv 2510.18234), by cuDNN: SAM-base over all 4096 patches of a page of 1024 x
// 1024 and over windows of 14 x 14 (a grid of 64 is padded to five windows a side), CLIP-large over the 256 tokens of
// the compressor and its class token. SAM adds a bias by relative position, which is not in these times.
#include "kernels/attention/full_attention_kernels.hpp"
#include "kernels/vision/kernels.hpp"

namespace strata {

namespace {

Shape pages(long batch, long heads, long tokens) { return full_attention_shape(batch, heads, tokens, tokens, 64, 64); }

}  // namespace

std::vector<Kernel> encoder_attention_kernels() {
    return {{.name = "vision/encoder-attention",
             .what = "attention over all patches of a page or a window, heads of 64, BF16, by cuDNN",
             .source = "kernels/vision/encoder_attention_bench.cpp",
             .ceiling = Ceiling::none,  // arithmetic bounds it
             .goal = {.text = "facts A14: 400 TF/s end to end"},
             .shapes = {{pages(16, 12, 4096), "deepseek-ocr base"},
                        {pages(16 * 25, 12, 14 * 14), "deepseek-ocr base"},
                        {pages(16, 16, 257), "deepseek-ocr base"},
                        {pages(1, 12, 4096), "deepseek-ocr base"}},
             .check_shapes = {pages(1, 1, 1), pages(2, 3, 49), pages(3, 2, 257), pages(1, 2, 640)},
             .prepare = prepare_full_attention,
             .set_bytes = full_attention_bytes}};
}

}  // namespace strata
