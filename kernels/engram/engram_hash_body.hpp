// Row ids of all Engram layers, one thread for the eight heads of an order: they share the mix and differ in the prime
// alone, so a thread writes 32 bytes in a row. A thread looks its few earlier tokens up itself: in the launch's tokens
// or, before them, in the history its sequence brings along, which makes replay, prefill in chunks and decode the same
// computation.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/engram/hash_parameters.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr std::int32_t kDeadToken = -1;  // of an image, or before the start of the sequence
inline constexpr std::int32_t kNoRow = -1;

// Tokens of several sequences one after the other. Sequence s has those from starts[s] up to starts[s + 1].
struct EngramHashTask {
    const std::int32_t* tokens = nullptr;       // [tokens]; kDeadToken: dead
    const std::uint8_t* live = nullptr;         // [tokens]; 0: dead; may be absent
    const std::int32_t* sequence_of = nullptr;  // [tokens]
    const std::int32_t* starts = nullptr;       // [sequences + 1]
    const std::int32_t* history = nullptr;      // [sequences][orders]: the tokens before, the newest last
    const std::int32_t* compressed = nullptr;   // [vocab]: token to compressed id
    const EngramHashLayer* layers = nullptr;    // [layer_count]
    std::int32_t* rows = nullptr;               // [layer_count][tokens][orders * 8], 16-byte aligned
    int* error = nullptr;  // becomes 1 where a token, a sequence or a compressed id is out of range
    long token_count = 0;
    int sequences = 0;
    int layer_count = 0;
    int orders = 3;
    std::int32_t vocab = 0;
    std::int32_t compressed_vocab = 0;
    std::int32_t pad = 2;  // token; its compressed id stands where looking back has stopped
};

inline void require_valid(const EngramHashTask& task) {
    if (task.token_count < 0 || task.layer_count < 1 || task.layer_count > 65535 || task.orders < 1 ||
        task.orders > kEngramOrders)
        throw std::invalid_argument("engram_hash: " + std::to_string(task.token_count) + " tokens, " +
                                    std::to_string(task.layer_count) + " layers, " + std::to_string(task.orders) +
                                    " orders; expected at least 0, 1 to 65535, and 1 to 3");
    if (task.vocab < 1 || task.pad < 0 || task.pad >= task.vocab || task.compressed_vocab < 1)
        throw std::invalid_argument("engram_hash: a vocabulary of " + std::to_string(task.vocab) + " with pad " +
                                    std::to_string(task.pad) + "; the pad must be a token of it");
    if (task.token_count == 0) return;
    if (task.sequences < 1 || !task.tokens || !task.sequence_of || !task.starts || !task.history || !task.compressed ||
        !task.layers || !task.rows || !task.error)
        throw std::invalid_argument("engram_hash: a buffer is missing (all but `live` are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.rows) % 16 != 0)
        throw std::invalid_argument("engram_hash: `rows` must be aligned to 16 bytes");
}

inline constexpr int kEngramHashThreads = 128;

inline Grid grid_of(const EngramHashTask& task) {
    return {.blocks = int(ceil_div(task.token_count * task.orders, kEngramHashThreads)),
            .rows = task.layer_count,
            .threads = kEngramHashThreads};
}

// The compressed id of a token, -1 for one that stops the look back; `error` for one that no vocabulary has.
STRATA_HD std::int32_t compressed_id(const EngramHashTask& task, std::int32_t token, bool* error) {
    if (token == kDeadToken) return -1;
    const bool known = token >= 0 && token < task.vocab;
    const std::int32_t id = known ? task.compressed[token] : -1;
    const bool valid = id >= 0 && id < task.compressed_vocab;
    if (!valid) *error = true;
    return valid ? id : -1;
}

template <class Thread>
STRATA_BODY void engram_hash(Thread& t, const EngramHashTask& task) {
    const long index = long(t.block()) * kEngramHashThreads + t.thread();
    const long token = index / task.orders;
    const int order = int(index % task.orders);
    if (token >= task.token_count) return;
    const EngramHashLayer& layer = task.layers[t.row()];
    bool error = false;

    const std::int32_t sequence = task.sequence_of[token];
    const bool placed = sequence >= 0 && sequence < task.sequences && task.starts[sequence] >= 0 &&
                        task.starts[sequence] <= token && task.starts[sequence + 1] > token;
    error = !placed;
    const long start = placed ? task.starts[sequence] : token;
    const auto token_before = [&](int back) {  // kDeadToken where there is none
        const long at = token - back;
        if (at >= start) return task.live && !task.live[at] ? kDeadToken : task.tokens[at];
        const long slot = at - start + task.orders;
        return placed ? task.history[long(sequence) * task.orders + slot] : kDeadToken;
    };

    // Only the token's own flag of an error: an unknown one among those before it was reported where it stood.
    bool error_before = false;
    const std::int32_t pad = compressed_id(task, task.pad, &error), own = token_before(0);
    const std::int32_t own_id = compressed_id(task, own, &error);
    bool cut = own_id < 0 || own == task.pad;
    std::int64_t mix = (cut ? pad : own_id) * layer.multipliers[0];
    for (int back = 1; back <= order + 1; ++back) {
        const std::int32_t before = cut ? kDeadToken : token_before(back);
        const std::int32_t id = before == task.pad ? -1 : compressed_id(task, before, &error_before);
        cut = id < 0;
        mix ^= (cut ? pad : id) * layer.multipliers[back];
    }

    if (error) t.atomic_max(task.error, 1);
    const bool has_rows = own_id >= 0 && placed && pad >= 0;
    std::int32_t* out = task.rows + ((long(t.row()) * task.token_count + token) * task.orders + order) * kEngramHeads;
    STRATA_UNROLL
    for (int half = 0; half < 2; ++half) {
        Pack<std::int32_t> rows;
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const int slot = order * kEngramHeads + half * 4 + i;
            rows.at[i] =
                has_rows ? std::int32_t(modulo(std::uint64_t(mix), layer.moduli[slot])) + layer.offsets[slot] : kNoRow;
        }
        store_pack(out, half * 4, rows);
    }
}

}  // namespace strata
