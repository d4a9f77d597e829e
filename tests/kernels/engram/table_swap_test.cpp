#include "kernels/engram/table_swap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace strata {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A GPU of two queues: steps, which look at all of their table when they run, and copies. Either may run ahead of the
// other, except where one waits.
class TwoQueues : public BackgroundCopies {
public:
    void after_steps_so_far() override { wait_for_ = launched_; }
    void start(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) override {
        copies_.push_back({to, from, bytes, wait_for_});
    }
    bool all_arrived() override { return copies_.empty(); }

    void launch(const TableView& table, std::uint8_t version) {
        steps_.push_back({table, version});
        ++launched_;
    }
    void run_a_step() {
        if (steps_.empty()) return;
        const auto [table, version] = steps_.front();
        for (std::int64_t i = 0; i < table.count * kEngramRowStride; ++i) torn_ += table.rows[i] != version;
        steps_.pop_front();
        ++done_;
    }
    void run_a_copy() {
        if (copies_.empty() || copies_.front().after > done_) return;
        const Copy copy = copies_.front();
        std::copy_n(copy.from, copy.bytes, copy.to);
        copies_.pop_front();
    }
    long torn() const { return torn_; }
    std::size_t copies() const { return copies_.size(); }

private:
    struct Copy {
        std::uint8_t* to;
        const std::uint8_t* from;
        std::size_t bytes;
        long after;  // so many steps
    };
    std::deque<std::pair<TableView, std::uint8_t>> steps_;
    std::deque<Copy> copies_;
    long launched_ = 0, done_ = 0, wait_for_ = 0, torn_ = 0;
};

Bytes table_of(std::int64_t rows, std::uint8_t version) { return Bytes(std::size_t(rows * kEngramRowStride), version); }

TEST(TableSwap, changes_between_steps_once_all_has_arrived) {
    Bytes first = table_of(10, 1), second = table_of(10, 0), next = table_of(7, 2);
    TwoQueues gpu;
    TableSwap swap(first.data(), 10, second.data(), 10, gpu, 3);
    swap.load({next.data(), 7});
    EXPECT_EQ(swap.begin_step(2).rows, first.data());  // rows 0 to 5 on their way
    EXPECT_EQ(gpu.copies(), 2u);
    EXPECT_EQ(swap.begin_step(2).rows, first.data());  // and row 6
    EXPECT_EQ(gpu.copies(), 3u);
    gpu.run_a_copy(), gpu.run_a_copy();
    EXPECT_EQ(swap.begin_step(2).rows, first.data());
    EXPECT_TRUE(swap.loading());
    gpu.run_a_copy();
    const TableView now = swap.begin_step(2);
    EXPECT_EQ(now.rows, second.data());
    EXPECT_EQ(now.count, 7);
    EXPECT_FALSE(swap.loading());
    EXPECT_TRUE(std::equal(next.begin(), next.end(), second.begin()));
}

// Any interleaving of launches, steps and copies, table after table: no step may find a byte of another version.
TEST(TableSwap, no_step_sees_a_row_of_another_table) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        const auto chance = [&](int in) { return random() % std::uint64_t(in) == 0; };
        std::vector<Bytes> sources;
        for (std::uint8_t version = 2; version < 8; ++version)
            sources.push_back(table_of(1 + std::int64_t(random() % 12), version));
        Bytes first = table_of(12, 1), second = table_of(12, 0);
        TwoQueues gpu;
        TableSwap swap(first.data(), 12, second.data(), 12, gpu, 2);
        std::uint8_t version = 1, loaded = 1;
        while (version < 7 || swap.loading()) {
            if (!swap.loading() && loaded < 7 && chance(3)) {
                const Bytes& source = sources[loaded++ - 1u];
                swap.load({source.data(), std::int64_t(source.size()) / kEngramRowStride});
            }
            const bool was_loading = swap.loading();
            const TableView table = swap.begin_step(int(random() % 3));
            if (was_loading && !swap.loading()) version = loaded;
            gpu.launch(table, version);
            while (chance(2)) gpu.run_a_step();
            while (chance(2)) gpu.run_a_copy();
        }
        for (int i = 0; i < 10'000; ++i) gpu.run_a_step();
        ASSERT_EQ(gpu.torn(), 0) << seed;
    }
}

TEST(TableSwap, an_empty_table_needs_no_copy) {
    Bytes first = table_of(2, 1), second = table_of(2, 0);
    TwoQueues gpu;
    TableSwap swap(first.data(), 2, second.data(), 2, gpu, 1);
    swap.load({});
    EXPECT_EQ(swap.begin_step(0).count, 0);
}

TEST(TableSwap, refuses_what_it_does_not_take) {
    Bytes first = table_of(2, 1), second = table_of(2, 0);
    TwoQueues gpu;
    EXPECT_THROW(TableSwap(first.data(), 3, second.data(), 2, gpu, 1), std::invalid_argument);
    EXPECT_THROW(TableSwap(first.data(), 2, second.data(), 2, gpu, 0), std::invalid_argument);
    TableSwap swap(first.data(), 2, second.data(), 2, gpu, 1);
    EXPECT_THROW(swap.load({first.data(), 3}), std::invalid_argument);
    swap.load({first.data(), 2});
    EXPECT_THROW(swap.load({first.data(), 2}), std::logic_error);
}

}  // namespace
}  // namespace strata
