// Which bank, row and column an address means, as a line that can be read: the parts from most to least significant.
//   "row rank bank column:8 bank_group^row unit channel pseudo_channel column:4"
// A part with `:n` is a digit of n values there and takes the rest of its values elsewhere in the line; without, it
// takes what is left. `^row` mixes the row's low bits into the part, so that strides do not meet in one bank. Digits
// need not be powers of two (five stacks). The bytes of one access are below all parts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hwmodels/dram/dram_spec.hpp"

namespace strata {

struct DramCoordinates {
    std::uint32_t channel = 0;  // pseudo-channel, counted over all units
    std::uint32_t row = 0;
    std::uint16_t rank = 0, bank_group = 0, bank = 0;
    std::uint16_t column = 0;
};

class AddressMapping {
public:
    // Throws InputError, with the file of `spec` and what is wrong with the line, if it does not name each part once.
    AddressMapping(const DramSpec& spec, int units);

    // Of the access that holds byte `address`, which must lie below capacity().
    DramCoordinates at(std::uint64_t address) const;
    // The inverse: the first byte of the access.
    std::uint64_t address_of(const DramCoordinates& coordinates) const;

    std::uint64_t capacity() const { return capacity_; }
    int access_bytes() const { return access_bytes_; }

private:
    enum Part : std::uint8_t { row, rank, bank, bank_group, column, unit, channel, pseudo_channel, kParts };
    // Digits of a power of two are cut out of the address by shift and mask, all at once; any other divides it, and
    // those above are cut out of the quotient. The most significant digit is what is left.
    struct Digit {
        Part part = row;
        std::uint8_t shift = 0;
        std::uint32_t mask = 0;    // 0: divides
        std::uint32_t weight = 1;  // of the digit within its part
        std::uint32_t values = 1;
        double inverse = 1;  // of values
    };
    static const std::array<const char*, kParts> kNames;

    void read_line(const DramSpec& spec, const std::array<std::uint32_t, kParts>& values);

    std::vector<Digit> digits_;                 // least significant first
    std::array<std::uint32_t, kParts> mask_{};  // of parts mixed with the row; 0: not mixed
    std::uint64_t capacity_ = 0;
    int access_bytes_ = 0, access_bits_ = -1;
    std::uint32_t channels_ = 1, pseudo_channels_ = 1;
};

}  // namespace strata
