#include "kernels/attention/mla_decode_task.hpp"

#include "latent_fixture.hpp"

namespace strata {
namespace {

// Sequences of given lengths over pages in random order. What no query may see is NaN or an impossible page.
struct Decoding {
    Decoding(LatentFormat format, std::vector<std::int32_t> lengths_, int heads, int queries_each = 1, int kv_heads = 1)
        : lengths(std::move(lengths_)),
          width(long(*std::ranges::max_element(lengths)) / kLatentPage + 2),
          table(lengths.size() * std::size_t(width), 2147480000),
          stored(format, pages_needed() + 3, kLatentPage, 5, kv_heads),
          buffers(format, long(lengths.size()) * queries_each, heads, 6) {
        std::vector<std::int32_t> pages(std::size_t(stored.cache().pages));
        for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = std::int32_t(i);
        std::shuffle(pages.begin(), pages.end(), std::mt19937_64(7));
        for (std::size_t s = 0; s < lengths.size(); ++s)
            for (long slot = 0; slot < ceil_div(lengths[s], kLatentPage) * kLatentPage; ++slot) {
                std::int32_t& page = table[s * std::size_t(width) + std::size_t(slot / kLatentPage)];
                if (slot % kLatentPage == 0) page = pages.back(), pages.pop_back();
                if (slot >= lengths[s]) stored.forget(page, slot % kLatentPage);
            }
        for (const std::int32_t page : pages)
            for (long slot = 0; slot < kLatentPage; ++slot) stored.forget(page, slot);
        task = {.format = format,
                .queries = buffers.queries,
                .cache = stored.cache(),
                .block_table = table.data(),
                .table_width = width,
                .lengths = lengths.data(),
                .sequences = long(lengths.size()),
                .queries_each = queries_each};
    }

    long pages_needed() const {
        long pages = 0;
        for (const std::int32_t length : lengths) pages += ceil_div(length, kLatentPage);
        return pages;
    }
    reference::Attended expected(std::size_t row) const {
        const std::size_t heads = std::size_t(task.queries.heads), token = row / heads, head = row % heads,
                          each = std::size_t(task.queries_each), sequence = token / each;
        const std::size_t kv_head = head / (heads / std::size_t(task.cache.heads));
        long sees = lengths[sequence];
        if (task.causal) sees -= long(each - 1 - token % each);
        std::vector<std::vector<double>> keys;
        for (long slot = 0; slot < sees; ++slot)
            keys.push_back(stored.entry(table[sequence * std::size_t(width) + std::size_t(slot / kLatentPage)],
                                        slot % kLatentPage, int(kv_head)));
        return reference::attended(buffers.query(row), keys, task.queries.scale);
    }
    void expect_right(ThreadOrder order = ThreadOrder::forward) {
        attend(task, buffers, order);
        expect_attended(
            buffers, [&](std::size_t row) { return expected(row); }, kDecodeOut, kDecodeLse);
    }

    std::vector<std::int32_t> lengths;
    long width;
    std::vector<std::int32_t> table;
    StoredCache stored;
    LatentBuffers buffers;
    MlaDecodeTask task;
};

// And gives the same bits in each of them.
TEST(MlaDecode, matches_the_definition_in_every_thread_order) {
    std::vector<Bf16> first;
    for (const ThreadOrder order : kThreadOrders) {
        Decoding decoding(LatentFormat::bf16_576, {130}, 64);
        decoding.task.queries.splits = 1;
        decoding.expect_right(order);
        if (first.empty()) first = decoding.buffers.out;
        EXPECT_EQ(std::memcmp(first.data(), decoding.buffers.out.data(), first.size() * sizeof(Bf16)), 0);
    }
}

TEST(MlaDecode, takes_sequences_of_any_length_and_none) {
    Decoding decoding(LatentFormat::bf16_576, {0, 1, 63, 64, 65, 200}, 16);
    decoding.task.queries.splits = 1;
    decoding.expect_right();
    EXPECT_EQ(decoding.buffers.lse[0], HUGE_VALF);
    EXPECT_EQ(decoding.buffers.out[0].bits, 0);
}

// Four splits of one tile: sequences that need fewer leave partial results unwritten.
TEST(MlaDecode, puts_the_splits_of_a_sequence_together) {
    for (const int splits : {2, 4}) {
        Decoding decoding(LatentFormat::bf16_576, {0, 5, 64, 130, 200}, 16);
        decoding.task.queries.splits = splits;
        decoding.expect_right(ThreadOrder::shuffled);
    }
}

TEST(MlaDecode, takes_any_number_of_heads) {
    for (const int heads : {1, 3, 9, 63, 126, 128}) {
        SCOPED_TRACE(heads);
        Decoding(LatentFormat::bf16_576, {70}, heads).expect_right();
    }
}

// Causal: aligned to the end, so that the first of two queries of a sequence of one token sees nothing.
TEST(MlaDecode, queries_see_what_was_there_before_them) {
    for (const bool causal : {true, false}) {
        Decoding decoding(LatentFormat::bf16_576, {1, 65, 129}, 40, 2);
        decoding.task.causal = causal;
        decoding.expect_right();
        EXPECT_EQ(decoding.buffers.lse[0] == HUGE_VALF, causal);
    }
}

TEST(MlaDecode, heads_may_share_several_kv_heads) {
    Decoding(LatentFormat::bf16_576, {70}, 6, 2, 2).expect_right();
    Decoding(LatentFormat::bf16_576, {70, 3}, 24, 1, 3).expect_right();
    Decoding(LatentFormat::bf16_576, {30}, 8, 1, 8).expect_right();
}

TEST(MlaDecode, reads_every_format) {
    for (const LatentFormat format : {LatentFormat::bf16_512, LatentFormat::v32_fp8, LatentFormat::v4_fp8}) {
        SCOPED_TRACE(int(format));
        Decoding decoding(format, {0, 1, 130}, 16, 2);
        decoding.expect_right(ThreadOrder::reversed);
        Decoding one(format, {200}, 5);
        one.task.queries.splits = 1;
        one.expect_right(ThreadOrder::shuffled);
    }
}

// Scores in the thousands: only differences of scores may be exponentiated.
TEST(MlaDecode, takes_scores_of_any_size) {
    Decoding decoding(LatentFormat::bf16_576, {150}, 16);
    decoding.task.queries.scale = 150;
    decoding.expect_right();
    for (const float lse : std::vector<float>(decoding.buffers.lse.begin(), decoding.buffers.lse.end() - 1))
        EXPECT_GT(lse, 400);
}

// A page that is not in the cache is never read: its tokens are as if they were masked.
TEST(MlaDecode, leaves_impossible_pages_alone) {
    Decoding decoding(LatentFormat::bf16_576, {128}, 4);
    decoding.table[1] = -1;
    attend(decoding.task, decoding.buffers, ThreadOrder::forward);
    decoding.lengths[0] = 64;
    expect_attended(
        decoding.buffers, [&](std::size_t row) { return decoding.expected(row); }, kDecodeOut, kDecodeLse);
}

TEST(MlaDecode, refuses_what_it_does_not_take) {
    const Decoding right(LatentFormat::bf16_576, {70}, 6, 2, 2);
    EXPECT_NO_THROW(require_valid(right.task));
    const auto refused = [&](const auto& change) {
        MlaDecodeTask task = right.task;
        change(task);
        EXPECT_THROW(require_valid(task), std::invalid_argument);
    };
    refused([](MlaDecodeTask& task) { task.cache.page_entries = 32; });
    refused([](MlaDecodeTask& task) { task.cache.page_bytes -= 32; });
    refused([](MlaDecodeTask& task) { task.cache.data += 8; });
    refused([](MlaDecodeTask& task) { task.cache.heads = 4; });
    refused([](MlaDecodeTask& task) { task.format = LatentFormat::v32_fp8; });  // with two KV heads
    refused([](MlaDecodeTask& task) { task.queries.tokens = 3; });
    refused([](MlaDecodeTask& task) { task.queries_each = 0; });
    refused([](MlaDecodeTask& task) { task.queries.q = nullptr; });
    refused([](MlaDecodeTask& task) { task.queries.out += 1; });
    refused([](MlaDecodeTask& task) { task.queries.scale = NAN; });
    refused([](MlaDecodeTask& task) { task.queries.splits = kLatentMostSplits + 1; });
    refused([](MlaDecodeTask& task) { task.block_table = nullptr; });
    MlaDecodeTask task = right.task;
    task.queries.splits = 2;
    EXPECT_THROW(require_partials(planned(task).queries, "test"), std::invalid_argument);
}

// 2 sequences x 128 heads are 4 blocks: 32 splits of 16 tiles fill 128 of 132 multiprocessors. 128 sequences are 256
// blocks already.
TEST(MlaDecode, divides_keys_where_queries_are_few) {
    EXPECT_EQ(splits_for(4, 512), 32);
    EXPECT_EQ(splits_for(132, 512), 1);
    EXPECT_EQ(splits_for(1, 1), 1);
    EXPECT_EQ(splits_for(1, 0), 1);
    EXPECT_GT(splits_for(80, 512), 1);  // one wave of 80 would leave 52 idle
}

TEST(MlaDecode, fits_shared_memory) {
    for (const LatentFormat format : {LatentFormat::bf16_576, LatentFormat::v4_fp8}) {
        const MlaDecodeTask task{.format = format, .queries = {.heads = 128, .splits = 1}};
        EXPECT_LE(grid_of(task).shared_bytes, 227u * 1024);
    }
}

}  // namespace
}  // namespace strata
