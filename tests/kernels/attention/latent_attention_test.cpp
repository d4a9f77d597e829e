#include "kernels/attention/latent_attention.hpp"

#include <gtest/gtest.h>

#include "latent_fixture.hpp"

namespace strata {
namespace {

std::vector<double> key_of(double first, double second) {
    std::vector<double> key(576);
    key[0] = first, key[1] = second;
    return key;
}

// Scores ln 3 and 0: weights 3/4 and 1/4.
TEST(LatentReference, by_pencil) {
    std::vector<double> q(576);
    q[0] = 2;
    const double score = std::log(3.0) / 2;
    const auto is = reference::attended(q, {key_of(score, 4), key_of(0, 8)}, 1);
    EXPECT_NEAR(is.out[1], 0.75 * 4 + 0.25 * 8, 1e-12);
    EXPECT_NEAR(is.lse, std::log(4.0), 1e-12);
    EXPECT_NEAR(is.max_logit, std::log(3.0), 1e-12);
    // A sink of ln 4 weighs as much as both together; the lse does not see it.
    const auto sunk = reference::attended(q, {key_of(score, 4), key_of(0, 8)}, 1, std::log(4.0));
    EXPECT_NEAR(sunk.out[1], 2.5, 1e-12);
    EXPECT_NEAR(sunk.lse, std::log(4.0), 1e-12);
    // Twice the same key weighs twice.
    EXPECT_NEAR(reference::attended(q, {key_of(score, 4), key_of(0, 8), key_of(0, 8)}, 1).out[1],
                3. / 5 * 4 + 2. / 5 * 8, 1e-12);
}

TEST(LatentReference, of_no_key_is_zero_and_infinite) {
    const auto is = reference::attended(std::vector<double>(576), {}, 1, 3);
    EXPECT_EQ(is.out, std::vector<double>(512));
    EXPECT_EQ(is.lse, HUGE_VAL);
    EXPECT_EQ(is.max_logit, -HUGE_VAL);
}

TEST(LatentReference, a_sink_of_infinity_takes_all) {
    std::vector<double> q(576);
    EXPECT_EQ(reference::attended(q, {key_of(1, 4)}, 1, HUGE_VAL).out[1], 0);
    EXPECT_EQ(reference::attended(q, {key_of(1, 4)}, 1, -HUGE_VAL).out[1], 4);
}

// Codes of 1.0 (0x38) with the scales 1.5, 2, 3 and 1/3 (in BF16 0.33398), and 1.0 (0x3F80) for the rest.
TEST(LatentCache, an_entry_of_v3_2_is_codes_times_scales_in_bf16) {
    std::vector<std::uint8_t> row(656, 0x38);
    const float scales[] = {1.5f, 2, 3, 1.f / 3};
    std::memcpy(&row[512], scales, 16);
    const std::uint16_t one = 0x3F80;
    for (std::size_t d = 0; d < 64; ++d) std::memcpy(&row[528 + 2 * d], &one, 2);
    const auto entry = reference::latent_entry(LatentFormat::v32_fp8, row.data(), &row[512]);
    ASSERT_EQ(entry.size(), 576u);
    EXPECT_EQ(entry[127], 1.5);
    EXPECT_EQ(entry[128], 2);
    EXPECT_EQ(entry[383], 3);
    EXPECT_EQ(entry[511], 0.333984375);
    EXPECT_EQ(entry[512], 1);
}

TEST(LatentCache, pages_are_as_large_as_published) {
    EXPECT_EQ(page_bytes_of(LatentFormat::v32_fp8, 64), 64 * 656);
    EXPECT_EQ(page_bytes_of(LatentFormat::v4_fp8, 64), 65 * 576);  // 64 * 584 = 37376, up to 37440
    EXPECT_EQ(page_bytes_of(LatentFormat::bf16_576, 64), 64 * 1152);
    EXPECT_EQ(entry_bytes(LatentFormat::v4_fp8), 584);
    EXPECT_EQ(entry_bytes(LatentFormat::v32_fp8), 656);
}

TEST(LatentTile, unpacks_all_codes_exactly) {
    for (unsigned code = 0; code < 256; ++code) {
        float numbers[4];
        unpack_codes(code | 0x3800 | code << 16 | 0xB8u << 24, numbers);
        const float should = to_float(E4m3{std::uint8_t(code)});
        for (const float is : {numbers[0], numbers[2]})
            EXPECT_TRUE(is == should || (std::isnan(is) && std::isnan(should))) << code;
        EXPECT_EQ(numbers[1], 1);
        EXPECT_EQ(numbers[3], -1);
    }
}

// Every third key of a page, and no others.
struct EveryThird {
    struct Unit {};
    const LatentCache& cache;
    int named(const Unit&, int slot) const { return slot % 3 ? -1 : slot; }
    template <LatentFormat format>
    LatentPlace place(const Unit&, int, int named) const {
        return named < 0 ? LatentPlace{} : place_of<format>(cache, 1, named, 0);
    }
};

// Shared memory is NaN before: what is not there must be zero, or a weight of zero would make NaN of it.
template <LatentFormat format>
void expect_tile_loaded() {
    constexpr int kDim = layout_of(format).dim, kLoaders = latent_loading_threads(format);
    const StoredCache stored(format, 2, kLatentPage, 3);
    std::vector<double> tile(64 * kDim, -1);
    emulate({.threads = kLoaders, .shared_bytes = kDim / 64 * kPanelBytes + 128}, ThreadOrder::shuffled,
            [&](EmulatedThread& t) {
                unsigned char* panels = t.shared();
                std::uint8_t* present = panels + kDim / 64 * kPanelBytes;
                auto* full = reinterpret_cast<EmulatedThread::Barrier*>(present + 64);
                if (t.thread() == 0) {
                    std::memset(panels, 0xFF, kDim / 64 * kPanelBytes + 64);
                    t.open_barrier(full, kLoaders + kLoaders / 32);
                }
                t.sync();
                KeyTileLoader<format> keys(t.thread());
                keys.begin(EveryThird{stored.cache()}, {}, 0, false);
                keys.load(t, EveryThird{stored.cache()}, {}, 0, 0, panels, present, full);
                t.wait(full, 0);
                t.sync();
                if (t.thread() != 0) return;
                for (int row = 0; row < 64; ++row) {
                    EXPECT_EQ(present[row], row % 3 == 0);
                    for (int d = 0; d < kDim; ++d) {
                        const unsigned char* panel = panels + d / 64 * kPanelBytes;
                        Bf16 x;
                        std::memcpy(&x, panel + swizzled_offset(row, d % 64 * 2), 2);
                        tile[std::size_t(row * kDim + d)] = to_float(x);
                    }
                }
            });
    for (int row = 0; row < 64; ++row) {
        const std::vector<double> should = row % 3 ? std::vector<double>(std::size_t(kDim)) : stored.entry(1, row);
        for (int d = 0; d < kDim; ++d)
            ASSERT_EQ(tile[std::size_t(row * kDim + d)], should[std::size_t(d)]) << row << " " << d;
    }
}

TEST(LatentTile, holds_exactly_the_keys_that_there_are) {
    expect_tile_loaded<LatentFormat::bf16_576>();
    expect_tile_loaded<LatentFormat::bf16_512>();
    expect_tile_loaded<LatentFormat::v32_fp8>();
    expect_tile_loaded<LatentFormat::v4_fp8>();
}

TEST(LatentTolerance, asks_for_either_bound_and_for_equal_infinities) {
    const LatentTolerance tolerance{0.1, 0.01, 1};
    EXPECT_LE(distance_of({0.05, 100.5}, {0, 100}, tolerance).worst, 1);
    EXPECT_GT(distance_of({0.05, 102}, {0, 100}, tolerance).worst, 1);
    EXPECT_LE(distance_of({HUGE_VAL}, {HUGE_VAL}, tolerance).worst, 1);
    EXPECT_GT(distance_of({HUGE_VAL}, {-HUGE_VAL}, tolerance).worst, 1);
    EXPECT_GT(distance_of({NAN}, {1}, tolerance).worst, 1);
    EXPECT_GT(distance_of({1}, {}, tolerance).worst, 1);
    EXPECT_NEAR(distance_of({1, 0}, {0, 1}, tolerance).cosine, 1, 1e-12);
}

// 2 * heads * keys * (576 + 512), and each key read once by all heads (facts A2): 1.89 h flops a byte in BF16.
TEST(LatentWork, of_decoding_has_the_published_intensity) {
    const LatentAttention decode{.sequences = 1, .heads = 128, .attended = 1e6, .entry_bytes = 1152};
    EXPECT_DOUBLE_EQ(decode.work().flops.si(), 2176.0 * 128 * 1e6);
    EXPECT_NEAR(decode.work().flops.si() / decode.work().bytes().si(), 1.89 * 128, 0.3);
}

}  // namespace
}  // namespace strata
