// Pixels to rows of patches, thread by thread. A thread takes the 16 neighbouring pixels that a patch has of an image
// row: one load of 16 bytes, 32 bytes written; sixteen threads side by side read 256 bytes, and a block's sixteen rows
// fill 512 neighbouring bytes of each patch.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/global_store.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

STRATA_HD float to_float(std::uint8_t pixel) { return float(pixel); }

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
Grid grid_of(const PatchifyTask<T>& task) {
    const long across = ceil_div(ceil_div(task.width, kPatchSide), 16);
    return {.blocks = int(task.images * 3 * patch_rows_of(task) * across), .threads = kPatchThreads};
}

template <class T>
void require_valid(const PatchifyTask<T>& task) {
    if (task.images < 0 || task.height < 1 || task.width < 1)
        throw std::invalid_argument("patchify: " + std::to_string(task.images) + " images of " +
                                    std::to_string(task.height) + " x " + std::to_string(task.width) + " pixels");
    if (task.images * 3 * patch_rows_of(task) * ceil_div(task.width, 256) > 0x7FFFFFFF)
        throw std::invalid_argument("patchify: too many pixels for one launch");
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

template <class Thread, class T>
STRATA_BODY void patchify(Thread& t, const PatchifyTask<T>& task) {
    constexpr int kSize = Pack<T>::kSize;
    const long across = (task.width + 15) / 16, down = (task.height + 15) / 16, groups = (across + 15) / 16;
    const long patch_x = t.block() % groups * 16 + t.thread() % 16;
    const long patch_y = t.block() / groups % down, plane = t.block() / groups / down;
    const int channel = int(plane % 3), dy = t.thread() / 16;
    const long y = patch_y * 16 + dy, x = patch_x * 16;
    if (patch_x >= across) return;
    const T* row = task.pixels + (plane * task.height + y) * task.width;
    T pixels[16];
    const bool inside = y < task.height;
    if (inside && task.width % 16 == 0) {
        STRATA_UNROLL
        for (int i = 0; i < 16 / kSize; ++i) {
            const Pack<T> pack = load_pack(row, x + i * kSize);
            STRATA_UNROLL
            for (int e = 0; e < kSize; ++e) pixels[i * kSize + e] = pack.at[e];
        }
    } else {
        STRATA_UNROLL
        for (int i = 0; i < 16; ++i) pixels[i] = inside && x + i < task.width ? row[x + i] : T{};
    }
    const float whole = sizeof(T) == 1 ? 255.0f : 1.0f;
    const float mean = of_channel(task.mean, channel), deviation = of_channel(task.deviation, channel);
    const float factor = 1 / (whole * deviation), offset = -mean / deviation;
    Bf16* out = task.patches +
                (((plane / 3 * down + patch_y) * across + patch_x) * 3 + channel) * (kPatchSide * kPatchSide) + dy * 16;
    STRATA_UNROLL
    for (int half = 0; half < 2; ++half) {
        Pack<Bf16> pack;
        STRATA_UNROLL
        for (int i = 0; i < 8; ++i) {
            const int at = half * 8 + i;
            pack.at[i] = inside && x + at < task.width ? to_bf16(fmaf(to_float(pixels[at]), factor, offset)) : Bf16{0};
        }
        store_global(out, half * 8, pack);
    }
}

}  // namespace strata
