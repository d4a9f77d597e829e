// Moves rows of an Engram table, a warp for eight of them at a time. A row is one load of the warp with 17 lanes busy:
// lanes to spare cost nothing where bandwidth or the bus bounds, and a row's lines are asked for once, in whole, which
// is what reads over the bus need. All eight rows are asked for before the first is used: 2.2 KB in flight a warp.
#pragma once

#include <cstdint>

#include "kernels/engram/engram_row.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr int kEngramRowsInFlight = 8;  // of a warp

// place_of(id), called by all lanes: where the row is, in the caller's numbers, or kNowhere.
// load(place, part): 16 bytes of it, part 0 to 16. store(row, part, pack): that part of row `row` of the output.
inline constexpr std::int32_t kNowhere = -1;

template <class Thread, class PlaceOf, class Load, class Store>
STRATA_BODY void move_rows(Thread& t, const std::int32_t* ids, long rows, PlaceOf place_of, Load load, Store store) {
    const long step = long(t.blocks()) * t.warps() * kEngramRowsInFlight;
    const int lane = t.lane();
    for (long first = (long(t.block()) * t.warps() + t.warp()) * kEngramRowsInFlight; first < rows; first += step) {
        const long mine = first + lane % kEngramRowsInFlight;
        const std::int32_t place = place_of(mine < rows ? ids[mine] : kNowhere);
        Pack<std::uint32_t> parts[kEngramRowsInFlight];
        STRATA_UNROLL
        for (int i = 0; i < kEngramRowsInFlight; ++i) {
            const std::int32_t from = t.shuffle(place, i);
            parts[i] = from != kNowhere && lane < kEngramRowParts ? load(from, lane) : Pack<std::uint32_t>{};
        }
        STRATA_UNROLL
        for (int i = 0; i < kEngramRowsInFlight; ++i)
            if (first + i < rows && lane < kEngramRowParts) store(first + i, lane, parts[i]);
    }
}

// Part `part` of a row of 272 bytes.
STRATA_HD Pack<std::uint32_t> load_part(const std::uint8_t* row, int part) {
    return load_pack(reinterpret_cast<const std::uint32_t*>(row), part * 4);
}

struct alignas(8) EngramScales {
    std::uint32_t at[2];
};

// Part `part` of a row to the planes of codes [rows][256] and scales [rows][8]; the padding is dropped.
STRATA_HD void store_planes(std::uint8_t* codes, std::uint8_t* scales, long row, int part,
                            const Pack<std::uint32_t>& pack) {
    if (part < kEngramRowWidth / 16)
        store_pack(reinterpret_cast<std::uint32_t*>(codes + row * kEngramRowWidth), part * 4, pack);
    else
        *reinterpret_cast<EngramScales*>(scales + row * kEngramRowScales) = {{pack.at[0], pack.at[1]}};
}

}  // namespace strata
