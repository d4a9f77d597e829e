// Latent attention's operands on their way to shared memory. A tile of 64 keys lies as panels of 64 dimensions, each
// [64 keys][64 BF16] with swizzled rows: as it is, it is the K-major operand of the scores and the MN-major one of the
// values. Rows come from anywhere, which bulk tensor copies cannot do, so that 16-byte pieces are copied.
#pragma once

#include <type_traits>

#include "kernels/attention/latent_plan.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/swizzle.hpp"
#include "kernels/simt/wgmma_registers.hpp"

namespace strata {

inline constexpr int kPanelBytes = 64 * 128;

// Four E4M3 codes, the first lowest, as floats. Halves of a word are taken by the conversion itself, without a shift.
STRATA_HD void unpack_codes(std::uint32_t codes, float (&numbers)[4]) {
#ifdef __CUDA_ARCH__
    std::uint32_t pairs[2];
    asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.rn.f16x2.e4m3x2 %0, low;\ncvt.rn.f16x2.e4m3x2 %1, "
        "high;\n}"
        : "=r"(pairs[0]), "=r"(pairs[1])
        : "r"(codes));
    STRATA_UNROLL
    for (int i = 0; i < 2; ++i)
        asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.f32.f16 %0, low;\ncvt.f32.f16 %1, high;\n}"
            : "=f"(numbers[i * 2]), "=f"(numbers[i * 2 + 1])
            : "r"(pairs[i]));
#else
    for (int i = 0; i < 4; ++i) numbers[i] = to_float(E4m3{std::uint8_t(codes >> i * 8)});
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
    STRATA_BODY void wait() { copies_.close_group(), copies_.template wait_for_all_but<0>(); }
    template <class Thread>
    STRATA_BODY void arrive_when_there(Thread& t, typename Thread::Barrier* barrier) {
        copies_.arrive_when_there(t, barrier);
    }

private:
    AsyncCopies copies_;
    const int piece_;
    const int first_row_;
};

// The loading warpgroups' work: tiles of keys, to BF16, and which of their keys there are. What it takes from the
// memory into registers, it asks for a tile ahead: names of entries, addresses, and FP8 codes.
template <LatentFormat format>
class KeyTileLoader {
    static constexpr LatentLayout kLayout = layout_of(format);
    static constexpr bool kHasCodes = kLayout.codes > 0;
    static constexpr int kRows = kLatentSlots / (latent_loading_threads(format) / 8);  // a thread
    static constexpr int kSteps = kHasCodes ? (kLayout.codes + 127) / 128 : 1;         // of 128 codes
    static constexpr int kPanelsOfCodes = kLayout.codes / 64;
    static constexpr int kPanels = kLayout.dim / 64;

public:
    explicit STRATA_BODY KeyTileLoader(int thread) : pieces_(thread) {}

    // The first tile, and the one after it if there is one.
    template <class Task>
    STRATA_BODY void begin(const Task& task, const typename Task::Unit& unit, int first_slot, bool has_next) {
        ask(task, unit, first_slot, true);
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) fetch(task, unit, first_slot, i);
        ask(task, unit, first_slot + kLatentSlots, has_next);
    }

    // Brings a tile that was begun with or is the next; the barrier expects an arrival of each thread and of each warp.
    // `left`: tiles after it.
    template <class Thread, class Task>
    STRATA_BODY void load(Thread& t, const Task& task, const typename Task::Unit& unit, int first_slot, int left,
                          unsigned char* panels, std::uint8_t* present, typename Thread::Barrier* full) {
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) {
            if (pieces_.piece() == 0) present[row_of(i)] = rows_[i] != nullptr;
            pieces_.template copy<kPanels - kPanelsOfCodes>(panels + kPanelsOfCodes * kPanelBytes, row_of(i),
                                                            rows_[i] ? rows_[i] + kLayout.rest_at : nullptr);
        }
        pieces_.arrive_when_there(t, full);
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) {
            if constexpr (kHasCodes) codes_[i].expand(t, panels, row_of(i), pieces_.piece());
            fetch(task, unit, first_slot + kLatentSlots, i);
        }
        ask(task, unit, first_slot + 2 * kLatentSlots, left > 1);
        // No fence for the tensor cores here, it would wait for what was just asked for: who multiplies has one.
        t.sync_warp();
        if (t.lane() == 0) t.arrive(full);
    }

private:
    STRATA_BODY int row_of(int i) const { return pieces_.first_row() + i * (kLatentSlots / kRows); }
    template <class Task>
    STRATA_BODY void ask(const Task& task, const typename Task::Unit& unit, int first_slot, bool there) {
        STRATA_UNROLL
        for (int i = 0; i < kRows; ++i) named_[i] = there ? task.named(unit, first_slot + row_of(i)) : -1;
    }
    template <class Task>
    STRATA_BODY void fetch(const Task& task, const typename Task::Unit& unit, int first_slot, int i) {
        const LatentPlace place = task.template place<format>(unit, first_slot + row_of(i), named_[i]);
        rows_[i] = place.row;
        if constexpr (kHasCodes) codes_[i].fetch(place, pieces_.piece());
    }

    // What a thread has of a row of codes: sixteen of every 128, and one of the row's scales: of a step, or of half a
    // step.
    struct Codes {
        static constexpr bool kFp32 = format == LatentFormat::v32_fp8;
        using Scale = std::conditional_t<kFp32, float, Ue8m0>;
        static constexpr int kScales = kFp32 ? 4 : 8;  // V4's eighth is padding
        PackedBf16 codes[kSteps];
        Scale scale;

        STRATA_BODY static bool has(int step, int piece) {
            return kLayout.codes % 128 == 0 || step * 128 + piece * 16 < kLayout.codes;
        }
        STRATA_BODY void fetch(const LatentPlace& place, int piece) {
            scale = {};
            if (place.row) scale = reinterpret_cast<const Scale*>(place.scales)[piece % kScales];
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step) {
                codes[step] = {};
                if (place.row && has(step, piece))
                    codes[step] = *reinterpret_cast<const PackedBf16*>(place.row + step * 128 + piece * 16);
            }
        }
        // Sixteen codes become two chunks of a panel. Lanes of its neighbour panel store theirs in the other order, so
        // that eight lanes meet all banks.
        template <class Thread>
        STRATA_BODY void expand(Thread& t, unsigned char* panels, int row, int piece) const {
            const bool second_first = piece >= 4;
            unsigned char* to = panels + piece / 4 * kPanelBytes;
            const int at = swizzled_offset(row, piece % 4 * 32 + second_first * 16);
            const float mine = to_float(scale);
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step) {
                const float factor =
                    t.shuffle(mine, t.lane() / 8 * 8 + (kFp32 ? step : step * 2 + piece / 4));  // all lanes ask
                STRATA_UNROLL
                for (int turn = 0; turn < 2; ++turn) {
                    PackedBf16 numbers;
                    STRATA_UNROLL
                    for (int i = 0; i < 2; ++i) {
                        const std::uint32_t four =
                            second_first ? codes[step].at[2 - turn * 2 + i] : codes[step].at[turn * 2 + i];
                        expand_four(four, factor, numbers.at[i * 2], numbers.at[i * 2 + 1]);
                    }
                    if (has(step, piece))
                        *reinterpret_cast<PackedBf16*>(to + step * 2 * kPanelBytes + (at ^ turn * 16)) = numbers;
                }
            }
        }
        STRATA_BODY static void expand_four(std::uint32_t codes, float factor, std::uint32_t& first,
                                            std::uint32_t& second) {
            float numbers[4];
            unpack_codes(codes, numbers);
            first = bf16_pair(numbers[0] * factor, numbers[1] * factor);
            second = bf16_pair(numbers[2] * factor, numbers[3] * factor);
        }
    };
    struct NoCodes {};

    RowPieces pieces_;
    int named_[kRows];                 // of the next tile
    const std::uint8_t* rows_[kRows];  // of this one
    std::conditional_t<kHasCodes, Codes, NoCodes> codes_[kRows];
};

}  // namespace strata
