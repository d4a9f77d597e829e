#include "kernels/attention/compression_body.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "kernels/attention/compression.hpp"
#include "kernels/attention/compression_reference.hpp"
#include "kernels/quant/quantise_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

std::vector<float> normal(std::size_t count, std::uint64_t seed, float deviation = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values(0, deviation);
    std::vector<float> all(count);
    for (float& one : all) one = values(random);
    return all;
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

constexpr long kPositions = 5, kSlots = 2 * kPageEntries;

struct alignas(16) Sixteen {
    std::uint8_t at[16];
};

template <class Plan>
struct Case {
    explicit Case(long rows_)
        : rows(rows_),
          values(normal(std::size_t(rows * Plan::kWidth), 1)),
          scores(normal(std::size_t(rows * Plan::kWidth), 2, 3)),
          bias(normal(std::size_t(Plan::kRatio * Plan::kWidth), 3)),
          weight(normal(std::size_t(Plan::kChannels), 4)) {
        for (const float angle : normal(std::size_t(kPositions * kRotaryChannels / 2), 5)) {
            rotations.push_back(std::cos(angle));
            rotations.push_back(std::sin(angle));
        }
    }
    std::vector<double> reference_of(const CompressedPlace& place) const {
        return reference::compressed_entry({.ratio = Plan::kRatio,
                                            .paths = Plan::kPaths,
                                            .channels = Plan::kChannels,
                                            .values = doubles(values),
                                            .scores = doubles(scores),
                                            .bias = doubles(bias),
                                            .weight = doubles(weight),
                                            .rotations = doubles(rotations)},
                                           place.group, place.before, place.entry);
    }
    std::vector<std::uint8_t> emulated(const std::vector<CompressedPlace>& places, ThreadOrder order) const {
        const long page = Plan::kIsIndexKey ? kIndexPageBytes : kLatentPageBytes;
        std::vector<Sixteen> cache(std::size_t(kSlots / kPageEntries * page / 16));
        std::memset(cache.data(), 0xEE, cache.size() * 16);
        const CompressionTask task{.values = values.data(),
                                   .scores = scores.data(),
                                   .bias = bias.data(),
                                   .weight = weight.data(),
                                   .rotations = rotations.data(),
                                   .places = places.data(),
                                   .cache = cache.data()->at,
                                   .entries = long(places.size()),
                                   .rows = rows,
                                   .positions = kPositions,
                                   .slots = kSlots};
        require_valid<Plan>(task);
        emulate(grid_of<Plan>(task), order, [&](EmulatedThread& t) { compress<Plan>(t, task); });
        return {cache.data()->at, cache.data()->at + cache.size() * 16};
    }
    long rows;
    std::vector<float> values, scores, bias, weight, rotations;
};

float float_at(const std::uint8_t* bytes) {
    float value;
    std::memcpy(&value, bytes, 4);
    return value;
}

float bf16_at(const std::uint8_t* bytes) { return to_float(Bf16{std::uint16_t(bytes[0] | bytes[1] << 8)}); }

// Half a step of E4M3 (an eighth at most), and the little that float takes.
void expect_code(std::uint8_t code, double scale, double should) {
    EXPECT_NEAR(to_float(E4m3{code}) * scale, should, std::abs(should) / 15.9 + scale * 0x1p-10);
}

void expect_latent(const std::vector<std::uint8_t>& cache, long slot, const std::vector<double>& should) {
    for (long tile = 0; tile < 7; ++tile) {
        double amax = 0;
        for (long i = 0; i < 64; ++i) amax = std::max(amax, std::abs(should[std::size_t(tile * 64 + i)]));
        const double scale = to_float(Ue8m0{cache[std::size_t(latent_scales_at(slot) + tile)]});
        EXPECT_EQ(scale, reference::scale_of(amax, true)) << slot << " " << tile;
        for (long i = 0; i < 64; ++i)
            expect_code(cache[std::size_t(latent_at(slot) + tile * 64 + i)], scale, should[std::size_t(tile * 64 + i)]);
    }
    EXPECT_EQ(cache[std::size_t(latent_scales_at(slot) + 7)], 0);
    for (long i = 0; i < 64; ++i)
        EXPECT_NEAR(bf16_at(&cache[std::size_t(latent_at(slot) + 448 + 2 * i)]), should[std::size_t(448 + i)],
                    1e-5 + std::abs(should[std::size_t(448 + i)]) / 255);
}

void expect_index_key(const std::vector<std::uint8_t>& cache, long slot, const std::vector<double>& should) {
    double amax = 0;
    for (const double x : should) amax = std::max(amax, std::abs(x));
    const double scale = float_at(&cache[std::size_t(index_scale_at(slot))]);
    EXPECT_NEAR(scale, reference::scale_of(amax, false), 2e-6 * scale);
    for (long i = 0; i < 128; ++i)
        expect_code(cache[std::size_t(index_key_at(slot) + i)], scale, should[std::size_t(i)]);
}

// The bytes that no entry went to are as they were.
void expect_untouched(const std::vector<std::uint8_t>& cache, long slot, long at, long bytes) {
    for (long i = 0; i < bytes; ++i) ASSERT_EQ(cache[std::size_t(at + i)], 0xEE) << slot << " " << i;
}

// One row a path of two tokens: weights of scores 0 and log 3 are 1/4 and 3/4, so that values 8 and 4 give 5; a third
// token of the group before, with score log 4 and value 7 on path b, makes it (1 8 + 3 4 + 4 7) / 8 = 6. RMSNorm of one
// channel gives its weight.
TEST(CompressionReference, hand_made) {
    reference::CompressionInput in{.ratio = 2, .paths = 1, .channels = 1, .rotary = 0, .eps = 0};
    in.values = {8, 4}, in.scores = {0, std::log(3.0) - 1}, in.bias = {0, 1}, in.weight = {2};
    EXPECT_NEAR(reference::compressed_channel(in, 0, -1, 0), 5, 1e-12);
    EXPECT_NEAR(reference::compressed_entry(in, 0, -1, 0)[0], 2, 1e-12);
    const double out = -std::numeric_limits<double>::infinity();
    reference::CompressionInput two{.ratio = 2, .paths = 2, .channels = 1, .rotary = 0};
    two.values = {0, 99, 7, 99, 99, 8, 99, 4}, two.bias = {0, 0, 0, 0};
    two.scores = {out, 99, std::log(4.0), 99, 99, 0, 99, std::log(3.0)};
    EXPECT_NEAR(reference::compressed_channel(two, 2, 0, 0), 6, 1e-12);
    EXPECT_NEAR(reference::compressed_channel(two, 2, -1, 0), 5, 1e-12);
}

// A quarter turn of (3, 4) by sine 1 gives (-4, 3); the norm of (3, 4) is 5 / sqrt 2.
TEST(CompressionReference, turns_neighbouring_channels) {
    reference::CompressionInput in{.ratio = 1, .paths = 1, .channels = 2, .rotary = 2, .eps = 0};
    in.values = {3, 4}, in.scores = {0, 0}, in.bias = {0, 0}, in.weight = {1, 1}, in.rotations = {9, 9, 0, 1};
    const auto out = reference::compressed_entry(in, 0, -1, 1);
    EXPECT_NEAR(out[0], -4 / (5 / std::sqrt(2)), 1e-12);
    EXPECT_NEAR(out[1], 3 / (5 / std::sqrt(2)), 1e-12);
}

const std::vector<CompressedPlace> kCsaPlaces{
    {0, -1, 0, 3}, {4, 0, 1, 64}, {9, 5, 4, 127}, {4, -1, 2, 2}, {8, 4, 2, -1}};

TEST(Compression, csa_entries_match_the_reference_in_every_thread_order) {
    const Case<CsaPlan> one(13);
    for (const ThreadOrder order : kThreadOrders) {
        const auto cache = one.emulated(kCsaPlaces, order);
        for (const CompressedPlace& place : kCsaPlaces)
            if (place.slot >= 0) expect_latent(cache, place.slot, one.reference_of(place));
        expect_untouched(cache, 0, latent_at(0), 576);
        expect_untouched(cache, 4, latent_at(4), 576);
    }
}

TEST(Compression, index_keys_match_the_reference_in_every_thread_order) {
    const Case<CsaIndexPlan> one(13);
    for (const ThreadOrder order : kThreadOrders) {
        const auto cache = one.emulated(kCsaPlaces, order);
        for (const CompressedPlace& place : kCsaPlaces)
            if (place.slot >= 0) expect_index_key(cache, place.slot, one.reference_of(place));
        expect_untouched(cache, 0, index_key_at(0), 128);
        expect_untouched(cache, 4, index_scale_at(4), 4);
    }
}

TEST(Compression, hca_entries_match_the_reference_in_every_thread_order) {
    const Case<HcaPlan> one(257);
    const std::vector<CompressedPlace> places{{0, -1, 0, 0}, {129, 1, 3, 65}};
    for (const ThreadOrder order : kThreadOrders) {
        const auto cache = one.emulated(places, order);
        for (const CompressedPlace& place : places) expect_latent(cache, place.slot, one.reference_of(place));
    }
}

// Rows that no entry is made of may hold anything, and so may path b of the last group and path a of the first.
TEST(Compression, reads_no_row_and_no_path_that_is_not_its) {
    Case<CsaPlan> one(16);
    const auto spoil = [&](long row, long first, long count) {
        for (long i = 0; i < count; ++i)
            one.values[std::size_t(row * 1024 + first + i)] = one.scores[std::size_t(row * 1024 + first + i)] = NAN;
    };
    const CompressedPlace place{8, 4, 1, 1};
    const auto should = one.reference_of(place);
    for (const long row : {0, 1, 2, 3, 12, 13, 14, 15}) spoil(row, 0, 1024);
    for (const long row : {4, 5, 6, 7}) spoil(row, 512, 512);
    for (const long row : {8, 9, 10, 11}) spoil(row, 0, 512);
    expect_latent(one.emulated({place}, ThreadOrder::forward), 1, should);
    const CompressedPlace first{8, -1, 0, 2};  // of a sequence: path b is not looked at
    expect_latent(one.emulated({first}, ThreadOrder::forward), 2, one.reference_of(first));
}

// Scores of 1e4 would overflow without the largest being taken off first: the entry is then one token's.
TEST(Compression, large_scores_do_not_overflow) {
    Case<HcaPlan> one(128);
    for (float& score : one.scores) score *= 1e4f;
    const CompressedPlace place{0, -1, 0, 0};
    expect_latent(one.emulated({place}, ThreadOrder::forward), 0, one.reference_of(place));
}

TEST(Compression, leaves_out_places_that_are_not_there) {
    const Case<CsaPlan> one(8);
    const std::vector<CompressedPlace> places{{5, -1, 0, 0},  {-1, -1, 0, 1},          {0, 5, 0, 2},      {0, -1, 5, 3},
                                              {0, -1, -1, 4}, {0, -1, 0, int(kSlots)}, {1 << 30, 0, 0, 5}};
    for (const std::uint8_t byte : one.emulated(places, ThreadOrder::forward)) ASSERT_EQ(byte, 0xEE);
}

TEST(Compression, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid<CsaPlan>({.entries = 0}));
    EXPECT_THROW(require_valid<CsaPlan>({.entries = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid<CsaPlan>({.slots = 65}), std::invalid_argument);
    EXPECT_THROW(require_valid<CsaPlan>({.entries = -1}), std::invalid_argument);
    EXPECT_THROW(require_valid<HcaPlan>({.entries = 1L << 28}), std::invalid_argument);
    EXPECT_THROW(require_valid<CsaPlan>({.eps = 0}), std::invalid_argument);
}

// An entry of CSA: 4 tokens x 2 paths x 512 channels x (value and score) x 4 bytes.
TEST(Compression, work_counts_each_value_and_score_once) {
    const Work csa = Compression{.entries = 10}.work();
    EXPECT_EQ(csa.read, Bytes(10 * 32768.0));
    EXPECT_EQ(csa.written, Bytes(5840));
    EXPECT_EQ(Compression({.entries = 1, .ratio = 128, .paths = 1}).work().read, Bytes(524288));
}

}  // namespace
}  // namespace strata
