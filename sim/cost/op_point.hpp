// An op as tables of measurements know it: its family, the lengths of its sides, and what no length says (which cache
// format, which kernel, which model's module). What it asks of a device follows from that alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/work.hpp"
#include "sim/cost/family.hpp"

namespace strata {

constexpr std::size_t kMaxSides = 7, kMaxLabels = 5;

// A word, numbered: the same number for the same word in the whole process. 0 is no word: whatever it is.
using Label = std::uint16_t;
Label label_of(std::string_view word);
std::string word_of(Label label);

struct OpPoint {
    Family family = Family::gemm_bf16;
    std::array<double, kMaxSides> sides{};
    std::array<Label, kMaxLabels> labels{};
    auto operator<=>(const OpPoint&) const = default;
};

// What it asks of a device: arithmetic by the precision of its products, bytes through the accelerator's memory, bytes
// that a rank sends over the scale-up link.
struct Demand {
    Flops bf16{}, fp8{};
    Bytes memory{};
    Bytes link{};
    double blocks = 0;    // equal parts of its products, each on one core at a time; 0: any number
    double elements = 0;  // that cores look at by plain instructions
    // Part of the products: those whose operand has so many rows, a query's heads over entries that they share.
    double rows = 0;
    Flops bf16_in_rows{}, fp8_in_rows{};
    bool absorbed_prefill = false;  // what is saved is saved by the multi-head form
    // What luck or another algorithm might spare it: the bound does without.
    Flops bf16_saved{}, fp8_saved{};
    Bytes memory_saved{}, link_saved{};
};

// How a family's points are written down and what is like what.
struct OpForm {
    struct Word {
        std::string_view name;
        double distance = 1;  // of two points that differ in it, in doublings of a side
    };
    std::vector<std::string_view> sides;
    std::vector<Word> words;
    int lead = 0;  // the side along which time never falls: tokens, batch, bytes
    Demand (*demand)(const OpPoint&) = nullptr;
    // Sides as the residual of a measurement depends on them, each the logarithm to base 2 of a length.
    std::vector<double> (*coordinates)(const OpPoint&) = nullptr;
};
// Tokens before a step's own may be none; any other side has a length.
constexpr bool may_be_zero(std::string_view side) { return side == "past"; }
// No sides where a family has no tables.
const OpForm& form_of(Family family);

// "m=4096 n=7168 k=2048"
std::string text_of(const OpPoint& point);
// From "m=4096,n=7168,k=2048" or the same with spaces; every side must be given, words may be left out. Throws
// InputError that says what is missing or unknown.
OpPoint point_from(Family family, std::string_view text);

struct OpPointHash {
    std::size_t operator()(const OpPoint& point) const noexcept;
};

}  // namespace strata
