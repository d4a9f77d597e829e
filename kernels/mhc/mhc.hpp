// mHC (arXiv 2512.24880, equations 7 to 9): `pre` mixes the residual streams into a layer's input, `post` spreads its
// output back and mixes the streams. One site has one of each; a block has two sites.
//   pre:  mixes = rmsnorm(x) . phi;  in = sum_n sigmoid(pre_n) * x_n     post: x'_i = post_i * out + sum_j res_ij * x_j
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct MhcPre {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;

    // Streams are BF16 and read once. phi [n*hidden][n^2+2n] in FP32 stays in L2; Sinkhorn on n x n is latency, not
    // work.
    constexpr Work work() const {
        const double mixes = streams * streams + 2 * streams;
        return {.flops = Flops(tokens * hidden * streams * (2 * mixes + 2)),
                .read = Bytes(tokens * hidden * streams * 2),
                .written = Bytes(tokens * hidden * 2)};
    }
};

struct MhcPost {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;

    // Every residual element is read once and written once; gate and mixing matrix fit in L2 and are not counted.
    constexpr Work work() const {
        const double elements = tokens * hidden;
        return {.flops = Flops(elements * (2 * streams * streams + 2 * streams)),
                .read = Bytes(elements * (streams + 1) * 2),
                .written = Bytes(elements * streams * 2)};
    }
};

// `post` of one site and `pre` of the next in one pass: the new streams are mixed again before they leave the chip, so
// that they are written once and not read back. 20 B an element of hidden against 28 of the two apart.
struct MhcFused {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;

    constexpr Work work() const {
        const Work pre = MhcPre{tokens, hidden, streams}.work(), post = MhcPost{tokens, hidden, streams}.work();
        return {.flops = pre.flops + post.flops, .read = post.read, .written = post.written + pre.written};
    }
};

// V4.1's single pass: x'_i = post_i * out + sum_j res_ij * x_j and in = sum_n pre_n * x'_n with the gates of the site
// before, so that no sum over the new streams is waited for. Moves and computes what MhcFused does.
struct MhcSinglePass {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;

    constexpr Work work() const { return MhcFused{tokens, hidden, streams}.work(); }
};

// Plain hyper-connections with constant gates (the static form; arXiv 2512.24880 section 3 compares with them): the
// input of a layer is one weighted sum of the streams. Its `post` is MhcPost's.
struct HyperConnectionPre {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;

    constexpr Work work() const {
        return {.flops = Flops(tokens * hidden * 2 * streams),
                .read = Bytes(tokens * hidden * streams * 2),
                .written = Bytes(tokens * hidden * 2)};
    }
};

}  // namespace strata
