// Engram (arXiv 2601.07372): rows_per_token rows of a table are looked up by n-gram hash and added behind a gate.
#pragma once

#include "kernels/work.hpp"

namespace strata {

// Rows come from the tier that holds the table (`fetched`); what is read from that tier is not accelerator traffic
// unless the tier is the accelerator's own memory, so it is kept apart from Work.
struct EngramFetch {
    double tokens = 0;
    double rows_per_token = 0;  // (orders) x (heads): 24 for v4.1-flash
    double row_bytes = 0;       // with scales: 264 for v4.1-flash

    constexpr double rows() const { return tokens * rows_per_token; }
    constexpr Bytes fetched() const { return Bytes(rows() * row_bytes); }
    // As a kernel on the accelerator: gather from its memory into a contiguous buffer.
    constexpr Work work() const { return {.flops = Flops(0), .read = fetched(), .written = fetched()}; }
};

// gate = sigmoid(signed sqrt of the normalised dot product) per stream; residual += gate * value (equations 4 to 6).
struct EngramGate {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;  // one key and one gate a stream, one value for all

    constexpr Work work() const {
        const double elements = tokens * hidden;
        return {.flops = Flops(elements * streams * 8),  // two squared norms, one dot product, one multiply-add
                .read = Bytes(elements * (2 * streams + 1) * 2),
                .written = Bytes(elements * streams * 2)};
    }
};

// Short causal depthwise convolution over the gated values of all streams, added to the residual (equation 5; left out
// in V4.1): Y = SiLU(conv(RMSNorm(V))) + V.
struct EngramConv {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;
    double taps = 4;
    bool decode = true;  // earlier values come from a state, one read a tap; in a prompt they are at hand

    constexpr Work work() const {
        const double elements = tokens * hidden * streams;
        return {.flops = Flops(elements * 2 * taps),
                .read = Bytes(elements * ((decode ? taps : 1) + 1) * 2),
                .written = Bytes(elements * 2)};
    }
};

}  // namespace strata
