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
    // Asks which entries a tile has. The answer is waited for only when the tile is loaded, a tile's time later.
    template <class Task>
    STRATA_BODY void ask(const RowPieces& pieces, const Task& task, const typename Task::Unit& unit, int first_slot) {
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) named_[i] = task.named(unit, first_slot + row_of(pieces, i));
    }

    // The tile that was asked for.
    template <class Thread, class Task>
    STRATA_BODY void load([[maybe_unused]] Thread& t, RowPieces& pieces, const Task& task,
                          const typename Task::Unit& unit, int first_slot, unsigned char* panels,
                          std::uint8_t* present) const {
        LatentPlace places[kRows];
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) {
            const int row = row_of(pieces, i);
            places[i] = task.template place<format>(unit, first_slot + row, named_[i]);
            if (pieces.piece() == 0) present[row] = places[i].row != nullptr;
            const std::uint8_t* rest = places[i].row ? places[i].row + kLayout.rest_at : nullptr;
            pieces.template copy<kPanels - kPanelsOfCodes>(panels + kPanelsOfCodes * kPanelBytes, row, rest);
        }
        pieces.close_group();
        if constexpr (kLayout.codes > 0) {
            Row rows[kRows];  // all on their way before the first is used
            STRATA_UNROLL
            for (int i = 0; i < kRows; ++i) rows[i].fetch(places[i], pieces.piece());
            STRATA_UNROLL
            for (int i = 0; i < kRows; ++i) rows[i].expand(t, panels, row_of(pieces, i), pieces.piece());
        }
    }

private:
    STRATA_BODY static int row_of(const RowPieces& pieces, int i) {
        return pieces.first_row() + i * (kLatentSlots / kRows);
    }
    // What a thread has of a row of codes: sixteen of every 128, and a word of the row's scales.
    struct Row {
        static constexpr bool kFp32 = format == LatentFormat::v32_fp8;  // a word is the scale of a step, or four of 64
        static constexpr int kWords = kFp32 ? 4 : 2;
        PackedBf16 codes[kSteps];
        std::uint32_t scales;

        STRATA_BODY static bool has(int step, int piece) {
            return kLayout.codes % 128 == 0 || step * 128 + piece * 16 < kLayout.codes;
        }
        STRATA_BODY void fetch(const LatentPlace& place, int piece) {
            scales = 0;
            if (place.row) scales = reinterpret_cast<const std::uint32_t*>(place.scales)[piece % kWords];
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step) {
                codes[step] = {};
                if (place.row && has(step, piece))
                    codes[step] = *reinterpret_cast<const PackedBf16*>(place.row + step * 128 + piece * 16);
            }
        }
        // Of this thread's codes of a step; all lanes of the warp ask.
        template <class Thread>
        STRATA_BODY float scale(Thread& t, int step, int piece) const {
            const std::uint32_t word = t.shuffle(scales, t.lane() / 8 * 8 + (kFp32 ? step : step / 2));
            return kFp32 ? bits_as<float>(word) : to_float(Ue8m0{std::uint8_t(word >> (step % 2 * 2 + piece / 4) * 8)});
        }
        template <class Thread>
        STRATA_BODY void expand(Thread& t, unsigned char* panels, int row, int piece) const {
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step) {
                const float factor = scale(t, step, piece);
                unsigned char* panel = panels + (step * 2 + piece / 4) * kPanelBytes;
                STRATA_UNROLL
                for (int half = 0; half < 2; ++half) {
                    PackedBf16 numbers;
                    STRATA_UNROLL
                    for (int i = 0; i < 4; ++i) {
                        float low, high;
                        unpack_codes(codes[step].at[half * 2 + i / 2] >> i % 2 * 16, low, high);
                        numbers.at[i] = bf16_pair(low * factor, high * factor);
                    }
                    if (has(step, piece))
                        *reinterpret_cast<PackedBf16*>(panel + swizzled_offset(row, piece % 4 * 32 + half * 16)) =
                            numbers;
                }
            }
        }
    };

    int named_[kRows] = {};
};

}  // namespace strata
