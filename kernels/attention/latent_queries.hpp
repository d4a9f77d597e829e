// What every form of latent attention has: queries, where the results go, and how the keys of a query are divided over
// blocks where there are too few queries to fill the GPU.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/attention/latent_cache.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

inline constexpr int kLatentRows = 64;          // query heads a block: the height of the tensor cores' product
inline constexpr int kLatentSlots = 64;         // keys a tile
inline constexpr int kLatentMathThreads = 256;  // two warpgroups that multiply
// And those that load: one warpgroup; two where FP8 is expanded, so that one computes while the other waits for memory.
STRATA_HD constexpr int latent_loading_threads(LatentFormat format) { return layout_of(format).codes > 0 ? 256 : 128; }
STRATA_HD constexpr int latent_threads(LatentFormat format) {
    return kLatentMathThreads + latent_loading_threads(format);
}
inline constexpr int kLatentMostSplits = 132;       // a long sequence alone fills the card
inline constexpr int kLatentMultiprocessors = 132;  // H100 SXM and H200; only for how keys are divided

struct LatentQueries {
    const Bf16* q = nullptr;  // [tokens][heads][dim of the cache's format]
    Bf16* out = nullptr;      // [tokens][heads][512]; zeros where a query has no key
    float* lse = nullptr;     // [tokens][heads]: natural logarithm of the scores' sum, +inf where there is none
    long tokens = 0;
    int heads = 0;
    float scale = 0;  // of scores: dim^-0.5 of the heads before absorption

    // Chosen by `planned`, unless set: blocks that share the keys of a query; each has whole tiles, the last fewer.
    int splits = 0;
    int tiles_a_split = 0;
    // Needed where there is more than one: a softmax over its own keys from each.
    float* partial_out = nullptr;  // [splits][tokens][heads][512]
    float* partial_lse = nullptr;  // [splits][tokens][heads]; -inf where there is no key
};

inline long partial_rows(const LatentQueries& queries) { return queries.tokens * queries.heads * queries.splits; }

// Fewest waves of tiles over the multiprocessors. Assumed until measured: a block takes about two tiles' time to begin
// and end; results that must be combined cost about three more.
inline int splits_for(long blocks, long tiles) {
    int best = 1;
    double least = HUGE_VAL;
    for (int splits = 1; splits <= std::min<long>(kLatentMostSplits, std::max(1L, tiles)); ++splits) {
        const double waves = double(ceil_div(blocks * splits, kLatentMultiprocessors));
        const double time = waves * double(ceil_div(tiles, splits) + 2) + (splits > 1 ? 3 : 0);
        if (time < least) least = time, best = splits;
    }
    return best;
}

inline void require_valid(const LatentQueries& queries, const std::string& op) {
    const auto refuse = [&](const std::string& what) { throw std::invalid_argument(op + ": " + what); };
    if (queries.tokens < 0 || queries.heads < 1 || queries.tokens > 0x7FFFFFFFL / queries.heads)
        refuse(std::to_string(queries.tokens) + " queries of " + std::to_string(queries.heads) +
               " heads; expected 1 head or more, and fewer than 2^31 together");
    if (!std::isfinite(queries.scale)) refuse("the scale of scores is not a number");
    if (queries.splits < 0 || queries.splits > kLatentMostSplits)
        refuse(std::to_string(queries.splits) + " splits; expected at most " + std::to_string(kLatentMostSplits) +
               ", or 0 to have them chosen");
    if (queries.tokens == 0) return;
    if (!queries.q || !queries.out) refuse("a buffer is missing (q and out are needed)");
    if ((reinterpret_cast<std::uintptr_t>(queries.q) | reinterpret_cast<std::uintptr_t>(queries.out)) % 16 != 0)
        refuse("q and out must be aligned to 16 bytes");
}

// Of planned queries.
inline void require_partials(const LatentQueries& queries, const std::string& op) {
    const bool there =
        queries.partial_out && queries.partial_lse && reinterpret_cast<std::uintptr_t>(queries.partial_out) % 16 == 0;
    if (queries.tokens == 0 || queries.splits == 1 || there) return;
    throw std::invalid_argument(op + ": with " + std::to_string(queries.splits) +
                                " splits the buffers for partial results are needed, aligned to 16 bytes");
}

}  // namespace strata
