#include "kernels/simt/wgmma.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

constexpr int kRowsA = 64;

template <class Element>
std::vector<Element> random_matrix(int rows, int columns, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<Element> matrix(std::size_t(rows) * std::size_t(columns));
    for (Element& element : matrix) element = from_float<Element>(normal(random));
    return matrix;
}

// Fills a tile [rows][128 bytes] as a swizzled copy would.
template <class Element>
void place(unsigned char* tile, const std::vector<Element>& matrix, int rows, int columns) {
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
            std::memcpy(tile + swizzled_offset(row, column * int(sizeof(Element))),
                        &matrix[std::size_t(row * columns + column)], sizeof(Element));
}

// 64 x n x 128 bytes of K through the emulated instructions against a plain product in double, on top of what was
// there.
template <class Element, int n, bool mn_major = false>
void check_product(bool a_in_registers, ThreadOrder order) {
    constexpr int kSize = int(sizeof(Element)), kDepth = 128 / kSize;
    const auto a = random_matrix<Element>(kRowsA, kDepth, 1);
    const auto b = random_matrix<Element>(n, kDepth, 2);
    std::vector<float> product(std::size_t(kRowsA) * n, -1e9f);
    emulate({.threads = 128, .shared_bytes = 8192 + std::size_t((n + 63) / 64) * 8192}, order, [&](EmulatedThread& t) {
        unsigned char *tile_a = t.shared(), *tile_b = t.shared() + 8192;
        if (t.thread() == 0) {
            place(tile_a, a, kRowsA, kDepth);
            if (mn_major)  // one tile [k][64 of n] after the other
                for (int column = 0; column < n; ++column)
                    for (int k = 0; k < kDepth; ++k)
                        std::memcpy(tile_b + column / 64 * kDepth * 128 + swizzled_offset(k, column % 64 * kSize),
                                    &b[std::size_t(column * kDepth + k)], std::size_t(kSize));
            else
                place(tile_b, b, n, kDepth);
        }
        t.show_to_async_copies();
        t.sync();
        const std::uint64_t at_a = k_major_descriptor(t.shared_address(tile_a));
        const std::uint64_t at_b = mn_major ? mn_major_descriptor(t.shared_address(tile_b), kDepth * 128)
                                            : k_major_descriptor(t.shared_address(tile_b));
        WarpgroupProducts products;
        WgmmaSum<n> sum;
        for (float& x : sum.at) x = 1;
        products.begin(t, sum);
        for (int step = 0; step < 4; ++step) {
            const std::uint64_t b_here = advanced(at_b, mn_major ? 2048u * unsigned(step) : 32u * unsigned(step));
            constexpr Major kMajor = mn_major ? Major::mn : Major::k;
            if (a_in_registers) {
                WgmmaA mine;
                for (int i = 0; i < 4; ++i)
                    std::memcpy(
                        &mine.at[i],
                        tile_a + swizzled_offset(wgmma_a_row(t.thread(), i), wgmma_a_byte(t.thread(), i) + 32 * step),
                        4);
                products.multiply<Element, kMajor>(t, sum, mine, b_here, true);
            } else {
                products.multiply<Element, kMajor>(t, sum, advanced(at_a, 32u * unsigned(step)), b_here, true);
            }
        }
        products.commit();
        EXPECT_TRUE(std::isnan(sum.at[0])) << "a sum that nobody has waited for";
        products.wait_for_all_but<0>(t, sum);
        for (int i = 0; i < n / 2; ++i)
            product[std::size_t(wgmma_row(t.thread(), i) * n + wgmma_column(t.thread(), i))] = sum.at[i];
    });
    for (int row = 0; row < kRowsA; ++row)
        for (int column = 0; column < n; ++column) {
            double should = 1;
            for (int k = 0; k < kDepth; ++k)
                should +=
                    double(to_float(a[std::size_t(row * kDepth + k)])) * to_float(b[std::size_t(column * kDepth + k)]);
            ASSERT_NEAR(product[std::size_t(row * n + column)], should, 1e-4) << row << " " << column << " of " << n;
        }
}

template <class Element, int... widths>
void check_widths(bool a_in_registers) {
    (check_product<Element, widths>(a_in_registers, ThreadOrder::forward), ...);
}

TEST(Wgmma, bf16_of_every_width_is_the_product) {
    check_widths<Bf16, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256>(false);
    check_widths<Bf16, 8, 64, 256>(true);
}

TEST(Wgmma, e4m3_of_every_width_is_the_product) {
    check_widths<E4m3, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256>(false);
    check_widths<E4m3, 8, 64, 256>(true);
}

TEST(Wgmma, bf16_takes_b_with_n_fastest) {
    check_product<Bf16, 64, true>(false, ThreadOrder::forward);
    check_product<Bf16, 24, true>(true, ThreadOrder::forward);
    check_product<Bf16, 128, true>(true, ThreadOrder::shuffled);
    check_product<Bf16, 256, true>(false, ThreadOrder::reversed);
}

TEST(Wgmma, the_order_of_threads_does_not_matter) {
    for (const ThreadOrder order : kThreadOrders) {
        check_product<E4m3, 32>(false, order);
        check_product<E4m3, 32>(true, order);
    }
}

TEST(WgmmaSum, every_element_is_held_by_exactly_one_register) {
    std::vector<int> holders(64 * 256);
    for (int thread = 0; thread < 128; ++thread)
        for (int i = 0; i < 128; ++i) ++holders[std::size_t(wgmma_row(thread, i) * 256 + wgmma_column(thread, i))];
    for (const int count : holders) EXPECT_EQ(count, 1);
    // The figure of the PTX ISA: thread 37 (warp 1, lane 5) begins at row 16 + 1, columns 2 and 3.
    EXPECT_EQ(wgmma_row(37, 0), 17);
    EXPECT_EQ(wgmma_column(37, 1), 3);
    EXPECT_EQ(wgmma_row(37, 2), 25);
    EXPECT_EQ(wgmma_column(37, 4), 10);
}

std::string refusal_of(const std::function<void(EmulatedThread&)>& body) {
    try {
        emulate({.threads = 128, .shared_bytes = 16384}, ThreadOrder::forward, body);
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "";
}

TEST(Wgmma, refuses_what_the_hardware_would_not_forgive) {
    const auto product = [](EmulatedThread& t, bool begin, std::uint32_t start, bool same) {
        WarpgroupProducts products;
        WgmmaSum<8> sum{};
        const std::uint64_t b = k_major_descriptor(start + (same ? 0u : 1024u * unsigned(t.lane() % 2)));
        if (begin) products.begin(t, sum);
        products.multiply<Bf16>(t, sum, k_major_descriptor(1024), b, false);
        products.commit();
        products.wait_for_all_but<0>(t, sum);
    };
    EXPECT_EQ(refusal_of([&](EmulatedThread& t) { product(t, true, 1024, true); }), "");
    EXPECT_NE(refusal_of([&](EmulatedThread& t) { product(t, false, 1024, true); }).find("before begin"),
              std::string::npos);
    EXPECT_NE(refusal_of([&](EmulatedThread& t) { product(t, true, 17 * 1024, true); }).find("shared memory that has"),
              std::string::npos);
    EXPECT_NE(refusal_of([&](EmulatedThread& t) { product(t, true, 1024, false); }).find("different matrix desc"),
              std::string::npos);
    EXPECT_NE(refusal_of([&](EmulatedThread& t) {
                  WarpgroupProducts products;
                  WgmmaSum<8> sum{};
                  products.begin(t, sum);
                  products.multiply<Bf16>(t, sum, k_major_descriptor(1024), k_major_descriptor(1024), false);
                  products.commit();
                  products.wait_for_all_but<1>(t, sum);  // still under way
              }).find("under way"),
              std::string::npos);
}

// A slot is overwritten after the product was started and before it was waited for: the product must show it.
TEST(Wgmma, reads_its_operands_as_late_as_it_may) {
    std::vector<float> seen(128);
    emulate({.threads = 128, .shared_bytes = 16384}, ThreadOrder::forward, [&](EmulatedThread& t) {
        std::memset(t.shared() + t.thread() * 128, 0, 128);
        t.sync();
        WarpgroupProducts products;
        WgmmaSum<8> sum{};
        const std::uint64_t tile = k_major_descriptor(t.shared_address(t.shared()));
        products.begin(t, sum);
        products.multiply<Bf16>(t, sum, tile, tile, false);
        products.commit();
        t.sync();
        std::memset(t.shared() + t.thread() * 128, 0x3F, 128);
        t.sync();
        products.wait_for_all_but<0>(t, sum);
        seen[std::size_t(t.thread())] = sum.at[0];
    });
    for (const float x : seen) EXPECT_NE(x, 0);
}

// DeepSeek-V3, section 3.3.2: FP8 products added in the tensor core alone lose too much over a long K, promoted to FP32
// every 128 they do not. All-positive inputs of K = 16384 are the worst case: nothing cancels. With this model the
// relative error is 1.2e-2 alone and 1.1e-4 promoted.
TEST(Wgmma, a_long_sum_of_e4m3_needs_promotion) {
    constexpr int kLong = 16384;
    const LimitedFp8Accumulation as_hopper;
    std::mt19937 random(5);
    std::uniform_real_distribution<float> positive(0.25f, 4.0f);
    std::vector<E4m3> a(64 * kLong), b(8 * kLong);
    for (E4m3& x : a) x = to_e4m3(positive(random));
    for (E4m3& x : b) x = to_e4m3(positive(random));
    double worst_alone = 0, worst_promoted = 0;
    emulate({.threads = 128, .shared_bytes = 8192 + 1024}, ThreadOrder::forward, [&](EmulatedThread& t) {
        const std::uint64_t at_a = k_major_descriptor(t.shared_address(t.shared()));
        const std::uint64_t at_b = k_major_descriptor(t.shared_address(t.shared() + 8192));
        WarpgroupProducts products;
        WgmmaSum<8> alone{}, partial, promoted{};
        for (int k = 0; k < kLong; k += 128) {
            if (t.thread() < 72) {  // a row each
                const E4m3* row = t.thread() < 64 ? &a[std::size_t(t.thread() * kLong + k)]
                                                  : &b[std::size_t((t.thread() - 64) * kLong + k)];
                for (int i = 0; i < 128; ++i) std::memcpy(t.shared() + swizzled_offset(t.thread(), i), row + i, 1);
            }
            t.sync();
            products.begin(t, alone, partial);
            for (unsigned step = 0; step < 4; ++step) {
                products.multiply<E4m3>(t, alone, advanced(at_a, 32 * step), advanced(at_b, 32 * step), true);
                products.multiply<E4m3>(t, partial, advanced(at_a, 32 * step), advanced(at_b, 32 * step), step > 0);
            }
            products.commit();
            products.wait_for_all_but<0>(t, alone, partial);
            for (int i = 0; i < 4; ++i) promoted.at[i] += partial.at[i];
            t.sync();
        }
        for (int i = 0; i < 4; ++i) {
            double should = 0;
            const E4m3* row = &a[std::size_t(wgmma_row(t.thread(), i) * kLong)];
            const E4m3* column = &b[std::size_t(wgmma_column(t.thread(), i) * kLong)];
            for (int k = 0; k < kLong; ++k) should += double(to_float(row[k])) * to_float(column[k]);
            worst_alone = std::fmax(worst_alone, std::fabs(alone.at[i] / should - 1));
            worst_promoted = std::fmax(worst_promoted, std::fabs(promoted.at[i] / should - 1));
        }
    });
    constexpr double kTolerance = 1e-3;
    EXPECT_GT(worst_alone, 5 * kTolerance) << worst_alone;
    EXPECT_LT(worst_promoted, kTolerance) << worst_promoted;
}

}  // namespace
}  // namespace strata
