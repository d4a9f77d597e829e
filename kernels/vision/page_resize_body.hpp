// Brings pages of 8-bit pixels to a smaller square, in whole numbers: in units of 1/out a pixel of the output covers
// `in` units of the input, so that every weight is an integer and the result is exact. A thread makes four neighbouring
// pixels and writes them at once; the rows that they average come from L1 for the threads beside it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/simt/grid.hpp"
#include "kernels/simt/portable.hpp"
#include "kernels/vision/page_schedule.hpp"

namespace strata {

struct PageResizeTask {
    const std::uint8_t* in = nullptr;  // [images][3][height][width]
    std::uint8_t* out = nullptr;       // [images][3][side][side], aligned to 4 bytes
    long images = 0;
    long height = 0;
    long width = 0;
    PagePlacement placed{};            // where in the square; an upscaled page repeats pixels by the same rule
    int filling[3] = {127, 127, 127};  // around it, a channel: grey, the mean that patchify takes away
};

inline constexpr int kResizeThreads = 256;

inline void require_valid(const PageResizeTask& task) {
    const PagePlacement& placed = task.placed;
    if (task.images < 0 || task.height < 1 || task.width < 1 || task.height > 32768 || task.width > 32768)
        throw std::invalid_argument("page resize: " + std::to_string(task.images) + " images of " +
                                    std::to_string(task.height) + " x " + std::to_string(task.width) +
                                    " pixels; expected 1 to 32768 a side");
    if (placed.side < 4 || placed.side % 4 != 0 || placed.side > 32768 || placed.height < 1 || placed.width < 1 ||
        placed.top < 0 || placed.left < 0 || placed.top + placed.height > placed.side ||
        placed.left + placed.width > placed.side)
        throw std::invalid_argument(
            "page resize: the page is not placed within a square whose side is a multiple of 4");
    if (task.images > 0 && (!task.in || !task.out))
        throw std::invalid_argument("page resize: in and out are both needed");
    if (reinterpret_cast<std::uintptr_t>(task.out) % 4 != 0)
        throw std::invalid_argument("page resize: out must be aligned to 4 bytes");
    if (task.images * 3 * placed.side * placed.side / 4 / kResizeThreads >= 0x7FFFFFFF)
        throw std::invalid_argument("page resize: too many pixels for one launch");
}

inline Grid grid_of(const PageResizeTask& task) {
    return {.blocks = int(ceil_div(task.images * 3 * task.placed.side * task.placed.side / 4, kResizeThreads)),
            .threads = kResizeThreads};
}

// What pixel `in` (of length `out` units) has of the output pixel that covers [at * length, (at + 1) * length).
STRATA_HD int units_covered(int at, int length, int in, int out) {
    const int from = at * length > in * out ? at * length : in * out;
    const int to = (at + 1) * length < (in + 1) * out ? (at + 1) * length : (in + 1) * out;
    return to - from;
}

// The average over the rectangle of output pixel (y, x) of the placed page.
STRATA_HD std::uint8_t area_average(const std::uint8_t* plane, const PageResizeTask& task, int y, int x) {
    const int height = int(task.height), width = int(task.width);
    const int out_height = int(task.placed.height), out_width = int(task.placed.width);
    const int last_row = ((y + 1) * height - 1) / out_height, last_column = ((x + 1) * width - 1) / out_width;
    std::uint64_t sum = 0;
    for (int i = y * height / out_height; i <= last_row; ++i) {
        std::uint64_t of_row = 0;
        for (int j = x * width / out_width; j <= last_column; ++j)
            of_row += std::uint64_t(units_covered(x, width, j, out_width)) * plane[long(i) * width + j];
        sum += of_row * std::uint64_t(units_covered(y, height, i, out_height));
    }
    const std::uint64_t area = std::uint64_t(height) * std::uint64_t(width);
    return std::uint8_t((2 * sum + area) / (2 * area));
}

template <class Thread>
STRATA_BODY void page_resize(Thread& t, const PageResizeTask& task) {
    const PagePlacement& placed = task.placed;
    const long quad = long(t.block()) * kResizeThreads + t.thread(), quads = placed.side / 4;
    if (quad >= task.images * 3 * placed.side * quads) return;
    const long plane = quad / quads / placed.side;
    const int y = int(quad / quads % placed.side - placed.top), x = int(quad % quads * 4 - placed.left);
    const std::uint8_t* in = task.in + plane * task.height * task.width;
    const bool row_inside = y >= 0 && y < placed.height;
    const int channel = int(plane % 3);  // chosen: an index would copy the task to local memory
    const auto filling = std::uint8_t(channel == 0   ? task.filling[0]
                                      : channel == 1 ? task.filling[1]
                                                     : task.filling[2]);
    std::uint32_t pixels = 0;
    for (int i = 0; i < 4; ++i) {
        const bool inside = row_inside && x + i >= 0 && x + i < placed.width;
        const std::uint32_t pixel = inside ? area_average(in, task, y, x + i) : filling;
        pixels |= pixel << (8 * i);
    }
    reinterpret_cast<std::uint32_t*>(task.out)[quad] = pixels;
}

}  // namespace strata
