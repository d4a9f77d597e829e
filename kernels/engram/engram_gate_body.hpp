// The gate of Engram. A block holds a token: 128 threads a stream, the stream and its key in registers, the value that
// all streams share in shared memory, so that every byte is read once. Blocks stay and take token after token: the
// weights, as many bytes as the token itself, are read once a block, by each thread those that it uses. Streams come
// two tokens ahead, keys one, the value as soon as its place is free: while a token's last bytes are waited for, 50 KB
// of the next one's are on the way. One barrier a token: what it guards is there twice, used in turn.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/engram/bf16_pairs.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct EngramGateTask {
    const Bf16* x = nullptr;        // [tokens][streams][hidden]
    const Bf16* kv = nullptr;       // [tokens][streams + 1][hidden]: a key a stream, then the value, as wkv gives it
    const float* weight = nullptr;  // [streams][hidden]: product of the weights of both norms
    const std::uint8_t* live = nullptr;  // [tokens]; 0: the token passes through unchanged; may be absent
    Bf16* out = nullptr;                 // [tokens][streams][hidden]; may be x
    // For a backward pass, [tokens][streams] each; each may be absent.
    float* gate = nullptr;
    float* dot = nullptr;
    float* rstd_x = nullptr;
    float* rstd_k = nullptr;
    long tokens = 0;
    int hidden = 0;  // a multiple of 8, at most 8192
    int streams = 4;
    float eps = 1e-20f;
};

inline constexpr int kGateThreadsPerStream = 128;
inline constexpr int kGateMostStreams = 4;
inline constexpr int kGateBlocks = 132;  // one an SM of an H200

inline void require_valid(const EngramGateTask& task) {
    if (task.tokens < 0 || task.hidden < 8 || task.hidden % 8 != 0 || task.hidden > 8192 || task.streams < 1 ||
        task.streams > kGateMostStreams)
        throw std::invalid_argument("engram_gate: " + std::to_string(task.tokens) + " tokens of " +
                                    std::to_string(task.streams) + " x " + std::to_string(task.hidden) +
                                    "; expected 1 to 4 streams and a hidden size that is a multiple of 8 up to 8192");
    if (task.tokens > 0 && (!task.x || !task.kv || !task.weight || !task.out))
        throw std::invalid_argument("engram_gate: a buffer is missing (x, kv, weight and out are all needed)");
    for (const void* buffer : {static_cast<const void*>(task.x), static_cast<const void*>(task.kv),
                               static_cast<const void*>(task.weight), static_cast<const void*>(task.out)})
        if (reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            throw std::invalid_argument("engram_gate: x, kv, weight and out must be aligned to 16 bytes");
}

// Packs of 8 elements that a thread holds of its stream; the kernel is made for these.
inline int gate_packs(int hidden) { return hidden <= 3 * 1024 ? 3 : hidden <= 5 * 1024 ? 5 : 8; }

// Whether streams of the next two tokens and keys of the next find room while one is worked on.
STRATA_HD constexpr bool gate_goes_ahead(int packs) { return packs <= 5; }
// Of 16 bytes in shared memory, that a thread has for a pack.
STRATA_HD constexpr int gate_places(int packs) { return gate_goes_ahead(packs) ? 5 : 2; }

// Shared memory: each thread's weights [packs it may hold][2 halves][threads][4], its parts of the next tokens
// [packs][stream, the one after, key][threads][8], values [2][hidden], sums [2][warps][3].
inline Grid grid_of(const EngramGateTask& task) {
    const int threads = task.streams * kGateThreadsPerStream, packs = gate_packs(task.hidden);
    const std::size_t places = std::size_t(packs) * gate_places(packs);
    return {.blocks = int(task.tokens < kGateBlocks ? task.tokens : kGateBlocks),
            .threads = threads,
            .shared_bytes =
                places * std::size_t(threads) * 16 + 2 * std::size_t(task.hidden) * 2 + std::size_t(threads) / 32 * 24};
}

// A NaN stays one.
STRATA_HD float engram_gate_of(float dot) {
    const float magnitude = dot < 0 ? -dot : dot;
    const float root = sqrtf(magnitude < 1e-6f ? 1e-6f : magnitude);
    return sigmoid(dot > 0 ? root : dot < 0 ? -root : dot);
}

template <int packs_held, class Thread>
STRATA_BODY void engram_gate(Thread& t, const EngramGateTask& task) {
    const int packs = task.hidden / 8, stream = t.thread() / kGateThreadsPerStream;
    const int first = t.thread() % kGateThreadsPerStream;
    constexpr bool kAhead = gate_goes_ahead(packs_held);
    constexpr int kPlaces = packs_held * gate_places(packs_held);
    // A thread's own places of 16 bytes, which no other looks at: weights, then parts of the next tokens.
    auto* places = reinterpret_cast<float*>(t.shared()) + t.thread() * 4;
    const auto place = [&](int i) { return places + i * t.threads() * 4; };
    auto* values = reinterpret_cast<Bf16*>(t.shared() + kPlaces * t.threads() * 16);
    auto* sums = reinterpret_cast<float*>(values + 2 * task.hidden);

    // Of this thread's first pack in a token's stream and key; the next ones lie kStep elements on.
    constexpr int kStep = kGateThreadsPerStream * 8;
    const int packs_mine = int(ceil_div(packs - first, kGateThreadsPerStream));  // at most packs_held
    const long x_first = long(stream) * task.hidden + first * 8;
    const long x_token = long(task.streams) * task.hidden, kv_token = x_token + task.hidden;
    const auto place_of_x = [&](int i, int turn) { return place((2 + turn) * packs_held + i); };
    const auto place_of_key = [&](int i) { return place(4 * packs_held + i); };
    // Three groups of copies a token: keys, value, and streams of the token after; a thread waits for all but the
    // newest two.
    AsyncCopies copies;
    const auto ask_for_streams = [&](long token, int turn) {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            if (kAhead && i < packs_mine && token < task.tokens)
                copies.copy16(place_of_x(i, turn), task.x + token * x_token + x_first + i * kStep);
        copies.close_group();
    };
    const auto ask_for_keys = [&](long token) {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            if (kAhead && i < packs_mine && token < task.tokens)
                copies.copy16(place_of_key(i), task.kv + token * kv_token + x_first + i * kStep);
        copies.close_group();
    };
    const auto ask_for_value = [&](long token, int turn) {
        for (int pack = t.thread(); pack < packs && token < task.tokens; pack += t.threads())
            copies.copy16(values + turn * task.hidden + pack * 8, task.kv + token * kv_token + x_token + pack * 8);
        copies.close_group();
    };
    STRATA_UNROLL
    for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
    for (int half = 0; half < 2; ++half)
        if (i < packs_mine) copies.copy16(place(i * 2 + half), task.weight + x_first + i * kStep + half * 4);
    ask_for_streams(t.block(), 0);
    ask_for_keys(t.block());
    ask_for_value(t.block(), 0);
    ask_for_streams(t.block() + t.blocks(), 1);

    int turn = 0;
    for (long token = t.block(); token < task.tokens; token += t.blocks(), turn ^= 1) {
        copies.template wait_for_all_but<2>();
        Bf16Pairs x[packs_held], key[packs_held];
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            if (i >= packs_mine) continue;
            if (kAhead) {
                x[i] = load_pairs(reinterpret_cast<const Bf16*>(place_of_x(i, turn)), 0);
                key[i] = load_pairs(reinterpret_cast<const Bf16*>(place_of_key(i)), 0);
            } else {
                x[i] = load_pairs(task.x, token * x_token + x_first + i * kStep);
                key[i] = load_pairs(task.kv, token * kv_token + x_first + i * kStep);
            }
        }
        ask_for_keys(token + t.blocks());
        const Bf16* value = values + turn * task.hidden;

        float xx = 0, kk = 0, xk = 0;
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            if (i >= packs_mine) continue;
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const Pack<float> weight = load_pack(place(i * 2 + half), 0);
                STRATA_UNROLL
                for (int e = 0; e < 4; ++e) {
                    const float x_e = element(x[i], half * 4 + e), key_e = element(key[i], half * 4 + e);
                    xx += x_e * x_e;
                    kk += key_e * key_e;
                    xk += x_e * weight.at[e] * key_e;
                }
            }
        }
        xx = warp_sum(t, xx), kk = warp_sum(t, kk), xk = warp_sum(t, xk);
        float* sums_now = sums + turn * t.warps() * 3;
        if (t.lane() == 0)
            sums_now[t.warp() * 3] = xx, sums_now[t.warp() * 3 + 1] = kk, sums_now[t.warp() * 3 + 2] = xk;
        copies.template wait_for_all_but<2>();
        t.sync();
        ask_for_value(token + t.blocks(), turn ^ 1);
        ask_for_streams(token + 2 * long(t.blocks()), turn);
        float total[3] = {0, 0, 0};
        for (int warp = 0; warp < kGateThreadsPerStream / 32; ++warp)
            for (int i = 0; i < 3; ++i) total[i] += sums_now[(stream * (kGateThreadsPerStream / 32) + warp) * 3 + i];

        const bool live = !task.live || task.live[token];
        const float rstd_x = rsqrt_of(total[0] / float(task.hidden) + task.eps);
        const float rstd_k = rsqrt_of(total[1] / float(task.hidden) + task.eps);
        const float dot = total[2] * rstd_x * rstd_k * rsqrt_of(float(task.hidden));
        const float gate = live ? engram_gate_of(dot) : 0.0f;
        if (first == 0) {
            const long site = token * task.streams + stream;
            if (task.gate) task.gate[site] = gate;
            if (task.dot) task.dot[site] = dot;
            if (task.rstd_x) task.rstd_x[site] = rstd_x;
            if (task.rstd_k) task.rstd_k[site] = rstd_k;
        }
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            if (i >= packs_mine) continue;
            const Bf16Pairs v = load_pairs(value, first * 8 + i * kStep);
            Bf16Pairs out = x[i];  // as it is where the token is not live, whatever the value holds
            STRATA_UNROLL
            for (int e = 0; e < 8; e += 2)
                if (live)
                    out.at[e / 2] = pair_of(element(x[i], e) + gate * element(v, e),
                                            element(x[i], e + 1) + gate * element(v, e + 1));
            store_pairs(task.out + token * x_token + x_first, i * kStep, out);
        }
    }
}

}  // namespace strata
