// What a storage format does to numbers, by the references of the kernels: how far an element is off, and how far a dot
// product of K of them, by what keeps its sum.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "app/measure/precision_data.hpp"
#include "kernels/work.hpp"

namespace strata {

struct StorageError {
    Precision format;
    DataShape data;
    double snr_db = 0;  // signal to noise: 10 log10(sum x^2 / sum (x - stored)^2); infinite if nothing is lost
    double max_relative_error = 0;  // of elements that do not become zero
    double flushed_share = 0;       // of elements that do
};
StorageError storage_error(Precision format, DataShape data, std::span<const double> values,
                           std::span<const double> stored);

enum class Accumulation {
    fp32,                // each product is added to an FP32 number; where tiles have scales, their sums are
    hopper_fp8,          // Hopper's FP8 tensor cores, one accumulator for all of K
    hopper_fp8_promoted  // the same, promoted to FP32 every 128
};
std::string_view to_string(Accumulation accumulation);

// Errors are root mean squares over dot products, relative to the root mean square of the exact ones.
struct DotError {
    DataShape data;
    Precision activations, weights;
    Accumulation accumulation;
    long k = 0;
    double relative_error = 0;      // against the dot product of the numbers before they were stored
    double accumulation_error = 0;  // against the exact dot product of the stored numbers
    double max_relative_error = 0;  // the largest of the former, relative to the same
};

struct PrecisionMeasuring {
    std::uint64_t seed = 1;
    std::function<void(const std::string& now)> progress{};
};

struct PrecisionErrors {
    std::vector<StorageError> storage;
    std::vector<DotError> dots;
};

constexpr long kStorageRows = 128, kStorageWidth = 4096;  // of the matrix that formats are held against
constexpr long kActivationRows = 8, kWeightRows = 16;     // dot products are all pairs of these
constexpr std::array<long, 6> kLengths{64, 256, 1024, 4096, 16384, 65536};

PrecisionErrors measure_precision(const PrecisionMeasuring& asked);
DotError dot_error(DataShape data, Precision activations, Precision weights, Accumulation accumulation, long k,
                   std::uint64_t seed);

}  // namespace strata
