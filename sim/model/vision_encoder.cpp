#include "sim/model/vision_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "sim/model/element_bytes.hpp"

namespace strata {

namespace {

// SAM-base (arXiv 2304.02643, released configuration) and CLIP-large (arXiv 2103.00020, table 20): heads of 64.
constexpr double kPatch = 16, kPixelChannels = 3, kHead = 64;
constexpr double kSamWidth = 768, kSamMlp = 3072, kWindow = 14, kNeck = 256;
constexpr int kSamLayers = 12, kGlobalEvery = 3;  // layers 2, 5, 8 and 11 attend to the whole page
constexpr double kClipWidth = 1024, kClipMlp = 4096;
constexpr int kClipLayers = 24;
constexpr double kCompressed[] = {256, 512, 1024};  // channels before, between and after the two convolutions
constexpr double kFeatures = 2048;                  // of SAM and CLIP side by side, which are projected
constexpr double kPagesAtOnce = 16;  // assumed: enough to fill the device; the batch that the kernels' bench measures

class VisionOps {
public:
    explicit VisionOps(double hidden) : hidden_(hidden) {}

    void add(const PageImages& of) {
        first_ = ops_.size();
        images_ = of.images;
        grid_ = std::ceil(of.side / kPatch);
        const double patches = images_ * grid_ * grid_;
        put("vision_patchify", Patchify{.images = images_, .height = of.side, .width = of.side});
        product("vision_patch_embedding", patches, kSamWidth, kPixelChannels * kPatch * kPatch);
        for (int layer = 0; layer < kSamLayers; ++layer) sam_layer((layer + 1) % kGlobalEvery == 0);
        compressor();
        const double tokens = images_ * grid_ * grid_ / 16;
        for (int layer = 0; layer < kClipLayers; ++layer) clip_layer();
        product("vision_projector", tokens, hidden_, kFeatures);
    }
    std::vector<Op> ops() && { return std::move(ops_); }

private:
    // Layers of one kind are alike, so later ones name the first as their twin.
    void put(std::string_view name, const KernelShape& shape) {
        ops_.push_back({name, Slot::vision, 0, shape, -1});
        for (std::size_t i = first_; i + 1 < ops_.size(); ++i)
            if (ops_[i].name == name) return void(ops_.back().twin = static_cast<int>(i));
    }
    void product(std::string_view name, double rows, double n, double k) { put(name, Gemm{.m = rows, .n = n, .k = k}); }

    // A page whose grid is no multiple of the window is padded, and its padding is computed too.
    void sam_layer(bool global) {
        const double windows = std::ceil(grid_ / kWindow), patches = grid_ * grid_;
        const double parts = global ? images_ : images_ * windows * windows;
        const double length = global ? patches : kWindow * kWindow, rows = parts * length;
        product(global ? "vision_sam_qkv" : "vision_window_qkv", rows, 3 * kSamWidth, kSamWidth);
        put(global ? "vision_sam_attention" : "vision_window_attention", attention(parts, kSamWidth, length));
        product(global ? "vision_sam_output" : "vision_window_output", rows, kSamWidth, kSamWidth);
        product("vision_sam_up", images_ * patches, kSamMlp, kSamWidth);
        product("vision_sam_down", images_ * patches, kSamWidth, kSamMlp);
    }

    // The neck (1x1, then 3x3 as a product over its nine taps) and the two strided convolutions.
    void compressor() {
        const double patches = images_ * grid_ * grid_;
        product("vision_neck", patches, kNeck, kSamWidth);
        product("vision_neck_3x3", patches, kNeck, 9 * kNeck);
        put("vision_compress_1", convolution(grid_, kCompressed[0], kCompressed[1]));
        put("vision_compress_2", convolution(grid_ / 2, kCompressed[1], kCompressed[2]));
    }
    StridedConvolution convolution(double side, double in, double out) const {
        return {.images = images_, .height = side, .width = side, .channels_in = in, .channels_out = out};
    }

    // Over the compressed tokens and its class token.
    void clip_layer() {
        const double length = grid_ * grid_ / 16 + 1, rows = images_ * length;
        product("vision_clip_qkv", rows, 3 * kClipWidth, kClipWidth);
        put("vision_clip_attention", attention(images_, kClipWidth, length));
        product("vision_clip_output", rows, kClipWidth, kClipWidth);
        product("vision_clip_up", rows, kClipMlp, kClipWidth);
        product("vision_clip_down", rows, kClipWidth, kClipMlp);
    }

    static FullAttention attention(double batch, double width, double length) {
        return {.batch = batch,
                .heads = width / kHead,
                .queries = length,
                .keys = length,
                .key_dim = kHead,
                .value_dim = kHead};
    }

    double hidden_, images_ = 0, grid_ = 0;
    std::vector<Op> ops_;
    std::size_t first_ = 0;  // of the size of pages that is being added
};

}  // namespace

std::vector<Op> vision_ops(const std::vector<PageImages>& images, double hidden) {
    VisionOps ops(hidden);
    for (const PageImages& of : images)
        if (of.images > 0) ops.add(of);
    return std::move(ops).ops();
}

double vision_parameters(double hidden) {
    const auto layer = [](double width, double mlp) { return 4 * width * width + 2 * width * mlp; };
    const double sam = kSamLayers * layer(kSamWidth, kSamMlp) + kPixelChannels * kPatch * kPatch * kSamWidth;
    const double neck = kSamWidth * kNeck + 9 * kNeck * kNeck;
    const double convolutions = 9 * (kCompressed[0] * kCompressed[1] + kCompressed[1] * kCompressed[2]);
    return sam + neck + convolutions + kClipLayers * layer(kClipWidth, kClipMlp) + kFeatures * hidden;
}

// The residual of SAM and the widest thing beside it: query, key and value, or the inner width of its MLP.
double vision_activation_bytes(const std::vector<PageImages>& images) {
    double most = 0;
    for (const PageImages& of : images) {
        const double patches = std::pow(std::ceil(of.side / kPatch), 2);
        most = std::max(most, std::min(of.images, kPagesAtOnce) * patches * (kSamWidth + kSamMlp) * kBf16);
    }
    return most;
}

}  // namespace strata
