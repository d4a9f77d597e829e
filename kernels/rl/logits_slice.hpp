// What a thread holds of a row of logits: some packs of it, all loaded before one is used, so that enough bytes are in
// flight. They stay words of 32 bits until used, or two BF16 would take two registers. A vocabulary that is no multiple
// of a pack leaves rows unaligned: those are read element by element, slower.
#pragma once

#include "kernels/elements.hpp"
#include "kernels/simt/global_store.hpp"

namespace strata {

template <class T, int packs>
struct LogitsSlice {
    static constexpr int kSize = Pack<T>::kSize;
    static constexpr int kCount = packs * kSize;
    std::uint32_t words[packs * 4];

    STRATA_HD float get(int i) const {
        if constexpr (sizeof(T) == 4) return bits_as<float>(words[i]);
        return bits_as<float>(i % 2 ? words[i / 2] & 0xFFFF0000u : words[i / 2] << 16);
    }
    STRATA_HD void set(int i, float x) { set_element(i, from_float<T>(x)); }
    STRATA_HD void set_element(int i, T x) {
        if constexpr (sizeof(T) == 4)
            words[i] = bits_as<std::uint32_t>(x);
        else
            words[i / 2] = i % 2 ? (words[i / 2] & 0xFFFFu) | (std::uint32_t(x.bits) << 16)
                                 : (words[i / 2] & 0xFFFF0000u) | x.bits;
    }
    STRATA_HD T element(int i) const { return from_float<T>(get(i)); }
};

template <class T>
STRATA_HD bool rows_are_packed(long vocabulary) {
    return vocabulary % Pack<T>::kSize == 0;
}

// Where pack i of this thread's slice begins: neighbouring threads hold neighbouring packs.
template <class T, class Thread>
STRATA_BODY long pack_begin(Thread& t, long begin, int i) {
    return begin + (long(i) * t.threads() + t.thread()) * Pack<T>::kSize;
}

// Elements at `end` and beyond become -inf. `end` is a multiple of a pack where the rows are packed.
template <class T, int packs, class Thread>
STRATA_BODY void load_slice(Thread& t, LogitsSlice<T, packs>& slice, const T* row, long begin, long end, bool packed) {
    constexpr std::uint32_t kNothing = sizeof(T) == 4 ? 0xFF800000u : 0xFF80FF80u;
    STRATA_UNROLL
    for (int word = 0; word < packs * 4; ++word) slice.words[word] = kNothing;
    STRATA_UNROLL
    for (int i = 0; i < packs; ++i) {
        const long first = pack_begin<T>(t, begin, i);
        if (packed && first < end) {
            const auto pack = *reinterpret_cast<const Pack<std::uint32_t>*>(row + first);
            STRATA_UNROLL
            for (int word = 0; word < 4; ++word) slice.words[i * 4 + word] = pack.at[word];
        }
    }
    if (packed) return;
    STRATA_UNROLL
    for (int i = 0; i < packs; ++i) {
        const long first = pack_begin<T>(t, begin, i);
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e)
            if (first + e < end) slice.set_element(i * Pack<T>::kSize + e, row[first + e]);
    }
}

template <class T, int packs, class Thread>
STRATA_BODY void store_slice(Thread& t, const LogitsSlice<T, packs>& slice, T* row, long begin, long end, bool packed) {
    STRATA_UNROLL
    for (int i = 0; i < packs; ++i) {
        const long first = pack_begin<T>(t, begin, i);
        if (packed) {
            const Pack<std::uint32_t> pack{
                {slice.words[i * 4], slice.words[i * 4 + 1], slice.words[i * 4 + 2], slice.words[i * 4 + 3]}};
            if (first < end) store_global(reinterpret_cast<std::uint32_t*>(row + first), 0, pack);
            continue;
        }
        STRATA_UNROLL
        for (int e = 0; e < Pack<T>::kSize; ++e)
            if (first + e < end) row[first + e] = slice.element(i * Pack<T>::kSize + e);
    }
}

template <class T, int packs>
STRATA_BODY void to_floats(float (&x)[LogitsSlice<T, packs>::kCount], const LogitsSlice<T, packs>& slice) {
    STRATA_UNROLL
    for (int i = 0; i < LogitsSlice<T, packs>::kCount; ++i) x[i] = slice.get(i);
}

}  // namespace strata
