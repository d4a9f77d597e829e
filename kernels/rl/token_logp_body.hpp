// log p of the taken token of each row of logits, and its gradient.
// Forward: a block a row, so that a row's loads follow each other without a word between blocks; five blocks of 256 on
// an SM, with four packs a thread in flight, hide each other's reductions. Backward: a block takes a piece of a row.
// A row that nobody counts is not read; one whose slope is 0 (clipped, or not counted) is only written.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "kernels/rl/logits_slice.hpp"
#include "kernels/rl/online_softmax.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

// Non-zero in *error after a launch: what was wrong with the data.
inline constexpr int kTakenOutOfRange = 1;

template <class T>
struct TokenLogpTask {
    const T* logits = nullptr;   // [tokens][vocabulary]; Bf16 or float
    const int* taken = nullptr;  // [tokens]; outside the vocabulary: logp is NaN and *error is set
    const std::uint8_t* counted =
        nullptr;                // [tokens], 0: padding or prompt, logp and log2_sum become 0; null: all count
    float* logp = nullptr;      // [tokens], natural; NaN for a row with a NaN or +inf, or of -inf alone
    float* log2_sum = nullptr;  // [tokens], log2 sum_v 2^(scale x_v): what the gradient needs
    int* error = nullptr;       // one int, 0 before the launch
    long tokens = 0;
    long vocabulary = 0;
    float temperature = 1;
};

// May be done in place. gradient = slope * (1[v = taken] - softmax_v) / temperature
template <class T>
struct TokenLogpGradientTask {
    const T* logits = nullptr;
    const int* taken = nullptr;       // outside the vocabulary: nothing is added to any logit
    const float* log2_sum = nullptr;  // from the forward pass
    const float* slope = nullptr;     // [tokens]: d loss / d logp
    const float* weight = nullptr;    // one, multiplies every slope; null: 1
    T* gradient = nullptr;            // [tokens][vocabulary]
    long tokens = 0;
    long vocabulary = 0;
    float temperature = 1;
};

inline void require_valid_logits(const char* what, long tokens, long vocabulary, float temperature) {
    if (tokens < 0 || tokens > 0x7FFFFFFF || vocabulary <= 0 || vocabulary > 0x7FFFFFFF)
        throw std::invalid_argument(std::string(what) + ": " + std::to_string(tokens) + " tokens of " +
                                    std::to_string(vocabulary) +
                                    " logits; expected 0 to 2^31 - 1 tokens and a positive vocabulary below 2^31");
    if (!(temperature > 0) || !(temperature < INFINITY))
        throw std::invalid_argument(std::string(what) + ": temperature " + std::to_string(temperature) +
                                    "; expected a positive number");
}

inline void require_logits_buffers(const char* what, std::initializer_list<const void*> needed) {
    for (const void* one : needed)
        if (!one) throw std::invalid_argument(std::string(what) + ": a buffer that is needed is missing");
}

inline void require_aligned(const char* what, std::initializer_list<const void*> buffers) {
    for (const void* one : buffers)
        if (reinterpret_cast<std::uintptr_t>(one) % 16 != 0)
            throw std::invalid_argument(std::string(what) + ": logits and gradients must be aligned to 16 bytes");
}

template <class T>
void require_valid(const TokenLogpTask<T>& task) {
    require_valid_logits("token logp", task.tokens, task.vocabulary, task.temperature);
    if (task.tokens > 0)
        require_logits_buffers("token logp", {task.logits, task.taken, task.logp, task.log2_sum, task.error});
    require_aligned("token logp", {task.logits});
}

inline constexpr int kLogitsThreads = 256;
inline constexpr int kLogitsPacks = 4;  // a thread, in flight at once

// How many pieces of a row the gradient's blocks take.
template <class T>
inline long gradient_pieces(long vocabulary) {
    return ceil_div(vocabulary, long(kLogitsThreads) * kLogitsPacks * Pack<T>::kSize);
}

template <class T>
void require_valid(const TokenLogpGradientTask<T>& task) {
    require_valid_logits("token logp gradient", task.tokens, task.vocabulary, task.temperature);
    if (task.tokens > 0)
        require_logits_buffers("token logp gradient",
                               {task.logits, task.taken, task.log2_sum, task.slope, task.gradient});
    require_aligned("token logp gradient", {task.logits, task.gradient});
    if (task.tokens * gradient_pieces<T>(task.vocabulary) > 0x7FFFFFFF)
        throw std::invalid_argument("token logp gradient: too many logits for one launch; give it fewer tokens");
}

template <class T>
Grid grid_of(const TokenLogpTask<T>& task) {
    return {.blocks = int(task.tokens), .threads = kLogitsThreads, .shared_bytes = kLogitsThreads / 32 * sizeof(float)};
}

template <class T>
Grid grid_of(const TokenLogpGradientTask<T>& task) {
    return {.blocks = int(task.tokens * gradient_pieces<T>(task.vocabulary)), .threads = kLogitsThreads};
}

template <class Thread, class T>
STRATA_BODY OnlineSoftmax softmax_of_row(Thread& t, const T* row, long vocabulary, float scale) {
    constexpr long kStep = long(kLogitsThreads) * kLogitsPacks * Pack<T>::kSize;
    const bool packed = rows_are_packed<T>(vocabulary);
    OnlineSoftmax softmax;
    for (long begin = 0; begin < vocabulary; begin += kStep) {
        LogitsSlice<T, kLogitsPacks> slice;
        load_slice(t, slice, row, begin, vocabulary, packed);
        float x[LogitsSlice<T, kLogitsPacks>::kCount];
        to_floats(x, slice);
        absorb(softmax, x, scale);
    }
    return merged(t, softmax, reinterpret_cast<float*>(t.shared()));
}

template <class Thread, class T>
STRATA_BODY void token_logp(Thread& t, const TokenLogpTask<T>& task) {
    const long token = t.block();
    if (task.counted && !task.counted[token]) {
        if (t.thread() == 0) task.logp[token] = 0, task.log2_sum[token] = 0;
        return;
    }
    const float scale = kLog2e / task.temperature;
    const T* row = task.logits + token * task.vocabulary;
    const OnlineSoftmax softmax = softmax_of_row(t, row, task.vocabulary, scale);
    if (t.thread() != 0) return;
    const int taken = task.taken[token];
    task.log2_sum[token] = softmax.log2_sum();
    if (taken < 0 || taken >= task.vocabulary) {
        task.logp[token] = NAN;
        t.atomic_max(task.error, kTakenOutOfRange);
        return;
    }
    // The maximum goes first: what is left is small, and so is its rounding.
    task.logp[token] = (fmaf(to_float(row[taken]), scale, -softmax.max) - log2f(softmax.sum)) * kLn2;
}

template <class Thread, class T>
STRATA_BODY void token_logp_gradient(Thread& t, const TokenLogpGradientTask<T>& task) {
    constexpr long kStep = long(kLogitsThreads) * kLogitsPacks * Pack<T>::kSize;
    const long pieces = ceil_div(task.vocabulary, kStep);
    const long token = t.block() / pieces, begin = t.block() % pieces * kStep;
    const long offset = token * task.vocabulary;
    const bool packed = rows_are_packed<T>(task.vocabulary);
    const float slope = task.slope[token] * (task.weight ? *task.weight : 1.0f) / task.temperature;
    LogitsSlice<T, kLogitsPacks> slice;
    if (slope == 0) {
        STRATA_UNROLL
        for (int i = 0; i < slice.kCount; ++i) slice.set(i, 0);
        store_slice(t, slice, task.gradient + offset, begin, task.vocabulary, packed);
        return;
    }
    load_slice(t, slice, task.logits + offset, begin, task.vocabulary, packed);
    const float scale = kLog2e / task.temperature, log2_sum = task.log2_sum[token];
    const int taken = task.taken[token];
    STRATA_UNROLL
    for (int i = 0; i < kLogitsPacks; ++i) {
        const int taken_here = int(taken - pack_begin<T>(t, begin, i));
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e) {
            const int at = i * Pack<T>::kSize + e;
            const float share = exp2_of(fmaf(slice.get(at), scale, -log2_sum));
            slice.set(at, slope * ((e == taken_here ? 1.0f : 0.0f) - share));
        }
    }
    store_slice(t, slice, task.gradient + offset, begin, task.vocabulary, packed);
}

}  // namespace strata
