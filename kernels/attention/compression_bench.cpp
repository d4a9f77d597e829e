// Compression in prefill, and in decoding where every sequence has just filled a group.
#include <cmath>
#include <memory>

#include "kernels/attention/compression.hpp"
#include "kernels/attention/compression_kernels.hpp"
#include "kernels/attention/compression_launch.hpp"
#include "kernels/attention/compression_reference.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/quant/quantise_reference.hpp"

namespace strata {

namespace {

// Sequences one after the other, of `length` tokens that their last group may not fill.
template <class Plan>
std::vector<CompressedPlace> places_of(const Shape& shape) {
    const std::int64_t length = shape["length"], a_sequence = length / Plan::kRatio;
    std::vector<CompressedPlace> places;
    for (std::int64_t sequence = 0; sequence < shape["sequences"]; ++sequence)
        for (std::int64_t entry = 0; entry < a_sequence; ++entry) {
            const auto group = std::int32_t(sequence * length + entry * Plan::kRatio);
            places.push_back({.group = group,
                              .before = entry > 0 ? group - Plan::kRatio : -1,
                              .entry = std::int32_t(entry),
                              .slot = std::int32_t(places.size())});
        }
    return places;
}

// Angles of the positions of the groups' first tokens, with theta 160000 (V4's compressed layers; no YaRN).
std::vector<float> rotations_of(std::int64_t entries, int ratio) {
    std::vector<float> turns;
    for (std::int64_t entry = 0; entry < entries; ++entry)
        for (int pair = 0; pair < kRotaryChannels / 2; ++pair) {
            const double angle = double(entry * ratio) * std::pow(160000.0, -2.0 * pair / kRotaryChannels);
            turns.push_back(float(std::cos(angle)));
            turns.push_back(float(std::sin(angle)));
        }
    return turns;
}

template <class Plan>
struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : places(places_of<Plan>(shape)),
          on_device(places),
          values(random_normal<float>(std::size_t(rows(shape) * Plan::kWidth), seed)),
          scores(random_normal<float>(std::size_t(rows(shape) * Plan::kWidth), seed + 1, 2)),
          bias(random_normal<float>(std::size_t(Plan::kRatio * Plan::kWidth), seed + 2)),
          weight(random_normal<float>(std::size_t(Plan::kChannels), seed + 3, 0.2f, 1)),
          rotations(rotations_of(shape["length"] / Plan::kRatio, Plan::kRatio)),
          cache(std::size_t(pages() * page_bytes())) {
        task = {.values = values.data(),
                .scores = scores.data(),
                .bias = bias.data(),
                .weight = weight.data(),
                .rotations = rotations.data(),
                .places = on_device.data(),
                .cache = cache.data(),
                .entries = std::int64_t(places.size()),
                .rows = rows(shape),
                .positions = shape["length"] / Plan::kRatio,
                .slots = pages() * kPageEntries};
    }
    static std::int64_t rows(const Shape& shape) { return shape["sequences"] * shape["length"]; }
    std::int64_t pages() const { return (std::int64_t(places.size()) + kPageEntries - 1) / kPageEntries; }
    static std::int64_t page_bytes() { return Plan::kIsIndexKey ? kIndexPageBytes : kLatentPageBytes; }

    std::vector<CompressedPlace> places;
    Buffer<CompressedPlace> on_device;
    Buffer<float> values, scores, bias, weight, rotations;
    Buffer<std::uint8_t> cache;
    CompressionTask task;
};

// Only the rows that an entry is made of: the reference's row 0 is the first row of the group before, if there is one.
template <class Plan>
std::vector<double> reference_of(const Operands<Plan>& operands, const CompressedPlace& place) {
    const bool has_before = Plan::kPaths == 2 && place.before >= 0;
    const std::size_t first = std::size_t(has_before ? place.before : place.group) * Plan::kWidth;
    const std::size_t count = std::size_t(Plan::kRatio * Plan::kWidth) * (has_before ? 2 : 1);
    const reference::CompressionInput in{.ratio = Plan::kRatio,
                                         .paths = Plan::kPaths,
                                         .channels = Plan::kChannels,
                                         .values = in_double(operands.values.read(first, count)),
                                         .scores = in_double(operands.scores.read(first, count)),
                                         .bias = in_double(operands.bias),
                                         .weight = in_double(operands.weight),
                                         .rotations = in_double(operands.rotations)};
    return reference::compressed_entry(in, has_before ? Plan::kRatio : 0, has_before ? 0 : -1, place.entry);
}

struct Compared {
    std::vector<double> codes, codes_should, scales, scales_should, rotary, rotary_should;

    void tile(const std::vector<std::uint8_t>& codes_are, double scale, const std::vector<double>& should,
              bool power_of_two) {
        const auto expected = reference::quantise(should, 1, long(should.size()), 1, power_of_two, long(should.size()));
        for (const std::uint8_t code : codes_are) codes.push_back(to_float(E4m3{code}));
        codes_should.insert(codes_should.end(), expected.codes.begin(), expected.codes.end());
        scales.push_back(scale), scales_should.push_back(expected.scales[0]);
    }
    // A code may be the next one where a value lies beside a tie: 1e-5 of calc_diff are some 1 in 200 codes.
    Verdict verdict() const {
        return all_of({close_to(scales, scales_should, 0, 4e-6), alike(codes, codes_should, 1e-5),
                       close_to(codes, codes_should, 0x1p-9, 1.0 / 8),
                       close_to(rotary, rotary_should, 1e-5, 1.0 / 255)});
    }
};

std::vector<double> part(const std::vector<double>& all, int first, int count) {
    return {all.begin() + first, all.begin() + first + count};
}

void compare_latent(Compared& compared, const Buffer<std::uint8_t>& cache, long slot,
                    const std::vector<double>& should) {
    const auto scales = cache.read(std::size_t(latent_scales_at(slot)), 7);
    for (int tile = 0; tile < 7; ++tile)
        compared.tile(cache.read(std::size_t(latent_at(slot) + tile * kLatentTile), kLatentTile),
                      to_float(Ue8m0{scales[std::size_t(tile)]}), part(should, tile * kLatentTile, kLatentTile), true);
    const auto bytes = cache.read(std::size_t(latent_at(slot) + kLatentCodes), kRotaryChannels * 2);
    for (std::size_t i = 0; i < kRotaryChannels; ++i)
        compared.rotary.push_back(to_float(Bf16{std::uint16_t(bytes[2 * i] | bytes[2 * i + 1] << 8)}));
    const auto rotary = part(should, kLatentCodes, kRotaryChannels);
    compared.rotary_should.insert(compared.rotary_should.end(), rotary.begin(), rotary.end());
}

void compare_index_key(Compared& compared, const Buffer<std::uint8_t>& cache, long slot,
                       const std::vector<double>& should) {
    const auto bytes = cache.read(std::size_t(index_scale_at(slot)), 4);
    float scale;
    std::memcpy(&scale, bytes.data(), 4);
    compared.tile(cache.read(std::size_t(index_key_at(slot)), kIndexChannels), scale, should, false);
}

template <class Plan>
Verdict verify(const Operands<Plan>& operands) {
    Compared compared;
    for (const std::int64_t at : rows_to_compare(std::int64_t(operands.places.size()), 64, 1)) {
        const CompressedPlace& place = operands.places[std::size_t(at)];
        const auto should = reference_of(operands, place);
        if constexpr (Plan::kIsIndexKey)
            compare_index_key(compared, operands.cache, place.slot, should);
        else
            compare_latent(compared, operands.cache, place.slot, should);
    }
    return compared.verdict();
}

template <class Plan>
Work work_of(const Shape& shape) {
    return Compression{.entries = double(shape["sequences"] * (shape["length"] / Plan::kRatio)),
                       .ratio = Plan::kRatio,
                       .paths = Plan::kPaths,
                       .channels = Plan::kChannels,
                       .entry_bytes = Plan::kIsIndexKey ? 132.0 : 584.0}
        .work();
}

using Launch = void (*)(const CompressionTask&, cudaStream_t);

template <class Plan>
Kernel kernel(const std::string& name, const std::string& what, Launch launch, std::vector<ProductionShape> shapes,
              std::vector<Shape> check_shapes) {
    return {.name = name,
            .what = what,
            .source = "kernels/attention/compression.cu",
            .goal = {.share = 0.90, .text = "as quantisation, which streams likewise: 3.9 TB/s of 4.3 (facts A10)"},
            .shapes = std::move(shapes),
            .check_shapes = std::move(check_shapes),
            .prepare =
                [launch](const Shape& shape, int sets, std::uint64_t seed) {
                    auto operands = std::make_shared<std::vector<Operands<Plan>>>();
                    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 8 * std::uint64_t(set));
                    return Prepared{.work = work_of<Plan>(shape),
                                    .launch =
                                        [operands, launch](int set, cudaStream_t stream) {
                                            launch((*operands)[std::size_t(set)].task, stream);
                                        },
                                    .poison = [operands] { operands->front().cache.poison(); },
                                    .verify = [operands] { return verify(operands->front()); }};
                },
            .set_bytes = [](const Shape& shape) { return work_of<Plan>(shape).bytes(); }};
}

Shape shape_of(std::int64_t sequences, std::int64_t length) { return {{"sequences", sequences}, {"length", length}}; }

}  // namespace

std::vector<Kernel> compression_kernels() {
    const std::vector<ProductionShape> every_four{{shape_of(1, 32768), "v4-flash v4-pro"},
                                                  {shape_of(8, 4096), "v4-flash v4-pro"},
                                                  {shape_of(256, 8), "v4-flash v4-pro"}};
    const std::vector<Shape> small_fours{shape_of(0, 8), shape_of(1, 4), shape_of(3, 15)};
    return {kernel<CsaPlan>("attention/compress-csa", "4 tokens and the 4 before to a 584-byte entry", compress_csa,
                            every_four, small_fours),
            kernel<CsaIndexPlan>("attention/compress-index-keys", "4 tokens and the 4 before to a 132-byte index key",
                                 compress_csa_index_keys, every_four, small_fours),
            kernel<HcaPlan>("attention/compress-hca", "128 tokens to a 584-byte entry", compress_hca,
                            {{shape_of(1, 32768), "v4-flash v4-pro"},
                             {shape_of(8, 4096), "v4-flash v4-pro"},
                             {shape_of(64, 128), "v4-flash v4-pro"}},
                            {shape_of(0, 128), shape_of(1, 130), shape_of(1, 260)})};
}

}  // namespace strata
