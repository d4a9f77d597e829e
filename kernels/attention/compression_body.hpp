// Compression of a group of tokens into one entry, thread by thread. A thread takes four channels of eight rows. They
// come to its own part of shared memory, all in flight at once (loads to registers nvcc puts off until registers are
// free, half of them behind the first results), a warp's 512 bytes of a row together; so L1 is left to the biases,
// which where they are too many for it serve two entries at a time. HCA's groups are so few and so large that a cluster
// shares one: each of its blocks has the 64 channels of one scale, a thread goes through 32 of the rows, the softmaxes
// of four threads above each other are merged, and only the sum of squares goes from block to block. Blocks are small,
// so that some load while others compute.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/attention/compressed_cache.hpp"
#include "kernels/quant/scales.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// One entry to make: of which rows, for which place of its sequence, and where it goes.
struct alignas(16) CompressedPlace {
    std::int32_t group;   // first row of its group
    std::int32_t before;  // first row of the group before; negative: there is none
    std::int32_t entry;   // in its sequence: the row of `rotations`
    std::int32_t slot;    // in the cache; negative: nothing is done
};

// Rows are tokens of any sequences, or of the state that decoding keeps; rows of a group stand together.
struct CompressionTask {
    const float* values = nullptr;            // [rows][paths * channels]: path b first, where there are two
    const float* scores = nullptr;            // [rows][paths * channels]
    const float* bias = nullptr;              // [ratio][paths * channels]
    const float* weight = nullptr;            // [channels], of RMSNorm
    const float* rotations = nullptr;         // [positions][32][cosine, sine]: row i is for token i * ratio
    const CompressedPlace* places = nullptr;  // [entries]
    std::uint8_t* cache = nullptr;            // pages of 64 entries (compressed_cache.hpp)
    long entries = 0;
    long rows = 0;
    long positions = 0;
    long slots = 0;     // of the cache
    float eps = 1e-6f;  // rms_norm_eps (V4)
};

inline constexpr int kCompressedRows = 8;  // of a thread, at once

// `threads` of a block have `together` entries at once, the same channels and rows of each; `beside` such groups of
// threads make a block.
template <int ratio, int paths, int channels, int cluster, int threads, int together, int beside>
struct CompressionPlan {
    static constexpr int kRatio = ratio;
    static constexpr int kPaths = paths;
    static constexpr int kChannels = channels;
    static constexpr int kCluster = cluster;
    static constexpr int kThreads = threads * beside;
    static constexpr int kTogether = together;
    static constexpr int kBeside = beside;
    static constexpr int kBlockChannels = channels / cluster;
    static constexpr int kAcross = kBlockChannels / 4;        // threads beside each other
    static constexpr int kAbove = threads / kAcross;          // and above
    static constexpr int kRows = kCompressedRows / together;  // of an entry, at once
    static constexpr int kTurns = ratio * paths / kAbove / kRows;
    static constexpr int kWidth = paths * channels;
    static constexpr bool kIsIndexKey = channels == kIndexChannels;
    static_assert(kAbove * kRows * kTurns == ratio * paths && kBlockChannels % kLatentTile == 0);
    static_assert(paths == 1 || (kTurns == 1 && kAbove == 1 && together == 1));
    static_assert(beside == 1 || (threads == 32 && together == 1));
};

using CsaPlan = CompressionPlan<4, 2, kLatentChannels, 1, 128, 1, 1>;
using CsaIndexPlan = CompressionPlan<4, 2, kIndexChannels, 1, 32, 1, 4>;
using HcaPlan = CompressionPlan<128, 1, kLatentChannels, 8, 64, 2, 1>;

template <class Plan>
void require_valid(const CompressionTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("compression: " + what); };
    if (task.entries < 0 || task.rows < 0 || task.positions < 0 || task.slots < 0 ||
        task.entries > 0x7FFFFFFFL / Plan::kCluster || task.slots % kPageEntries != 0)
        refuse(std::to_string(task.entries) + " entries of " + std::to_string(task.rows) + " rows into " +
               std::to_string(task.slots) + " slots; expected none negative, and whole pages of 64 slots");
    if (!(task.eps > 0)) refuse("eps is " + std::to_string(task.eps) + "; expected more than 0");
    if (task.entries == 0) return;
    for (const void* buffer : {static_cast<const void*>(task.values), static_cast<const void*>(task.scores),
                               static_cast<const void*>(task.bias), static_cast<const void*>(task.weight),
                               static_cast<const void*>(task.rotations), static_cast<const void*>(task.places),
                               static_cast<const void*>(task.cache)})
        if (!buffer || reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            refuse(
                "a buffer is missing or not aligned to 16 bytes (values, scores, bias, weight, rotations, places "
                "and cache are needed)");
}

// Shared memory: rows on the way [2 * 8][threads] of 16 bytes, softmaxes to be merged [together][threads][12], sums.
template <class Plan>
Grid grid_of(const CompressionTask& task) {
    const int merged = Plan::kAbove > 1 ? Plan::kTogether * 12 : 0;
    return {.blocks = int(ceil_div(task.entries, Plan::kTogether * Plan::kBeside) * Plan::kCluster),
            .threads = Plan::kThreads,
            .cluster = Plan::kCluster,
            .shared_bytes = (std::size_t(Plan::kThreads) * (2 * kCompressedRows * 4 + merged) + 16) * sizeof(float)};
}

// A place that would read or write where nothing is, is left out.
template <class Plan>
STRATA_HD bool is_within(const CompressionTask& task, const CompressedPlace& place) {
    return place.slot >= 0 && place.slot < task.slots && place.entry >= 0 && place.entry < task.positions &&
           place.group >= 0 && place.group + long(Plan::kRatio) <= task.rows &&
           (Plan::kPaths == 1 || place.before + long(Plan::kRatio) <= task.rows);
}

// Weighted sums of four channels, relative to the largest score of each.
struct WeighedRows {
    Pack<float> most, weights, sum;

    STRATA_BODY void add(const WeighedRows& other) {
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const float larger = max_of(most.at[i], other.most.at[i]);
            const float before = exp_of(most.at[i] - larger), more = exp_of(other.most.at[i] - larger);
            most.at[i] = larger;
            weights.at[i] = weights.at[i] * before + other.weights.at[i] * more;
            sum.at[i] = sum.at[i] * before + other.sum.at[i] * more;
        }
    }
};

template <class Plan, class Thread>
class CompressedEntries {
public:
    static constexpr int kTogether = Plan::kTogether, kRows = Plan::kRows;

    // Of the entries from `first` on.
    STRATA_BODY CompressedEntries(Thread& t, const CompressionTask& task, long first)
        : t_(t),
          task_(task),
          channel_(rank(t) * Plan::kBlockChannels + t.thread() % Plan::kAcross * 4),
          above_(Plan::kBeside > 1 ? 0 : t.thread() / Plan::kAcross),
          coming_(reinterpret_cast<float*>(t.shared())),
          floats_(coming_ + Plan::kThreads * 2 * kCompressedRows * 4) {
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) {
            const bool is_one = first + e < task.entries;
            places_[e] = is_one ? task.places[first + e] : CompressedPlace{};
            is_there_[e] = is_one && is_within<Plan>(task, places_[e]);
        }
    }

    // The same for all that share an entry.
    STRATA_BODY bool is_any_there() const {
        bool is_any = false;
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) is_any |= is_there_[e];
        return is_any;
    }

    STRATA_BODY void run() {
        WeighedRows rows[kTogether];
        weigh(rows);
        if constexpr (Plan::kAbove > 1) merge(rows);
        Pack<float> entries[kTogether];
        float squares[kTogether] = {};
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            entries[e].at[i] = rows[e].sum.at[i] / rows[e].weights.at[i];
            if (above_ == 0) squares[e] += entries[e].at[i] * entries[e].at[i];
        }
        sum_over_channels(squares);
        const Pack<float> weight = load_pack(task_.weight, channel_);
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) {
            const float scale = rsqrt_of(squares[e] / Plan::kChannels + task_.eps);
            STRATA_UNROLL
            for (int i = 0; i < 4; ++i) entries[e].at[i] *= scale * weight.at[i];
            if (is_there_[e] && channel_ >= Plan::kChannels - kRotaryChannels) rotate(places_[e], entries[e]);
            if constexpr (Plan::kIsIndexKey)
                store_index_key(places_[e], entries[e]);
            else
                store_latent(is_there_[e], places_[e], entries[e]);
        }
    }

private:
    STRATA_BODY static int rank(Thread& t) {
        if constexpr (Plan::kCluster > 1) return t.cluster_rank();
        return 0;
    }

    // Slots in the order of the softmax: path b of the group before, then path a; HCA has the one path.
    STRATA_BODY void weigh(WeighedRows* out) {
        const int first = has_before() ? 0 : Plan::kRatio;  // path b's rows are left out where there are none
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) ask_for_rows(0, e);
        Pack<float> bias[kRows];
        load_bias(0, bias);
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) {
            copies_.template wait_for_all_but<kTogether - 1>();
            out[e] = weighed(e, bias, first);
            if (Plan::kTurns > 1) ask_for_rows(1, e);
        }
        STRATA_ROLLED
        for (int turn = 1; turn < Plan::kTurns; ++turn) {
            load_bias(turn, bias);
            STRATA_UNROLL
            for (int e = 0; e < kTogether; ++e) {
                copies_.template wait_for_all_but<kTogether - 1>();
                out[e].add(weighed(e, bias, first));
                ask_for_rows(turn + 1, e);
            }
        }
    }
    // The row'th row of this thread in a turn.
    struct Slot {
        int within;  // its group
        int column;
        bool is_before;
    };
    STRATA_BODY Slot slot_of(int turn, int row) const {
        const int slot = (turn * Plan::kAbove + above_) * kRows + row;
        const bool is_before = Plan::kPaths == 2 && slot < Plan::kRatio;
        return {.within = slot % Plan::kRatio,
                .column = channel_ + (Plan::kPaths == 2 && !is_before ? Plan::kChannels : 0),
                .is_before = is_before};
    }
    STRATA_BODY bool has_before() const { return Plan::kPaths == 1 || places_[0].before >= 0; }
    // A group of copies, where there is nothing to copy too. Rows of one entry are on the way while those of the other
    // are weighed, and come to their place again.
    STRATA_BODY void ask_for_rows(int turn, int e) {
        STRATA_UNROLL
        for (int row = 0; row < kRows; ++row) {
            const Slot slot = slot_of(turn, row);
            if (turn >= Plan::kTurns || !is_there_[e] || (slot.is_before && !has_before())) continue;
            const long from = (slot.is_before ? places_[e].before : places_[e].group) + slot.within;
            copies_.copy16(value_at(e, row), task_.values + from * Plan::kWidth + slot.column);
            copies_.copy16(score_at(e, row), task_.scores + from * Plan::kWidth + slot.column);
        }
        copies_.close_group();
    }
    STRATA_BODY void load_bias(int turn, Pack<float>* bias) const {
        STRATA_UNROLL
        for (int row = 0; row < kRows; ++row) {
            const Slot slot = slot_of(turn, row);
            bias[row] = load_pack(task_.bias, long(slot.within) * Plan::kWidth + slot.column);
        }
    }
    STRATA_BODY float* value_at(int e, int row) const {
        return coming_ + ((e * kRows + row) * Plan::kThreads + t_.thread()) * 4;
    }
    STRATA_BODY float* score_at(int e, int row) const {
        return value_at(e, row) + kCompressedRows * Plan::kThreads * 4;
    }
    STRATA_BODY WeighedRows weighed(int e, const Pack<float>* bias, int first) const {
        Pack<float> scores[kRows];
        STRATA_UNROLL
        for (int row = 0; row < kRows; ++row) {
            scores[row] = load_pack(score_at(e, row), 0);
            STRATA_UNROLL
            for (int i = 0; i < 4; ++i) scores[row].at[i] += bias[row].at[i];
        }
        WeighedRows out{};
        out.most = scores[kRows - 1];
        STRATA_UNROLL
        for (int row = 0; row < kRows - 1; ++row) STRATA_UNROLL
        for (int i = 0; i < 4; ++i)
            if (row >= first) out.most.at[i] = max_of(out.most.at[i], scores[row].at[i]);
        STRATA_UNROLL
        for (int row = 0; row < kRows; ++row) {
            if (row < first) continue;
            const Pack<float> values = load_pack(value_at(e, row), 0);
            STRATA_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float weight = exp_of(scores[row].at[i] - out.most.at[i]);
                out.weights.at[i] += weight;
                out.sum.at[i] += weight * values.at[i];
            }
        }
        return out;
    }

    // Of the threads above each other, always in the same order; every thread gets the result.
    STRATA_BODY void merge(WeighedRows* rows) {
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) {
            float* mine = floats_ + (e * Plan::kThreads + t_.thread()) * 12;
            store_pack(mine, 0, rows[e].most), store_pack(mine, 4, rows[e].weights), store_pack(mine, 8, rows[e].sum);
        }
        t_.sync();
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) {
            rows[e] = rows_of(e, 0);
            STRATA_ROLLED
            for (int above = 1; above < Plan::kAbove; ++above) rows[e].add(rows_of(e, above));
        }
    }
    STRATA_BODY WeighedRows rows_of(int e, int above) {
        const int thread = above * Plan::kAcross + t_.thread() % Plan::kAcross;
        const float* at = floats_ + (e * Plan::kThreads + thread) * 12;
        return {load_pack(at, 0), load_pack(at, 4), load_pack(at, 8)};
    }

    STRATA_BODY void sum_over_channels(float* squares) {
        if constexpr (Plan::kBeside > 1) {
            squares[0] = warp_sum(t_, squares[0]);
            return;
        }
        float* scratch = floats_ + (Plan::kAbove > 1 ? Plan::kThreads * kTogether * 12 : 0);
        STRATA_UNROLL
        for (int e = 0; e < kTogether; ++e) squares[e] = block_sum(t_, squares[e], scratch + e * 4);
        if constexpr (Plan::kCluster > 1) {
            STRATA_UNROLL
            for (int e = 0; e < kTogether; ++e)
                if (t_.thread() == 0) scratch[e] = squares[e];
            t_.sync_cluster();
            STRATA_UNROLL
            for (int e = 0; e < kTogether; ++e) {
                squares[e] = 0;
                for (int other = 0; other < Plan::kCluster; ++other) squares[e] += *t_.shared_of(other, scratch + e);
            }
            t_.sync_cluster();  // nobody leaves before all have read
        }
    }

    STRATA_BODY void rotate(const CompressedPlace& place, Pack<float>& entry) {
        const long at = long(place.entry) * kRotaryChannels + channel_ - (Plan::kChannels - kRotaryChannels);
        const Pack<float> turns = load_pack(task_.rotations, at);
        STRATA_UNROLL
        for (int i = 0; i < 4; i += 2) {
            const float x = entry.at[i], y = entry.at[i + 1];
            entry.at[i] = x * turns.at[i] - y * turns.at[i + 1];
            entry.at[i + 1] = x * turns.at[i + 1] + y * turns.at[i];
        }
    }

    STRATA_BODY static float amax_of_four(const Pack<float>& entry) {
        float amax = 0;
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) amax = amax_of(amax, entry.at[i]);
        return amax;
    }
    STRATA_BODY static std::uint32_t codes_of_four(const Pack<float>& entry, float factor) {
        return e4m3_pair(entry.at[0] * factor, entry.at[1] * factor) |
               e4m3_pair(entry.at[2] * factor, entry.at[3] * factor) << 16;
    }

    STRATA_BODY void store_latent(bool is_there, const CompressedPlace& place, const Pack<float>& entry) {
        const TileScale scale = tile_scale(warp_max<16>(t_, amax_of_four(entry)), true);
        if (above_ > 0 || !is_there) return;
        std::uint8_t* to = task_.cache + latent_at(place.slot);
        const bool is_rotary = channel_ >= kLatentCodes;
        if (is_rotary) {
            auto* words = reinterpret_cast<std::uint32_t*>(to + kLatentCodes + (channel_ - kLatentCodes) * 2);
            words[0] = bf16_pair(entry.at[0], entry.at[1]);
            words[1] = bf16_pair(entry.at[2], entry.at[3]);
        } else {
            *reinterpret_cast<std::uint32_t*>(to + channel_) = codes_of_four(entry, scale.factor);
        }
        if (channel_ % kLatentTile == 0)
            task_.cache[latent_scales_at(place.slot) + channel_ / kLatentTile] =
                is_rotary ? 0 : to_ue8m0(scale.scale).bits;
    }

    STRATA_BODY void store_index_key(const CompressedPlace& place, const Pack<float>& entry) {
        const TileScale scale = tile_scale(warp_max(t_, amax_of_four(entry)), false);
        *reinterpret_cast<std::uint32_t*>(task_.cache + index_key_at(place.slot) + channel_) =
            codes_of_four(entry, scale.factor);
        if (channel_ == 0) *reinterpret_cast<float*>(task_.cache + index_scale_at(place.slot)) = scale.scale;
    }

    Thread& t_;
    AsyncCopies copies_;
    const CompressionTask& task_;
    CompressedPlace places_[kTogether];
    bool is_there_[kTogether];
    const int channel_;  // first of four
    const int above_;
    float* const coming_;  // [2 * 8][threads][4]
    float* const floats_;  // [together][threads][12] where softmaxes are merged; then [16] of sums
};

template <class Plan, class Thread>
STRATA_BODY void compress(Thread& t, const CompressionTask& task) {
    const long of_block = long(t.block() / Plan::kCluster) * Plan::kTogether * Plan::kBeside;
    CompressedEntries<Plan, Thread> entries(t, task, of_block + (Plan::kBeside > 1 ? t.warp() : 0));
    if (entries.is_any_there()) entries.run();
}

}  // namespace strata
