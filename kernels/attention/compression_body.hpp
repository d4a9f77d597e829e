// Compression of a group of tokens into one entry, thread by thread. A thread takes four channels of eight rows, all in
// flight at once, so that a warp reads 512 bytes in a row; where a group has more rows, threads above each other share
// its channels and their softmaxes are merged. HCA's groups are so few and so large that a cluster shares one: each of
// its blocks has the 64 channels of one scale, and only the sum of squares goes from block to block.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/attention/compressed_cache.hpp"
#include "kernels/quant/scales.hpp"
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

inline constexpr int kCompressedRows = 8;  // of a thread

template <int ratio, int paths, int channels, int cluster, int threads>
struct CompressionPlan {
    static constexpr int kRatio = ratio;
    static constexpr int kPaths = paths;
    static constexpr int kChannels = channels;
    static constexpr int kCluster = cluster;
    static constexpr int kThreads = threads;
    static constexpr int kBlockChannels = channels / cluster;
    static constexpr int kAcross = kBlockChannels / 4;  // threads beside each other
    static constexpr int kAbove = threads / kAcross;    // and above
    static constexpr int kWidth = paths * channels;
    static constexpr bool kIsIndexKey = channels == kIndexChannels;
    static_assert(kAbove * kCompressedRows == ratio * paths && kBlockChannels % kLatentTile == 0);
};

using CsaPlan = CompressionPlan<4, 2, kLatentChannels, 1, 128>;
using CsaIndexPlan = CompressionPlan<4, 2, kIndexChannels, 1, 32>;
using HcaPlan = CompressionPlan<128, 1, kLatentChannels, 8, 256>;

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

template <class Plan>
Grid grid_of(const CompressionTask& task) {
    const std::size_t merged = Plan::kAbove > 1 ? std::size_t(Plan::kThreads) * 12 * sizeof(float) : 0;
    return {.blocks = int(task.entries * Plan::kCluster),
            .threads = Plan::kThreads,
            .cluster = Plan::kCluster,
            .shared_bytes = merged + 16 * sizeof(float)};
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
};

template <class Plan, class Thread>
class CompressedEntry {
public:
    STRATA_BODY CompressedEntry(Thread& t, const CompressionTask& task, const CompressedPlace& place)
        : t_(t),
          task_(task),
          place_(place),
          channel_(rank(t) * Plan::kBlockChannels + t.thread() % Plan::kAcross * 4),
          above_(t.thread() / Plan::kAcross),
          floats_(reinterpret_cast<float*>(t.shared())) {}

    STRATA_BODY void run() {
        WeighedRows rows = weigh();
        if constexpr (Plan::kAbove > 1) rows = merged(rows);
        Pack<float> entry;
        float squares = 0;
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            entry.at[i] = rows.sum.at[i] / rows.weights.at[i];
            if (above_ == 0) squares += entry.at[i] * entry.at[i];
        }
        const float scale = rsqrt_of(sum_over_channels(squares) / Plan::kChannels + task_.eps);
        const Pack<float> weight = load_pack(task_.weight, channel_);
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) entry.at[i] *= scale * weight.at[i];
        if (channel_ >= Plan::kChannels - kRotaryChannels) rotate(entry);
        if constexpr (Plan::kIsIndexKey)
            store_index_key(entry);
        else
            store_latent(entry);
    }

private:
    STRATA_BODY static int rank(Thread& t) {
        if constexpr (Plan::kCluster > 1) return t.cluster_rank();
        return 0;
    }

    // Slots in the order of the softmax: path b of the group before, then path a; HCA has the one path.
    STRATA_BODY WeighedRows weigh() {
        Pack<float> values[kCompressedRows], scores[kCompressedRows];
        const bool has_before = Plan::kPaths == 1 || place_.before >= 0;
        STRATA_UNROLL
        for (int row = 0; row < kCompressedRows; ++row) {
            const int slot = above_ * kCompressedRows + row, within = slot % Plan::kRatio;
            const bool is_before = Plan::kPaths == 2 && slot < Plan::kRatio;
            values[row] = scores[row] = Pack<float>{};
            if (is_before && !has_before) continue;
            const long from = is_before ? place_.before : place_.group;
            const int column = channel_ + (Plan::kPaths == 2 && !is_before ? Plan::kChannels : 0);
            values[row] = load_pack(task_.values, (from + within) * Plan::kWidth + column);
            scores[row] = load_pack(task_.scores, (from + within) * Plan::kWidth + column);
            const Pack<float> bias = load_pack(task_.bias, long(within) * Plan::kWidth + column);
            STRATA_UNROLL
            for (int i = 0; i < 4; ++i) scores[row].at[i] += bias.at[i];
        }
        const int first = has_before ? 0 : Plan::kRatio;  // path b's rows are left out where there are none
        WeighedRows out{};
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            float most = scores[kCompressedRows - 1].at[i];
            STRATA_UNROLL
            for (int row = 0; row < kCompressedRows - 1; ++row)
                if (row >= first) most = max_of(most, scores[row].at[i]);
            out.most.at[i] = most;
            STRATA_UNROLL
            for (int row = 0; row < kCompressedRows; ++row) {
                const float weight = row >= first ? exp_of(scores[row].at[i] - most) : 0;
                out.weights.at[i] += weight;
                out.sum.at[i] += weight * values[row].at[i];
            }
        }
        return out;
    }

    // Of the threads above each other, always in the same order; every thread gets the result.
    STRATA_BODY WeighedRows merged(const WeighedRows& mine) {
        store_pack(floats_, t_.thread() * 12, mine.most);
        store_pack(floats_, t_.thread() * 12 + 4, mine.weights);
        store_pack(floats_, t_.thread() * 12 + 8, mine.sum);
        t_.sync();
        WeighedRows all = load_rows(0);
        STRATA_ROLLED
        for (int above = 1; above < Plan::kAbove; ++above) {
            const WeighedRows other = load_rows(above);
            STRATA_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float most = max_of(all.most.at[i], other.most.at[i]);
                const float before = exp_of(all.most.at[i] - most), more = exp_of(other.most.at[i] - most);
                all.most.at[i] = most;
                all.weights.at[i] = all.weights.at[i] * before + other.weights.at[i] * more;
                all.sum.at[i] = all.sum.at[i] * before + other.sum.at[i] * more;
            }
        }
        t_.sync();
        return all;
    }
    STRATA_BODY WeighedRows load_rows(int above) {
        const long at = (above * Plan::kAcross + t_.thread() % Plan::kAcross) * 12L;
        return {load_pack(floats_, at), load_pack(floats_, at + 4), load_pack(floats_, at + 8)};
    }

    STRATA_BODY float sum_over_channels(float squares) {
        float* scratch = floats_ + (Plan::kAbove > 1 ? Plan::kThreads * 12 : 0);
        float sum = block_sum(t_, squares, scratch);
        if constexpr (Plan::kCluster > 1) {
            if (t_.thread() == 0) scratch[0] = sum;
            t_.sync_cluster();
            sum = 0;
            for (int rank = 0; rank < Plan::kCluster; ++rank) sum += *t_.shared_of(rank, scratch);
            t_.sync_cluster();  // nobody leaves before all have read
        }
        return sum;
    }

    STRATA_BODY void rotate(Pack<float>& entry) {
        const long at = long(place_.entry) * kRotaryChannels + channel_ - (Plan::kChannels - kRotaryChannels);
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

    STRATA_BODY void store_latent(const Pack<float>& entry) {
        const TileScale scale = tile_scale(warp_max<16>(t_, amax_of_four(entry)), true);
        if (above_ > 0) return;
        std::uint8_t* to = task_.cache + latent_at(place_.slot);
        const bool is_rotary = channel_ >= kLatentCodes;
        if (is_rotary) {
            auto* words = reinterpret_cast<std::uint32_t*>(to + kLatentCodes + (channel_ - kLatentCodes) * 2);
            words[0] = bf16_pair(entry.at[0], entry.at[1]);
            words[1] = bf16_pair(entry.at[2], entry.at[3]);
        } else {
            *reinterpret_cast<std::uint32_t*>(to + channel_) = codes_of_four(entry, scale.factor);
        }
        if (channel_ % kLatentTile == 0)
            task_.cache[latent_scales_at(place_.slot) + channel_ / kLatentTile] =
                is_rotary ? 0 : to_ue8m0(scale.scale).bits;
    }

    STRATA_BODY void store_index_key(const Pack<float>& entry) {
        const TileScale scale = tile_scale(warp_max(t_, amax_of_four(entry)), false);
        *reinterpret_cast<std::uint32_t*>(task_.cache + index_key_at(place_.slot) + channel_) =
            codes_of_four(entry, scale.factor);
        if (channel_ == 0) *reinterpret_cast<float*>(task_.cache + index_scale_at(place_.slot)) = scale.scale;
    }

    Thread& t_;
    const CompressionTask& task_;
    const CompressedPlace place_;
    const int channel_;  // first of four
    const int above_;
    float* const floats_;  // [threads][12] where softmaxes are merged; then [16] of sums
};

template <class Plan, class Thread>
STRATA_BODY void compress(Thread& t, const CompressionTask& task) {
    const CompressedPlace place = task.places[t.block() / Plan::kCluster];
    if (!is_within<Plan>(task, place)) return;  // the same for all threads of a cluster
    CompressedEntry<Plan, Thread>(t, task, place).run();
}

}  // namespace strata
