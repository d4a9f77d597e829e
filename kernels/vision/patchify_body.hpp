// Pixels to rows of patches, thread by thread. A warp takes one patch of one channel at once: a lane eight neighbouring
// pixels, half an image row of the patch, so that the warp writes the patch's 512 neighbouring bytes by one
// instruction. It has several patches side by side in flight, which are 128 bytes of each of sixteen image rows.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"

namespace strata {

// T: std::uint8_t, 0 to 255 for 0 to 1; or Bf16, 0 to 1.
template <class T>
struct PatchifyTask {
    const T* pixels = nullptr;  // [images][3][height][width]
    Bf16* patches = nullptr;    // [images][ceil(height / 16) * ceil(width / 16)][3][16][16]
    long images = 0;
    long height = 0;
    long width = 0;  // a multiple of 16 is read sixteen bytes at a time
    float mean[3] = {0.5f, 0.5f, 0.5f};
    float deviation[3] = {0.5f, 0.5f, 0.5f};
};

inline constexpr int kPatchSide = 16;
inline constexpr int kPatchThreads = 256;

template <class T>
long patch_rows_of(const PatchifyTask<T>& task) {
    return ceil_div(task.height, kPatchSide);
}
template <class T>
long patches_of(const PatchifyTask<T>& task) {
    return task.images * patch_rows_of(task) * ceil_div(task.width, kPatchSide);
}

template <class T>
inline constexpr int kPatchesAtOnce = 8 / int(sizeof(T));  // of a warp

// Patches side by side that a warp takes, in all.
template <class T>
STRATA_HD long patch_groups_of(const PatchifyTask<T>& task) {
    return task.images * 3 * ceil_div(task.height, kPatchSide) * ceil_div(task.width, kPatchSide * kPatchesAtOnce<T>);
}

template <class T>
Grid grid_of(const PatchifyTask<T>& task) {
    return {.blocks = int(ceil_div(patch_groups_of(task), kPatchThreads / 32)), .threads = kPatchThreads};
}

template <class T>
void require_valid(const PatchifyTask<T>& task) {
    if (task.images < 0 || task.height < 1 || task.width < 1)
        throw std::invalid_argument("patchify: " + std::to_string(task.images) + " images of " +
                                    std::to_string(task.height) + " x " + std::to_string(task.width) + " pixels");
    if (patch_groups_of(task) > 0x7FFF0000) throw std::invalid_argument("patchify: too many pixels for one launch");
    if (task.images > 0 && (!task.pixels || !task.patches))
        throw std::invalid_argument("patchify: pixels and patches are both needed");
    if (reinterpret_cast<std::uintptr_t>(task.pixels) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.patches) % 16 != 0)
        throw std::invalid_argument("patchify: pixels and patches must be aligned to 16 bytes");
    for (const float deviation : task.deviation)
        if (!(deviation > 0)) throw std::invalid_argument("patchify: deviations must be positive");
}

// Chosen rather than indexed: a parameter of a kernel that is indexed is copied to local memory first.
template <class T>
STRATA_HD T of_channel(const T (&values)[3], int channel) {
    return channel == 0 ? values[0] : channel == 1 ? values[1] : values[2];
}

// Eight neighbouring pixels, four bytes a register.
template <class T>
struct alignas(8 * sizeof(T)) EightPixels {
    std::uint32_t words[2 * sizeof(T)];
};

STRATA_HD float pixel_of(const EightPixels<Bf16>& pixels, int i) {
    return i % 2 ? high_of(pixels.words[i / 2]) : low_of(pixels.words[i / 2]);
}
// A byte that becomes the lowest of 2^23's fraction; conversions have an eighth of the throughput.
STRATA_HD float pixel_of(const EightPixels<std::uint8_t>& pixels, int i) {
#ifdef __CUDA_ARCH__
    return __uint_as_float(__byte_perm(pixels.words[i / 4], 0x4B000000u, 0x7440u | unsigned(i % 4))) - 8388608.0f;
#else
    return float(pixels.words[i / 4] >> i % 4 * 8 & 0xFF);
#endif
}

// Of a row, from x on; what lies beyond its end is zero.
template <class T>
STRATA_BODY EightPixels<T> load_eight(const T* row, int x, int width) {
    EightPixels<T> eight{};
    if (x >= width) return eight;
    if (width % 16 == 0) return *reinterpret_cast<const EightPixels<T>*>(row + x);
    T pixels[8]{};
    STRATA_UNROLL
    for (int i = 0; i < 8; ++i)
        if (x + i < width) pixels[i] = row[x + i];
    memcpy(&eight, pixels, sizeof(eight));
    return eight;
}

template <class Thread, class T>
STRATA_BODY void patchify(Thread& t, const PatchifyTask<T>& task) {
    constexpr int kAtOnce = kPatchesAtOnce<T>, kElements = kPatchSide * kPatchSide;
    const int height = int(task.height), width = int(task.width);
    const unsigned across = unsigned(width + 15) / 16, down = unsigned(height + 15) / 16;
    const unsigned groups = (across + kAtOnce - 1) / kAtOnce;
    const unsigned group = unsigned(t.block()) * (kPatchThreads / 32) + unsigned(t.warp());
    const unsigned band = group / groups, plane = band / down, patch_y = band % down;
    if (plane >= unsigned(task.images) * 3) return;
    const int dy = t.lane() / 2, left = t.lane() % 2 * 8, y = int(patch_y) * kPatchSide + dy;
    const int first = int(group % groups) * kAtOnce, image = int(plane / 3), channel = int(plane % 3);
    const T* row = task.pixels + (long(plane) * height + y) * width;
    EightPixels<T> pixels[kAtOnce];
    STRATA_UNROLL
    for (int i = 0; i < kAtOnce; ++i)
        pixels[i] = y < height ? load_eight(row, (first + i) * kPatchSide + left, width) : EightPixels<T>{};
    const float whole = sizeof(T) == 1 ? 255.0f : 1.0f;
    const float mean = of_channel(task.mean, channel), deviation = of_channel(task.deviation, channel);
    const float factor = 1 / (whole * deviation), offset = -mean / deviation;
    const long patch = (long(image) * down + patch_y) * across + first;
    Bf16* out = task.patches + (patch * 3 + channel) * kElements + dy * kPatchSide + left;
    STRATA_UNROLL
    for (int i = 0; i < kAtOnce; ++i) {
        if (first + i >= int(across)) continue;
        const auto normalised = [&](int e) { return fmaf(pixel_of(pixels[i], e), factor, offset); };
        PackedBf16 pack;
        STRATA_UNROLL
        for (int e = 0; e < 8; e += 2) pack.at[e / 2] = bf16_pair(normalised(e), normalised(e + 1));
        const int there = y < height ? width - (first + i) * kPatchSide - left : 0;
        if (there < 8) {  // pixels beyond the image are zeros, not normalised ones
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e)
                if (e >= there) pack.at[e / 2] &= e % 2 ? 0x0000FFFFu : 0xFFFF0000u;
        }
        store_packed(out, i * 3 * kElements, pack);
    }
}

}  // namespace strata
