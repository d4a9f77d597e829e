#include "hwmodels/dram/address_mapping.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <sstream>

namespace strata {

namespace {

int bits_of(std::uint64_t values) { return std::has_single_bit(values) ? std::countr_zero(values) : -1; }

}  // namespace

const std::array<const char*, AddressMapping::kParts> AddressMapping::kNames{
    "row", "rank", "bank", "bank_group", "column", "unit", "channel", "pseudo_channel"};

AddressMapping::AddressMapping(const DramSpec& spec, int units)
    : access_bytes_(spec.organisation.access_bytes()),
      access_bits_(bits_of(static_cast<std::uint64_t>(access_bytes_))),
      channels_(static_cast<std::uint32_t>(spec.organisation.channels)),
      pseudo_channels_(static_cast<std::uint32_t>(spec.organisation.pseudo_channels)) {
    const DramOrganisation& of = spec.organisation;
    std::array<std::uint32_t, kParts> values{};
    const std::array<int, kParts> counts{of.rows,      of.ranks, of.banks,    of.bank_groups,
                                         of.columns(), units,    of.channels, of.pseudo_channels};
    capacity_ = static_cast<std::uint64_t>(access_bytes_);
    for (std::size_t i = 0; i < kParts; ++i) {
        values[i] = static_cast<std::uint32_t>(counts[i]);
        capacity_ *= values[i];
    }
    read_line(spec, values);
}

void AddressMapping::read_line(const DramSpec& spec, const std::array<std::uint32_t, kParts>& values) {
    const auto wrong = [&](const std::string& expected, const std::string& found) {
        throw InputError(spec.file + ": controller.mapping", expected, found);
    };
    std::istringstream line(spec.controller.mapping);
    std::array<std::uint32_t, kParts> named{};  // product of the digits with a count, 0 where the rest was taken
    named.fill(1);
    std::array<int, kParts> rest{};  // digits without a count
    for (std::string word; line >> word;) {
        const bool mixed = word.ends_with("^row");
        if (mixed) word.resize(word.size() - 4);
        const std::size_t colon = word.find(':');
        const std::string name = word.substr(0, colon);
        std::size_t part = 0;
        while (part < kParts && name != kNames[part]) ++part;
        if (part == kParts) wrong(fmt::format("parts of {}", fmt::join(kNames, ", ")), "'" + name + "'");
        Digit digit{.part = static_cast<Part>(part), .values = 0};
        if (colon == std::string::npos) {
            ++rest[part];
        } else {
            const char* const end = word.data() + word.size();
            const auto [at, status] = std::from_chars(word.data() + colon + 1, end, digit.values);
            if (status != std::errc() || at != end || digit.values < 1)
                wrong("a count such as 'column:4'", "'" + word + "'");
            named[part] *= digit.values;
        }
        if (mixed) {
            if (part == row || part == column || bits_of(values[part]) < 0)
                wrong("'^row' on a part of a power of two, neither row nor column", "'" + word + "^row'");
            mask_[part] = values[part] - 1;
        }
        digits_.insert(digits_.begin(), digit);
    }
    for (std::size_t part = 0; part < kParts; ++part) {
        const bool missing = rest[part] == 0 && named[part] != values[part];
        if (rest[part] > 1 || missing || values[part] % named[part] != 0)
            wrong(fmt::format("'{}' for {} values in all", kNames[part], values[part]),
                  rest[part] > 1 ? "it twice without a count" : fmt::format("{}", named[part]));
    }
    std::array<std::uint32_t, kParts> weight{};
    weight.fill(1);
    int shift = 0;
    for (Digit& digit : digits_) {
        if (digit.values == 0) digit.values = values[digit.part] / named[digit.part];
        digit.weight = weight[digit.part];
        weight[digit.part] *= digit.values;
        const bool top = &digit == &digits_.back();
        const int bits = bits_of(digit.values);
        digit.shift = static_cast<std::uint8_t>(shift);
        digit.inverse = 1.0 / digit.values;
        digit.mask = top ? ~std::uint32_t{0} : bits >= 0 ? digit.values - 1 : 0;
        shift = top || bits >= 0 ? shift + bits : 0;
    }
    std::erase_if(digits_, [](const Digit& digit) { return digit.values == 1; });
}

DramCoordinates AddressMapping::at(std::uint64_t address) const {
    std::uint64_t left = access_bits_ >= 0 ? address >> access_bits_ : address / static_cast<unsigned>(access_bytes_);
    std::array<std::uint32_t, kParts> value{};
    for (const Digit& digit : digits_) {
        const std::uint64_t here = left >> digit.shift;
        if (digit.mask != 0) {
            value[digit.part] += (static_cast<std::uint32_t>(here) & digit.mask) * digit.weight;
        } else {
            // By its inverse, which is off by one at most: addresses have fewer than 53 bits.
            left = static_cast<std::uint64_t>(static_cast<double>(here) * digit.inverse);
            std::int64_t rest = static_cast<std::int64_t>(here - left * digit.values);
            if (rest < 0) {
                rest += digit.values;
                --left;
            } else if (rest >= digit.values) {
                rest -= digit.values;
                ++left;
            }
            value[digit.part] += static_cast<std::uint32_t>(rest) * digit.weight;
        }
    }
    for (std::size_t part = rank; part < kParts; ++part) value[part] ^= value[row] & mask_[part];
    DramCoordinates found;
    found.channel = (value[unit] * channels_ + value[channel]) * pseudo_channels_ + value[pseudo_channel];
    found.row = value[row];
    found.rank = static_cast<std::uint16_t>(value[rank]);
    found.bank_group = static_cast<std::uint16_t>(value[bank_group]);
    found.bank = static_cast<std::uint16_t>(value[bank]);
    found.column = static_cast<std::uint16_t>(value[column]);
    return found;
}

std::uint64_t AddressMapping::address_of(const DramCoordinates& coordinates) const {
    std::array<std::uint32_t, kParts> value{};
    value[row] = coordinates.row;
    value[rank] = coordinates.rank;
    value[bank] = coordinates.bank;
    value[bank_group] = coordinates.bank_group;
    value[column] = coordinates.column;
    value[pseudo_channel] = coordinates.channel % pseudo_channels_;
    value[channel] = coordinates.channel / pseudo_channels_ % channels_;
    value[unit] = coordinates.channel / pseudo_channels_ / channels_;
    for (std::size_t part = rank; part < kParts; ++part) value[part] ^= value[row] & mask_[part];
    std::uint64_t address = 0;
    for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit)
        address = address * digit->values + value[digit->part] / digit->weight % digit->values;
    return address * static_cast<unsigned>(access_bytes_);
}

}  // namespace strata
