// Latent attention's operands on their way to shared memory. A tile of 64 keys lies as panels of 64 dimensions, each
// [64 keys][64 BF16] with swizzled rows: as it is, it is the K-major operand of the scores and the MN-major one of the
// values. Rows come from anywhere, which bulk tensor copies cannot do, so that 16-byte pieces are copied.
#pragma once

#include "kernels/attention/latent_plan.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/swizzle.hpp"
#include "kernels/simt/wgmma_registers.hpp"

namespace strata {

inline constexpr int kPanelBytes = 64 * 128;

// Two E4M3 codes, the first lowest, as floats.
STRATA_HD void unpack_codes(std::uint32_t codes, float& low, float& high) {
#ifdef __CUDA_ARCH__
    std::uint32_t halves;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(std::uint16_t(codes)));
    asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.f32.f16 %0, low;\ncvt.f32.f16 %1, high;\n}"
        : "=f"(low), "=f"(high)
        : "r"(halves));
#else
    low = to_float(E4m3{std::uint8_t(codes)});
    high = to_float(E4m3{std::uint8_t(codes >> 8)});
#endif
}

// Loads a block's rows of 64 and more threads: eight neighbours have a row, and so read 128 bytes one after the other.
class RowPieces {
public:
    explicit STRATA_BODY RowPieces(int thread) : piece_(thread % 8), first_row_(thread / 8) {}

    STRATA_BODY int piece() const { return piece_; }
    STRATA_BODY int first_row() const { return first_row_; }

    // `count` panels of a row of BF16, from `row`; zeros where there is none.
    template <int count>
    STRATA_BODY void copy(unsigned char* panels, int at, const std::uint8_t* row) {
        unsigned char* to = panels + swizzled_offset(at, piece_ * 16);
        STRATA_UNROLL
        for (int panel = 0; panel < count; ++panel)
            if (row)
                copies_.copy16(to + panel * kPanelBytes, row + panel * 128 + piece_ * 16);
            else
                *reinterpret_cast<Pack<std::uint32_t>*>(to + panel * kPanelBytes) = {};
    }
    STRATA_BODY void close_group() { copies_.close_group(); }
    STRATA_BODY void wait() { copies_.template wait_for_all_but<0>(); }

private:
    AsyncCopies copies_;
    const int piece_;
    const int first_row_;
};

// The loading warpgroup's work: one tile of keys, to BF16, and which of its keys there are.
template <LatentFormat format>
class KeyTileLoader {
    static constexpr LatentLayout kLayout = layout_of(format);
    static constexpr int kRows = kLatentSlots / (kWarpgroup / 8);                       // a thread
    static constexpr int kSteps = kLayout.codes > 0 ? (kLayout.codes + 127) / 128 : 1;  // of 128 codes
    static constexpr int kPanelsOfCodes = kLayout.codes / 64;
    static constexpr int kPanels = kLayout.dim / 64;

public:
    template <class Task>
    STRATA_BODY static void load(RowPieces& pieces, const Task& task, const typename Task::Unit& unit, int first_slot,
                                 unsigned char* panels, std::uint8_t* present) {
        LatentPlace places[kRows];
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) {
            const int row = pieces.first_row() + i * kLatentSlots / kRows;
            places[i] = task.template place<format>(unit, first_slot + row);
            if (pieces.piece() == 0) present[row] = places[i].row != nullptr;
            const std::uint8_t* rest = places[i].row ? places[i].row + kLayout.rest_at : nullptr;
            pieces.template copy<kPanels - kPanelsOfCodes>(panels + kPanelsOfCodes * kPanelBytes, row, rest);
        }
        pieces.close_group();
        if constexpr (kLayout.codes > 0) {
            PackedBf16 codes[kRows][kSteps];  // sixteen codes each: all on their way before the first is used
            STRATA_UNROLL
            for (int i = 0; i < kRows; ++i) fetch(codes[i], places[i].row, pieces.piece());
            STRATA_UNROLL
            for (int i = 0; i < kRows; ++i)
                expand(codes[i], places[i].scales, panels, pieces.first_row() + i * kLatentSlots / kRows,
                       pieces.piece());
        }
    }

private:
    STRATA_BODY static bool has(int step, int piece) {
        return kLayout.codes % 128 == 0 || step * 128 + piece * 16 < kLayout.codes;
    }

    STRATA_BODY static void fetch(PackedBf16 (&codes)[kSteps], const std::uint8_t* row, int piece) {
        STRATA_UNROLL
        for (int step = 0; step < kSteps; ++step) {
            codes[step] = {};
            if (row && has(step, piece))
                codes[step] = *reinterpret_cast<const PackedBf16*>(row + step * 128 + piece * 16);
        }
    }

    // Of the 64 codes that begin with panel `panel`.
    STRATA_BODY static float scale_of(const std::uint8_t* scales, int panel) {
        if constexpr (format == LatentFormat::v32_fp8)
            return *reinterpret_cast<const float*>(scales + panel / 2 * 4);
        else
            return to_float(Ue8m0{scales[panel]});
    }

    STRATA_BODY static void expand(const PackedBf16 (&codes)[kSteps], const std::uint8_t* scales, unsigned char* panels,
                                   int row, int piece) {
        STRATA_UNROLL
        for (int step = 0; step < kSteps; ++step) {
            if (!has(step, piece)) continue;
            const int panel = step * 2 + piece / 4;
            const float scale = scales ? scale_of(scales, panel) : 0.0f;
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                PackedBf16 numbers;
                STRATA_UNROLL
                for (int i = 0; i < 4; ++i) {
                    float low, high;
                    unpack_codes(codes[step].at[half * 2 + i / 2] >> i % 2 * 16, low, high);
                    numbers.at[i] = bf16_pair(low * scale, high * scale);
                }
                *reinterpret_cast<PackedBf16*>(panels + panel * kPanelBytes +
                                               swizzled_offset(row, piece % 4 * 32 + half * 16)) = numbers;
            }
        }
    }
};

}  // namespace strata
