#include "kernels/engram/engram_gather_body.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "kernels/engram/engram_cache_body.hpp"
#include "kernels/engram/engram_gather_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Ids = std::vector<std::int32_t>;

// Bytes at a 16-byte boundary.
class Aligned {
public:
    explicit Aligned(std::size_t bytes, int value = 0xEE) : packs_((bytes + 15) / 16), bytes_(bytes) {
        std::memset(packs_.data(), value, packs_.size() * 16);
    }
    std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(packs_.data()); }
    std::vector<std::uint8_t> bytes() { return {data(), data() + bytes_}; }

private:
    std::vector<Pack<std::uint8_t>> packs_;
    std::size_t bytes_;
};

Aligned random_table(long rows) {
    Aligned table(std::size_t(rows) * kEngramRowStride);
    std::mt19937_64 random(3);
    for (long i = 0; i < rows * kEngramRowStride; ++i) table.data()[i] = std::uint8_t(random());
    return table;
}

Ids random_ids(std::size_t count, std::int32_t below) {
    std::mt19937_64 random(5);
    Ids ids(count);
    for (std::int32_t& id : ids) id = std::int32_t(random() % std::uint64_t(below));
    return ids;
}

struct Gathered {
    Gathered(Aligned& table, const Ids& of, int most_blocks)
        : ids(of), codes(ids.size() * kEngramRowWidth), scales(ids.size() * kEngramRowScales) {
        task = {.table = table.data(),
                .ids = ids.data(),
                .codes = codes.data(),
                .scales = scales.data(),
                .table_rows = long(table.bytes().size()) / kEngramRowStride,
                .rows = long(ids.size()),
                .most_blocks = most_blocks};
    }
    Ids ids;
    Aligned codes, scales;
    EngramGatherTask task;
};

TEST(EngramGather, matches_the_reference_in_every_thread_order) {
    Aligned table = random_table(50);
    for (const std::size_t rows : {std::size_t(1), std::size_t(7), std::size_t(8), std::size_t(300)})
        for (const int most_blocks : {0, 1, 2})
            for (const ThreadOrder order : kThreadOrders) {
                const Ids ids = random_ids(rows, 50);
                Gathered is(table, ids, most_blocks);
                require_valid(is.task);
                EXPECT_LE(grid_of(is.task).blocks, most_blocks > 0 ? most_blocks : 3);
                emulate(grid_of(is.task), order, [&](EmulatedThread& t) { engram_gather(t, is.task); });
                const auto should = reference::engram_gather(table.bytes(), ids);
                EXPECT_EQ(is.codes.bytes(), should.codes);
                EXPECT_EQ(is.scales.bytes(), should.scales);
            }
}

// Row r of this table is filled with byte r; its scales with r + 100 and its padding with 255.
TEST(EngramGather, a_row_outside_the_table_is_zeros) {
    Aligned table(3 * kEngramRowStride, 255);
    for (int row = 0; row < 3; ++row) {
        std::memset(table.data() + row * kEngramRowStride, row + 1, 256);
        std::memset(table.data() + row * kEngramRowStride + 256, row + 101, 8);
    }
    Gathered is(table, {2, -1, 3, INT32_MAX, INT32_MIN, 0}, 0);
    emulate(grid_of(is.task), ThreadOrder::forward, [&](EmulatedThread& t) { engram_gather(t, is.task); });
    const int expected[] = {3, 0, 0, 0, 0, 1};
    for (int row = 0; row < 6; ++row) {
        EXPECT_EQ(is.codes.data()[row * 256], expected[row]);
        EXPECT_EQ(is.codes.data()[row * 256 + 255], expected[row]);
        EXPECT_EQ(is.scales.data()[row * 8 + 7], expected[row] ? expected[row] + 100 : 0);
    }
}

TEST(EngramGather, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(EngramGatherTask{}));
    EXPECT_THROW(require_valid(EngramGatherTask{.rows = -1}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramGatherTask{.rows = 1}), std::invalid_argument);
    Aligned table = random_table(2);
    Gathered is(table, {0}, 0);
    is.task.table += 8;
    EXPECT_THROW(require_valid(is.task), std::invalid_argument);
}

// The planes of the split table are what the reference gathers of all rows.
TEST(EngramSplitGather, gives_the_rows_of_the_table_it_was_split_from) {
    Aligned table = random_table(50);
    Ids all(50);
    for (std::size_t i = 0; i < 50; ++i) all[i] = std::int32_t(i);
    const auto planes = reference::engram_gather(table.bytes(), all);
    struct alignas(128) Line {
        std::uint8_t at[128];
    };
    std::vector<Line> codes(50 * 2);
    std::memcpy(codes.data(), planes.codes.data(), planes.codes.size());
    Aligned scales(planes.scales.size());
    std::memcpy(scales.data(), planes.scales.data(), planes.scales.size());
    Ids ids = random_ids(100, 50);
    ids[7] = -1, ids[8] = 50, ids[99] = INT32_MAX;
    const auto should = reference::engram_gather(table.bytes(), ids);
    for (const ThreadOrder order : kThreadOrders) {
        Gathered is(table, ids, 1);
        is.task.table = codes.data()->at;
        const EngramSplitGatherTask task{.gather = is.task, .table_scales = scales.data()};
        require_valid(task);
        emulate(grid_of(task), order, [&](EmulatedThread& t) { engram_split_gather(t, task); });
        EXPECT_EQ(is.codes.bytes(), should.codes);
        EXPECT_EQ(is.scales.bytes(), should.scales);
        EXPECT_THROW(require_valid(EngramSplitGatherTask{.gather = is.task}), std::invalid_argument);
    }
}

// Two sets: the top bit of row * 0x9E3779B1 chooses. Rows 0 and 2 go to set 0, row 1 to set 1.
TEST(RowCache, holds_the_most_frequent_rows_of_each_set) {
    ASSERT_EQ(cache_set(0, 1), 0);
    ASSERT_EQ(cache_set(1, 1), 1);
    ASSERT_EQ(cache_set(2, 1), 0);
    const Ids tags = plan_row_cache({2, 0, 2, 1, -1}, 1);
    EXPECT_EQ(tags, (Ids{2, 0, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1}));

    Ids used, of_set_zero;  // row i is used i + 1 times, and each set takes its eight largest
    for (std::int32_t row = 0; row < 40; ++row) used.insert(used.end(), std::size_t(row) + 1, row);
    for (std::int32_t row = 39; row >= 0; --row)
        if (cache_set(row, 1) == 0 && of_set_zero.size() < 8) of_set_zero.push_back(row);
    const Ids full = plan_row_cache(used, 1);
    EXPECT_EQ(Ids(full.begin(), full.begin() + 8), of_set_zero);
    EXPECT_THROW(plan_row_cache({}, 0), std::invalid_argument);
}

TEST(EngramCachedGather, gives_the_same_rows_and_counts_hits_exactly) {
    Aligned table = random_table(400);
    Ids ids = random_ids(500, 400);
    for (std::size_t i = 0; i < ids.size(); i += 3) ids[i] %= 20;  // hot ones
    ids[0] = -1, ids[9] = 400, ids[10] = INT32_MIN;
    const int log2_sets = 3;  // 64 slots
    const Ids tags = plan_row_cache(Ids(ids.begin() + 100, ids.end()), log2_sets);
    Aligned cached(tags.size() * kEngramRowStride);
    const EngramCacheFillTask fill{.table = table.data(),
                                   .tags = tags.data(),
                                   .cached = cached.data(),
                                   .table_rows = 400,
                                   .slots = long(tags.size())};
    require_valid(fill);
    emulate(grid_of(fill), ThreadOrder::shuffled, [&](EmulatedThread& t) { engram_cache_fill(t, fill); });

    std::int32_t should_hit = 0;
    for (const std::int32_t id : ids) should_hit += id >= 0 && std::find(tags.begin(), tags.end(), id) != tags.end();
    ASSERT_GT(should_hit, 50);
    const auto should = reference::engram_gather(table.bytes(), ids);
    for (const ThreadOrder order : kThreadOrders) {
        Gathered is(table, ids, 2);
        std::int32_t hits = 1000;
        const EngramCachedGatherTask task{
            .gather = is.task, .cached = cached.data(), .tags = tags.data(), .hits = &hits, .log2_sets = log2_sets};
        require_valid(task);
        emulate(grid_of(task), order, [&](EmulatedThread& t) { engram_cached_gather(t, task); });
        EXPECT_EQ(is.codes.bytes(), should.codes);
        EXPECT_EQ(is.scales.bytes(), should.scales);
        EXPECT_EQ(hits, 1000 + should_hit);
    }
}

// A cache with other bytes than the table shows which rows it gave.
TEST(EngramCachedGather, takes_hits_from_the_cache_and_only_hits) {
    Aligned table(10 * kEngramRowStride, 1);
    const Ids tags = plan_row_cache({4, 4, 7}, 2);
    Aligned cached(tags.size() * kEngramRowStride, 9);
    Gathered is(table, {4, 5, 7, 0, -1}, 0);
    std::int32_t hits = 0;
    const EngramCachedGatherTask task{
        .gather = is.task, .cached = cached.data(), .tags = tags.data(), .hits = &hits, .log2_sets = 2};
    emulate(grid_of(task), ThreadOrder::reversed, [&](EmulatedThread& t) { engram_cached_gather(t, task); });
    const int expected[] = {9, 1, 9, 1, 0};
    for (int row = 0; row < 5; ++row) EXPECT_EQ(is.codes.data()[row * 256 + 100], expected[row]);
    EXPECT_EQ(hits, 2);
}

TEST(EngramCachedGather, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(EngramCachedGatherTask{.log2_sets = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(EngramCachedGatherTask{.log2_sets = 27}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(EngramCachedGatherTask{.log2_sets = 3}));
    EXPECT_THROW(require_valid(EngramCacheFillTask{.slots = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
