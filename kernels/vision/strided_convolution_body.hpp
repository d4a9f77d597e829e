// The compressor's convolution as a matrix product that gathers its left side (implicit GEMM): a row is a pixel of the
// output, the sum goes over nine taps and the channels of each, 32 at a time. A warp makes 64 x 32 of the output with
// mma.m16n8k16; while it does, its block's next 32 columns of both sides are on their way to registers, and go from
// there to the other half of shared memory. A row is 40 elements apart there, so that a warp's reads of fragments meet
// no bank twice. Registers, not cp.async, carry the data: that runs in the emulator as it is, and costs some speed.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/simt/grid.hpp"
#include "kernels/simt/mma.hpp"

namespace strata {

struct StridedConvolutionTask {
    const Bf16* in = nullptr;       // [images][height][width][channels_in]
    const Bf16* weights = nullptr;  // [channels_out][3][3][channels_in]
    Bf16* out = nullptr;            // [images][ceil(height / 2)][ceil(width / 2)][channels_out]
    long images = 0;
    long height = 0;
    long width = 0;
    long channels_in = 0;   // a multiple of 32
    long channels_out = 0;  // a multiple of 8
};

inline constexpr int kConvolutionStep = 32;    // columns of both sides at once
inline constexpr int kConvolutionStride = 40;  // elements from row to row in shared memory

// A block of warps_down x warps_across warps.
template <int warps_down, int warps_across>
struct ConvolutionTile {
    static constexpr int kWarpsDown = warps_down, kWarpsAcross = warps_across;
    static constexpr int kThreads = 32 * warps_down * warps_across;
    static constexpr int kRows = 64 * warps_down, kColumns = 32 * warps_across;
    static constexpr int kStage = (kRows + kColumns) * kConvolutionStride;                          // elements
    static constexpr int kRowPacks = kRows * 4 / kThreads, kColumnPacks = kColumns * 4 / kThreads;  // a thread
    static_assert(kRows * 4 % kThreads == 0 && kColumns * 4 % kThreads == 0);
};

STRATA_HD long pixels_out(const StridedConvolutionTask& task) {
    return task.images * ((task.height + 1) / 2) * ((task.width + 1) / 2);
}

inline void require_valid(const StridedConvolutionTask& task) {
    if (task.images < 0 || task.height < 1 || task.width < 1 || task.height > 32768 || task.width > 32768)
        throw std::invalid_argument("strided convolution: " + std::to_string(task.images) + " images of " +
                                    std::to_string(task.height) + " x " + std::to_string(task.width));
    if (task.channels_in < 32 || task.channels_in % 32 != 0 || task.channels_out < 8 || task.channels_out % 8 != 0 ||
        task.channels_in > 1 << 16 || task.channels_out > 1 << 16)
        throw std::invalid_argument("strided convolution: " + std::to_string(task.channels_in) + " to " +
                                    std::to_string(task.channels_out) +
                                    " channels; expected a multiple of 32 to a multiple of 8");
    if (task.images > 0x7FFFFFFF || task.images * task.height * task.width > 0x7FFFFFFF ||
        pixels_out(task) * task.channels_out / (32 * 32) > 0x7FFFFFFF)
        throw std::invalid_argument("strided convolution: too large for one launch; give it fewer images");
    if (task.images > 0 && (!task.in || !task.weights || !task.out))
        throw std::invalid_argument("strided convolution: a buffer is missing (in, weights and out are all needed)");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.weights) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 4 != 0)
        throw std::invalid_argument("strided convolution: in and weights must be aligned to 16 bytes, out to 4");
}

template <class Tile>
Grid convolution_grid_of(const StridedConvolutionTask& task) {
    return {.blocks = int(ceil_div(pixels_out(task), Tile::kRows) * ceil_div(task.channels_out, Tile::kColumns)),
            .threads = Tile::kThreads,
            .shared_bytes = 2 * Tile::kStage * sizeof(Bf16)};
}

// Where the taps of the output pixel that a row of the product is begin in the input; beyond the last, outside.
struct ConvolutionRow {
    int image = 0;
    int y = -8;
    int x = -8;
};

STRATA_HD ConvolutionRow convolution_row(const StridedConvolutionTask& task, long row) {
    const int across = int(task.width + 1) / 2, down = int(task.height + 1) / 2;
    if (row >= pixels_out(task)) return {};
    return {int(row) / across / down, int(row) / across % down * 2 - 1, int(row) % across * 2 - 1};
}

// What a thread carries of a step's two sides.
template <class Tile>
struct ConvolutionCargo {
    Pack<Bf16> rows[Tile::kRowPacks];
    Pack<Bf16> columns[Tile::kColumnPacks];
};

// Step `step` of the sum: tap step / (channels / 32), then 32 channels.
template <class Tile, class Thread>
STRATA_BODY void fetch(Thread& t, const StridedConvolutionTask& task, const ConvolutionRow (&rows)[Tile::kRowPacks],
                       long first_column, int tap, int channel, ConvolutionCargo<Tile>& cargo) {
    const int part = t.thread() % 4 * 8, height = int(task.height), width = int(task.width);
    const int channels = int(task.channels_in);
    STRATA_UNROLL
    for (int i = 0; i < Tile::kRowPacks; ++i) {
        const int y = rows[i].y + tap / 3, x = rows[i].x + tap % 3;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        const long pixel = (rows[i].image * height + y) * width + x;
        cargo.rows[i] = inside ? load_pack(task.in, pixel * channels + channel + part) : Pack<Bf16>{};
    }
    STRATA_UNROLL
    for (int i = 0; i < Tile::kColumnPacks; ++i) {
        const int column = int(first_column) + (t.thread() + i * Tile::kThreads) / 4;
        cargo.columns[i] = column < task.channels_out
                               ? load_pack(task.weights, long(column * 9 + tap) * channels + channel + part)
                               : Pack<Bf16>{};
    }
}

template <class Tile, class Thread>
STRATA_BODY void lay_down(Thread& t, const ConvolutionCargo<Tile>& cargo, Bf16* stage) {
    const int row = t.thread() / 4, part = t.thread() % 4 * 8;
    STRATA_UNROLL
    for (int i = 0; i < Tile::kRowPacks; ++i)
        store_pack(stage, (row + i * Tile::kThreads / 4) * kConvolutionStride + part, cargo.rows[i]);
    STRATA_UNROLL
    for (int i = 0; i < Tile::kColumnPacks; ++i)
        store_pack(stage, (Tile::kRows + row + i * Tile::kThreads / 4) * kConvolutionStride + part, cargo.columns[i]);
}

STRATA_HD std::uint32_t pair_at(const Bf16* at) { return *reinterpret_cast<const std::uint32_t*>(at); }

// The warp's 64 x 32 of one step: sums[i][j] is 16 x 8.
template <class Tile, class Thread>
STRATA_BODY void multiply(Thread& t, const Bf16* stage, MmaSum (&sums)[4][4]) {
    const int group = t.lane() / 4, pair = t.lane() % 4 * 2;
    const Bf16* rows = stage + (t.warp() / Tile::kWarpsAcross * 64 + group) * kConvolutionStride + pair;
    const Bf16* columns =
        stage + (Tile::kRows + t.warp() % Tile::kWarpsAcross * 32 + group) * kConvolutionStride + pair;
    STRATA_UNROLL
    for (int k = 0; k < kConvolutionStep; k += 16) {
        MmaB b[4];
        STRATA_UNROLL
        for (int j = 0; j < 4; ++j) {
            const Bf16* at = columns + j * 8 * kConvolutionStride + k;
            b[j] = {pair_at(at), pair_at(at + 8)};
        }
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const Bf16* at = rows + i * 16 * kConvolutionStride + k;
            const MmaA a{pair_at(at), pair_at(at + 8 * kConvolutionStride), pair_at(at + 8),
                         pair_at(at + 8 * kConvolutionStride + 8)};
            STRATA_UNROLL
            for (int j = 0; j < 4; ++j) mma_bf16_m16n8k16(t, sums[i][j], a, b[j]);
        }
    }
}

template <class Tile, class Thread>
STRATA_BODY void write_sums(Thread& t, const StridedConvolutionTask& task, long first_row, long first_column,
                            const MmaSum (&sums)[4][4]) {
    const long rows = pixels_out(task);
    const long row = first_row + t.warp() / Tile::kWarpsAcross * 64 + t.lane() / 4;
    const long column = first_column + t.warp() % Tile::kWarpsAcross * 32 + t.lane() % 4 * 2;
    STRATA_UNROLL
    for (int i = 0; i < 4; ++i) {
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
            const long at = row + i * 16 + half * 8;
            if (at >= rows) continue;
            STRATA_UNROLL
            for (int j = 0; j < 4; ++j) {
                if (column + j * 8 >= task.channels_out) continue;
                const std::uint32_t low = to_bf16(sums[i][j].at[half * 2]).bits,
                                    high = to_bf16(sums[i][j].at[half * 2 + 1]).bits;
                *reinterpret_cast<std::uint32_t*>(task.out + at * task.channels_out + column + j * 8) = low | high
                                                                                                                  << 16;
            }
        }
    }
}

template <class Tile, class Thread>
STRATA_BODY void strided_convolution(Thread& t, const StridedConvolutionTask& task) {
    const long across = (task.channels_out + Tile::kColumns - 1) / Tile::kColumns;
    const long first_row = t.block() / across * Tile::kRows, first_column = t.block() % across * Tile::kColumns;
    ConvolutionRow rows[Tile::kRowPacks];
    STRATA_UNROLL
    for (int i = 0; i < Tile::kRowPacks; ++i)
        rows[i] = convolution_row(task, first_row + (t.thread() + i * Tile::kThreads) / 4);
    Bf16* stages = reinterpret_cast<Bf16*>(t.shared());
    MmaSum sums[4][4] = {};
    ConvolutionCargo<Tile> cargo;
    fetch<Tile>(t, task, rows, first_column, 0, 0, cargo);
    lay_down<Tile>(t, cargo, stages);
    t.sync();
    int stage = 0, tap = 0, channel = 0;
    while (tap < 9) {
        channel += kConvolutionStep;
        if (channel == task.channels_in) channel = 0, ++tap;
        if (tap < 9) fetch<Tile>(t, task, rows, first_column, tap, channel, cargo);
        multiply<Tile>(t, stages + stage * Tile::kStage, sums);
        stage = 1 - stage;
        if (tap < 9) lay_down<Tile>(t, cargo, stages + stage * Tile::kStage);
        t.sync();
    }
    write_sums<Tile>(t, task, first_row, first_column, sums);
}

}  // namespace strata
