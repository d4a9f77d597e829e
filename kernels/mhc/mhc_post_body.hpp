// mHC's `post`, and the weighted sum of streams with gates that are there already (plain hyper-connections). Both are
// streams through the chip: a thread takes eight hidden elements of a token, with all streams of them, in loads of
// sixteen bytes that do not wait for each other.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/mhc/mhc_gates.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

// out[t][n] = post[t][n] * layer_out[t] + sum_m comb[t][m][n] * residual[t][m]. `out` may be `residual`.
struct MhcPostTask {
    const Bf16* layer_out = nullptr;  // [tokens][hidden]
    const Bf16* residual = nullptr;   // [tokens][4][hidden]
    const float* post = nullptr;      // [tokens][4]
    const float* comb = nullptr;      // [tokens][4][4]
    Bf16* out = nullptr;              // [tokens][4][hidden]
    long tokens = 0;
    long hidden = 0;              // a multiple of 8
    bool constant_gates = false;  // one post and comb for all tokens: hyper-connections of the static form
};

// layer_in[t] = sum_i pre[t][i] * residual[t][i]
struct MhcGatherTask {
    const Bf16* residual = nullptr;  // [tokens][4][hidden]
    const float* pre = nullptr;      // [tokens][4]
    Bf16* layer_in = nullptr;        // [tokens][hidden]
    long tokens = 0;
    long hidden = 0;
    bool constant_gates = false;
};

inline void require_stream_shape(const std::string& op, long tokens, long hidden) {
    if (tokens < 0 || hidden <= 0 || hidden % 8 != 0)
        throw std::invalid_argument(op + ": " + std::to_string(tokens) + " tokens of " + std::to_string(hidden) +
                                    " elements; hidden must be a positive multiple of 8");
}

inline void require_buffers(const std::string& op, std::initializer_list<const void*> buffers) {
    for (const void* buffer : buffers)
        if (!buffer || reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            throw std::invalid_argument(op + ": a buffer is " +
                                        (buffer ? "not aligned to 16 bytes" : "missing (all are needed)"));
}

inline void require_valid(const MhcPostTask& task) {
    require_stream_shape("mhc_post", task.tokens, task.hidden);
    if (task.tokens > 0) require_buffers("mhc_post", {task.layer_out, task.residual, task.post, task.comb, task.out});
}

inline void require_valid(const MhcGatherTask& task) {
    require_stream_shape("mhc_gather", task.tokens, task.hidden);
    if (task.tokens > 0) require_buffers("mhc_gather", {task.residual, task.pre, task.layer_in});
}

inline constexpr int kMhcStreamThreads = 256;

inline Grid grid_of(const MhcPostTask& task) {
    return {.blocks = int(ceil_div(task.tokens * (task.hidden / 8), kMhcStreamThreads)), .threads = kMhcStreamThreads};
}

inline Grid grid_of(const MhcGatherTask& task) {
    return {.blocks = int(ceil_div(task.tokens * (task.hidden / 8), kMhcStreamThreads)), .threads = kMhcStreamThreads};
}

template <class Thread>
STRATA_BODY void mhc_post(Thread& t, const MhcPostTask& task) {
    const long across = task.hidden / 8, index = long(t.block()) * kMhcStreamThreads + t.thread();
    const long token = index / across, at = token * 4 * task.hidden + index % across * 8;
    if (token >= task.tokens) return;
    Elements<4> old[kMhcStreams];
    STRATA_UNROLL
    for (int m = 0; m < kMhcStreams; ++m) old[m] = load_elements<4>(task.residual, at + m * task.hidden);
    const Elements<4> layer_out = load_elements<4>(task.layer_out, index * 8);
    const long gates = task.constant_gates ? 0 : token;
    const Pack<float> post = load_pack(task.post, gates * 4);
    Pack<float> comb[kMhcStreams];
    STRATA_UNROLL
    for (int m = 0; m < kMhcStreams; ++m) comb[m] = load_pack(task.comb, gates * 16 + m * 4);
    Spread<4> spread(layer_out, post);
    STRATA_UNROLL
    for (int m = 0; m < kMhcStreams; ++m) spread.add(old[m], comb[m]);
    STRATA_UNROLL
    for (int n = 0; n < kMhcStreams; ++n) store_elements(task.out, at + n * task.hidden, spread.stream(n));
}

template <class Thread>
STRATA_BODY void mhc_gather(Thread& t, const MhcGatherTask& task) {
    const long across = task.hidden / 8, index = long(t.block()) * kMhcStreamThreads + t.thread();
    const long token = index / across, at = token * 4 * task.hidden + index % across * 8;
    if (token >= task.tokens) return;
    Elements<4> streams[kMhcStreams];
    STRATA_UNROLL
    for (int i = 0; i < kMhcStreams; ++i) streams[i] = load_elements<4>(task.residual, at + i * task.hidden);
    const Pack<float> pre = load_pack(task.pre, (task.constant_gates ? 0 : token) * 4);
    Gathered<4> in;
    STRATA_UNROLL
    for (int i = 0; i < kMhcStreams; ++i) in.add(streams[i], pre.at[i]);
    store_elements(task.layer_in, index * 8, in.elements());
}

}  // namespace strata
