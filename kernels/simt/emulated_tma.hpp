// What tma.hpp does in the emulator: moves a box of a tensor byte by byte, to and from where the swizzle puts it.
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/simt/tensor_map.hpp"

namespace strata {

class EmulatedBox {
public:
    template <class Thread>
    EmulatedBox(Thread& t, const TensorTiles& tiles, void* tile, std::array<long, 3> at) : tiles_(tiles), at_(at) {
        address_ = t.shared_address(tile);
        const std::uint32_t aligned =
            tiles.swizzle == Swizzle::none ? 128 : 8 * std::uint32_t(row_bytes(tiles.swizzle));
        if (address_ % aligned != 0)
            throw std::logic_error("emulator: a bulk tensor copy at " + std::to_string(address_) +
                                   " of shared memory; expected a multiple of " + std::to_string(aligned));
        t.at_shared_address(address_, tiles.box_bytes());
        shared_ = static_cast<unsigned char*>(tile) - address_;
    }

    void spoil() const { std::memset(shared_ + address_, 0xA5, std::size_t(tiles_.box_bytes())); }
    void load() const {
        each_element([&](unsigned char* shared, unsigned char* global) {
            global ? std::memcpy(shared, global, std::size_t(tiles_.element_bytes))
                   : std::memset(shared, 0, std::size_t(tiles_.element_bytes));
        });
    }
    void store() const {
        each_element([&](unsigned char* shared, unsigned char* global) {
            if (global) std::memcpy(global, shared, std::size_t(tiles_.element_bytes));
        });
    }

private:
    // move(place in shared memory, place in the tensor or null outside of it)
    template <class Move>
    void each_element(const Move& move) const {
        auto* global = static_cast<unsigned char*>(const_cast<void*>(tiles_.global));
        std::uint32_t address = address_;
        for (long z = at_[2]; z < at_[2] + (tiles_.rank > 2 ? tiles_.box[2] : 1); ++z)
            for (long y = at_[1]; y < at_[1] + (tiles_.rank > 1 ? tiles_.box[1] : 1); ++y)
                for (long x = at_[0]; x < at_[0] + tiles_.box[0]; ++x) {
                    const bool inside =
                        holds(0, x) && (tiles_.rank < 2 || holds(1, y)) && (tiles_.rank < 3 || holds(2, z));
                    const long offset = x * tiles_.element_bytes + (tiles_.rank > 1 ? y * tiles_.stride_bytes[0] : 0) +
                                        (tiles_.rank > 2 ? z * tiles_.stride_bytes[1] : 0);
                    move(shared_ + (tiles_.swizzle == Swizzle::none ? address : swizzled(address, tiles_.swizzle)),
                         inside ? global + offset : nullptr);
                    address += std::uint32_t(tiles_.element_bytes);
                }
    }
    bool holds(std::size_t dimension, long x) const { return x >= 0 && x < tiles_.size[dimension]; }

    TensorTiles tiles_;
    std::array<long, 3> at_;
    std::uint32_t address_;
    unsigned char* shared_;  // where address 0 would be
};

template <class Thread>
void check_run(Thread& t, const void* global, const void* shared, int bytes) {
    const std::uint32_t address = t.shared_address(shared);
    if (bytes <= 0 || bytes % 16 != 0 || address % 16 != 0 || reinterpret_cast<std::uintptr_t>(global) % 16 != 0)
        throw std::logic_error("emulator: a bulk copy of " + std::to_string(bytes) + " bytes to " +
                               std::to_string(address) + "; expected multiples of 16");
    t.at_shared_address(address, bytes);
}

}  // namespace strata
