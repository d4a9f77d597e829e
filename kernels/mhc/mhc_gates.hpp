// The arithmetic of one token's gates, shared by every form of mHC: its kernels and their tests.
#pragma once

#include "kernels/arithmetic.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

inline constexpr int kMhcStreams = 4;
inline constexpr int kMhcMixes = 24;  // 4 pre, 4 post, 16 comb

// What a site has learned, and its constants.
struct MhcGates {
    const float* scale = nullptr;  // [3]: of pre, post and comb
    const float* base = nullptr;   // [24]
    float norm_eps = 1e-6f;        // V4.1's single pass: 1e-20
    float eps = 1e-6f;
    float post_mult = 2;
    int iterations = 20;  // of Sinkhorn
};

STRATA_HD float fma_of(float a, float b, float c) {
#ifdef __CUDA_ARCH__
    return fmaf(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}

// Mix j of a token, already divided by the root mean square.
STRATA_HD float scaled_mix(const MhcGates& gates, int j, float mix) {
    return fma_of(mix, gates.scale[j < 4 ? 0 : j < 8 ? 1 : 2], gates.base[j]);
}

// To one unit in the last place. Sinkhorn is a chain of these: exact division would take most of a small launch.
STRATA_HD float reciprocal(float x) {
#ifdef __CUDA_ARCH__
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1.0f / x;
#endif
}

// What four numbers are multiplied by so that their sum is one, but for eps.
STRATA_BODY float factor_of(float first, float second, float third, float fourth, float eps) {
    return reciprocal(first + second + (third + fourth) + eps);
}

// Sinkhorn-Knopp of 4x4 logits, in place: each of four neighbouring lanes has a row. It ends on the columns, and eps
// leaves every sum of a column at 1 - 1e-6: that is the definition. All lanes of the warp come here.
template <class Thread>
STRATA_BODY void sinkhorn(Thread& t, Pack<float>& row, int iterations, float eps) {
    float(&m)[4] = row.at;
    const float largest = max_of(max_of(m[0], m[1]), max_of(m[2], m[3]));
    STRATA_UNROLL
    for (int j = 0; j < 4; ++j) m[j] = exp_of(m[j] - largest);
    const float first = factor_of(m[0], m[1], m[2], m[3], 0);
    STRATA_UNROLL
    for (int j = 0; j < 4; ++j) m[j] = m[j] * first + eps;
    for (int iteration = 0; iteration < iterations; ++iteration) {
        if (iteration > 0) {
            const float factor = factor_of(m[0], m[1], m[2], m[3], eps);
            STRATA_UNROLL
            for (int j = 0; j < 4; ++j) m[j] *= factor;
        }
        STRATA_UNROLL
        for (int j = 0; j < 4; ++j) m[j] *= reciprocal(warp_sum<4>(t, m[j]) + eps);
    }
}

// Neighbouring hidden elements, two to a word.
template <int words>
struct alignas(4 * words) Elements {
    std::uint32_t at[words];
};

template <int words>
STRATA_HD Elements<words> load_elements(const Bf16* p, long index) {
    return *reinterpret_cast<const Elements<words>*>(p + index);
}

// To global or shared memory where it is two words, to global memory where it is four. Said so that it stays one store:
// nvcc takes a structure's apart where it cannot tell that others' loads are elsewhere.
template <int words>
STRATA_HD void store_elements(Bf16* p, long index, const Elements<words>& elements) {
    static_assert(words == 2 || words == 4);
    if constexpr (words == 2) {
        *reinterpret_cast<std::uint64_t*>(p + index) = elements.at[0] | std::uint64_t(elements.at[1]) << 32;
    } else {
#ifdef __CUDA_ARCH__
        asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p + index)),
                     "r"(elements.at[0]), "r"(elements.at[1]), "r"(elements.at[2]), "r"(elements.at[3])
                     : "memory");
#else
        *reinterpret_cast<Elements<words>*>(p + index) = elements;
#endif
    }
}

// The new streams after a layer's output, summed old stream after old stream: every form gives the same bits.
template <int words>
struct Spread {
    float low[kMhcStreams][words], high[kMhcStreams][words];

    STRATA_BODY Spread(const Elements<words>& layer_out, const Pack<float>& post) {
        STRATA_UNROLL
        for (int n = 0; n < kMhcStreams; ++n) STRATA_UNROLL
        for (int word = 0; word < words; ++word) {
            low[n][word] = low_of(layer_out.at[word]) * post.at[n];
            high[n][word] = high_of(layer_out.at[word]) * post.at[n];
        }
    }
    // Old stream m, with row m of comb: its share in each new stream.
    STRATA_BODY void add(const Elements<words>& old, const Pack<float>& shares) {
        STRATA_UNROLL
        for (int n = 0; n < kMhcStreams; ++n) STRATA_UNROLL
        for (int word = 0; word < words; ++word) {
            low[n][word] = fma_of(shares.at[n], low_of(old.at[word]), low[n][word]);
            high[n][word] = fma_of(shares.at[n], high_of(old.at[word]), high[n][word]);
        }
    }
    STRATA_BODY Elements<words> stream(int n) const {
        Elements<words> elements;
        STRATA_UNROLL
        for (int word = 0; word < words; ++word) elements.at[word] = bf16_pair(low[n][word], high[n][word]);
        return elements;
    }
};

// The layer's input, gathered stream after stream: sums weighted by pre.
template <int words>
struct Gathered {
    float low[words] = {}, high[words] = {};

    STRATA_BODY void add(const Elements<words>& stream, float pre) {
        STRATA_UNROLL
        for (int word = 0; word < words; ++word) {
            low[word] = fma_of(pre, low_of(stream.at[word]), low[word]);
            high[word] = fma_of(pre, high_of(stream.at[word]), high[word]);
        }
    }
    STRATA_BODY Elements<words> elements() const {
        Elements<words> in;
        STRATA_UNROLL
        for (int word = 0; word < words; ++word) in.at[word] = bf16_pair(low[word], high[word]);
        return in;
    }
};

}  // namespace strata
