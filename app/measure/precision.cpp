#include "app/measure/precision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/quant/accumulation_reference.hpp"
#include "kernels/quant/formats_reference.hpp"
#include "sim/model/precision.hpp"

namespace strata {

namespace {

constexpr std::array<Precision, 7> kFormats{Precision::bf16,     Precision::fp8_tensor, Precision::fp8_block,
                                            Precision::fp8_tile, Precision::mxfp8,      Precision::fp4_block,
                                            Precision::nvfp4};

// A product as a kernel makes it, and what may keep its sum: fine scales are applied to the sum of each tile, so one
// accumulator for all of K is of tensors with one scale only.
struct Product {
    Precision activations, weights;
    std::vector<Accumulation> accumulations;
};
const std::vector<Product>& products() {
    using enum Accumulation;
    static const std::vector<Product> all{
        {Precision::bf16, Precision::bf16, {fp32}},
        {Precision::fp8_tensor, Precision::fp8_tensor, {fp32, hopper_fp8, hopper_fp8_promoted}},
        {Precision::fp8_tile, Precision::fp8_block, {fp32, hopper_fp8_promoted}},
        {Precision::fp8_tile, Precision::fp4_block, {fp32, hopper_fp8_promoted}},
        {Precision::bf16, Precision::nvfp4, {fp32}}};
    return all;
}

constexpr long kTile = reference::kPromotedEvery;

// What tensor cores multiply: numbers of the format that products run in, and a scale for each 128 of a row.
struct Operand {
    std::vector<double> codes, scales;
    long width;

    std::span<const double> row(long r) const {
        return std::span(codes).subspan(std::size_t(r * width), std::size_t(width));
    }
    double scale(long r, long tile) const { return scales[std::size_t(r * ((width + kTile - 1) / kTile) + tile)]; }
};

// MXFP4 becomes FP8: the largest scale of a tile goes in front, the others into the codes, which have room for 2^-14 of
// it (6 x 64 is the largest E2M1 number within E4M3). NVFP4 becomes BF16 with its block scales, exactly.
constexpr double kRoom = 64;

Operand operand(const std::vector<double>& in, long rows, long width, Precision format) {
    const reference::Stored stored = reference::stored(in, rows, width, format);
    Operand out{std::vector<double>(in.size()), {}, width};
    const bool widened = format == Precision::fp4_block, scaled_codes = format == Precision::nvfp4;
    for (long row = 0; row < rows; ++row)
        for (long first = 0; first < width; first += kTile) {
            const long end = std::min(width, first + kTile);
            double scale = scaled_codes ? stored.tensor_scale : stored.scale(row, first);
            if (widened) {
                for (long x = first; x < end; ++x) scale = std::max(scale, stored.scale(row, x));
                scale /= kRoom;
            }
            out.scales.push_back(scale);
            for (long x = first; x < end; ++x) {
                const double code = stored.value(row, x) / scale;
                out.codes[std::size_t(row * width + x)] = widened ? reference::nearest_e4m3(code) : code;
            }
        }
    return out;
}

// Activations have the shape that is asked for. Weights are normal, but heavy-tailed or positive where those are.
DataShape weights_beside(DataShape activations) {
    return activations == DataShape::outlier_channels ? DataShape::normal : activations;
}

double tile_sum(std::span<const double> of_tile, Accumulation accumulation) {
    return accumulation == Accumulation::fp32 ? reference::fp32_sum(of_tile) : reference::limited_sum(of_tile);
}

// As the kernel keeps it; `together` is room for K products.
double kept_sum(const Operand& a, long i, const Operand& w, long j, Accumulation accumulation,
                std::vector<double>& together) {
    const std::span<const double> left = a.row(i), right = w.row(j);
    for (std::size_t x = 0; x < left.size(); ++x) together[x] = left[x] * right[x];
    const std::span<const double> all(together);
    if (accumulation == Accumulation::hopper_fp8) return reference::limited_sum(all) * a.scale(i, 0) * w.scale(j, 0);
    float sum = 0;
    for (long tile = 0; tile * kTile < a.width; ++tile) {
        const auto first = std::size_t(tile * kTile);
        const double part =
            tile_sum(all.subspan(first, std::min<std::size_t>(kTile, all.size() - first)), accumulation);
        sum += float(a.scale(i, tile) * w.scale(j, tile)) * float(part);
    }
    return sum;
}

double exact_sum(const Operand& a, long i, const Operand& w, long j) {
    double sum = 0;
    for (long x = 0; x < a.width; ++x)
        sum += a.row(i)[std::size_t(x)] * w.row(j)[std::size_t(x)] * a.scale(i, x / kTile) * w.scale(j, x / kTile);
    return sum;
}

// The numbers of one length, stored once for all accumulations.
struct Rows {
    std::vector<double> activations, weights, exact;  // exact: [activation][weight]

    Rows(DataShape data, long k, std::uint64_t seed)
        : activations(data_of(data, kActivationRows, k, seed)),
          weights(data_of(weights_beside(data), kWeightRows, k, seed + 1)) {
        for (long i = 0; i < kActivationRows; ++i)
            for (long j = 0; j < kWeightRows; ++j) {
                double sum = 0;
                for (long x = 0; x < k; ++x)
                    sum += activations[std::size_t(i * k + x)] * weights[std::size_t(j * k + x)];
                exact.push_back(sum);
            }
    }
};

DotError error_of(const Rows& rows, const Operand& a, const Operand& w, DotError what) {
    std::vector<double> together(std::size_t(what.k));
    double signal = 0, noise = 0, kept = 0, worst = 0;
    for (long i = 0; i < kActivationRows; ++i)
        for (long j = 0; j < kWeightRows; ++j) {
            const double exact = rows.exact[std::size_t(i * kWeightRows + j)];
            const double is = kept_sum(a, i, w, j, what.accumulation, together);
            const double lost = is - exact_sum(a, i, w, j);
            signal += exact * exact, noise += (is - exact) * (is - exact), kept += lost * lost;
            worst = std::max(worst, std::abs(is - exact));
        }
    what.relative_error = std::sqrt(noise / signal);
    what.accumulation_error = std::sqrt(kept / signal);
    what.max_relative_error = worst / std::sqrt(signal / (kActivationRows * kWeightRows));
    return what;
}

}  // namespace

std::string_view to_string(Accumulation accumulation) {
    constexpr std::array<std::string_view, 3> kNames{"fp32", "hopper_fp8", "hopper_fp8_promoted"};
    return kNames[static_cast<std::size_t>(accumulation)];
}

StorageError storage_error(Precision format, DataShape data, std::span<const double> values,
                           std::span<const double> stored) {
    StorageError error{.format = format, .data = data};
    double signal = 0, noise = 0, flushed = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double off = std::abs(values[i] - stored[i]);
        signal += values[i] * values[i], noise += off * off;
        if (values[i] == 0) continue;
        if (stored[i] == 0)
            ++flushed;
        else
            error.max_relative_error = std::max(error.max_relative_error, off / std::abs(values[i]));
    }
    error.snr_db = noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
    error.flushed_share = flushed / double(values.size());
    return error;
}

DotError dot_error(DataShape data, Precision activations, Precision weights, Accumulation accumulation, long k,
                   std::uint64_t seed) {
    if (accumulation == Accumulation::hopper_fp8 && activations != Precision::fp8_tensor)
        throw std::logic_error("one accumulator for all of K takes tensors with one scale");
    const Rows rows(data, k, seed);
    return error_of(rows, operand(rows.activations, kActivationRows, k, activations),
                    operand(rows.weights, kWeightRows, k, weights), {data, activations, weights, accumulation, k});
}

PrecisionErrors measure_precision(const PrecisionMeasuring& asked) {
    PrecisionErrors errors;
    for (const DataShape data : kDataShapes) {
        if (asked.progress) asked.progress(fmt::format("storage of {} data", to_string(data)));
        const std::vector<double> values = data_of(data, kStorageRows, kStorageWidth, asked.seed);
        for (const Precision format : kFormats) {
            const reference::Stored stored = reference::stored(values, kStorageRows, kStorageWidth, format);
            std::vector<double> back;
            back.reserve(values.size());
            for (long row = 0; row < kStorageRows; ++row)
                for (long x = 0; x < kStorageWidth; ++x) back.push_back(stored.value(row, x));
            errors.storage.push_back(storage_error(format, data, values, back));
        }
    }
    for (const DataShape data : kDataShapes)
        for (const long k : kLengths) {
            if (asked.progress) asked.progress(fmt::format("dot products of {} {} numbers", k, to_string(data)));
            const Rows rows(data, k, asked.seed);
            for (const Product& product : products()) {
                const Operand a = operand(rows.activations, kActivationRows, k, product.activations),
                              w = operand(rows.weights, kWeightRows, k, product.weights);
                for (const Accumulation accumulation : product.accumulations)
                    errors.dots.push_back(
                        error_of(rows, a, w, {data, product.activations, product.weights, accumulation, k}));
            }
        }
    return errors;
}

}  // namespace strata
