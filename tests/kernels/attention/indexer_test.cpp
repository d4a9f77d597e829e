#include "kernels/attention/indexer_body.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/attention/indexer.hpp"
#include "kernels/attention/indexer_reference.hpp"
#include "kernels/attention/top_k_body.hpp"
#include "kernels/attention/top_k_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();
constexpr float kUntouched = -777;

template <class T>
std::vector<T> normal(std::size_t count, std::uint64_t seed, float deviation = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values(0, deviation);
    std::vector<T> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(from_float<T>(values(random)));
    return all;
}

template <class T>
std::vector<double> doubles(const std::vector<T>& values, long first, long count) {
    std::vector<double> all;
    for (long i = first; i < first + count; ++i) all.push_back(to_float(values[std::size_t(i)]));
    return all;
}

struct alignas(16) Sixteen {
    std::uint8_t at[16];
};

// Buffers whose data must be aligned to 16 bytes; the standard allocator gives that.
struct Queries {
    Queries(long rows_, int heads_)
        : rows(rows_),
          heads(heads_),
          codes(normal<E4m3>(std::size_t(rows * heads * 128), 1, 20)),
          weights(normal<float>(std::size_t(rows * heads), 2)) {}
    double logit(long row, const std::vector<double>& key, double scale) const {
        return reference::indexer_logit(doubles(codes, row * heads * 128, heads * 128),
                                        doubles(weights, row * heads, heads), key, scale);
    }
    long rows;
    int heads;
    std::vector<E4m3> codes;
    std::vector<float> weights;
};

struct Outputs {
    Outputs(long rows, long columns)
        : stride(columns + 3),
          maxima_stride(ceil_div(columns, 32) * 4),
          logits(std::size_t(rows * stride), kUntouched),
          maxima(std::size_t(rows * maxima_stride), kUntouched),
          counts(std::size_t(rows), -7) {}
    float at(long row, long column) const { return logits[std::size_t(row * stride + column)]; }
    long stride, maxima_stride;
    std::vector<float> logits, maxima;
    std::vector<std::int32_t> counts;
};

IndexerTask task_of(const Queries& queries, Outputs& out, long columns, bool with_maxima) {
    IndexerTask task{.queries = queries.codes.data(),
                     .weights = queries.weights.data(),
                     .logits = out.logits.data(),
                     .rows = queries.rows,
                     .columns = columns,
                     .stride = out.stride,
                     .heads = queries.heads};
    if (with_maxima)
        task.maxima = out.maxima.data(), task.counts = out.counts.data(), task.maxima_stride = out.maxima_stride;
    return task;
}

template <class Plan, class Keys>
void run(const IndexerTask& task, const Keys& keys, ThreadOrder order) {
    require_valid(task, keys);
    const IndexerTask with_plan = planned(task, ceil_div(task.rows, Plan::kQueries));
    const IndexerMaps maps = maps_of(task, keys);
    emulate(grid_of<Plan>(with_plan), order,
            [&](EmulatedThread& t) { indexer_logits<Plan>(t, with_plan, keys, maps); });
}

// Two queries, two heads of three dimensions: relu drops the second head for the first key.
TEST(IndexerReference, hand_made) {
    EXPECT_EQ(reference::indexer_logit({1, 2, 0, -1, 0, 0}, {3, 100}, {1, 1, 5}, 2), 18);
    EXPECT_EQ(reference::indexer_logit({1, 2, 0, -1, 0, 0}, {3, 100}, {-4, 1, 5}, 2), 800);
}

// What is checked of a row: the sum of 64 weighed products in float, at most 1e-5 of what they may add up to.
void expect_row(const Queries& queries, long row, const Outputs& out, long columns, long begin, long end,
                const std::function<std::pair<std::vector<double>, double>(long)>& key_of, bool filled) {
    for (long at = 0; at < columns; ++at) {
        const float is = out.at(row, at);
        if (at < begin || at >= end) {
            ASSERT_EQ(is, filled ? -kInfinite : kUntouched) << row << " " << at;
            continue;
        }
        const auto [key, scale] = key_of(at);
        const double should = key.empty() ? -INFINITY : queries.logit(row, key, scale);
        if (std::isinf(should))
            ASSERT_EQ(is, should) << row << " " << at;
        else
            ASSERT_NEAR(is, should, 0.02 + 1e-5 * std::abs(should)) << row << " " << at;
    }
    for (long at = columns; at < out.stride; ++at) ASSERT_EQ(out.at(row, at), kUntouched) << "behind the row";
}

struct Dense {
    explicit Dense(long keys_)
        : count(keys_),
          codes(normal<E4m3>(std::size_t(count * 128), 3, 20)),
          scales(normal<float>(std::size_t(count), 4)) {}
    IndexerKeys keys(const std::vector<std::int32_t>& begin, const std::vector<std::int32_t>& end) const {
        return {.codes = codes.data(),
                .scales = scales.data(),
                .begin = begin.empty() ? nullptr : begin.data(),
                .end = end.empty() ? nullptr : end.data(),
                .keys = count};
    }
    std::pair<std::vector<double>, double> key(long at) const {
        return {doubles(codes, at * 128, 128), scales[std::size_t(at)]};
    }
    long count;
    std::vector<E4m3> codes;
    std::vector<float> scales;
};

template <int heads>
void expect_prefill(const std::vector<std::int32_t>& begin, const std::vector<std::int32_t>& end, long keys, bool fill,
                    int splits) {
    using Plan = IndexerPrefillPlan<heads>;
    const Queries queries(long(end.size()), heads);
    const Dense dense(keys);
    std::vector<float> first;
    for (const ThreadOrder order : kThreadOrders) {
        Outputs out(queries.rows, keys);
        IndexerTask task = task_of(queries, out, keys, false);
        task.fill_outside = fill, task.splits = splits++;
        run<Plan>(task, dense.keys(begin, end), order);
        if (first.empty()) first = out.logits;
        EXPECT_EQ(out.logits, first) << "the same bits, however rows are split";
        for (long row = 0; row < queries.rows; ++row) {
            const Positions seen = within(keys, begin.empty() ? 0 : begin[std::size_t(row)], end[std::size_t(row)]);
            expect_row(
                queries, row, out, keys, seen.begin, seen.end, [&](long at) { return dense.key(at); }, fill);
        }
    }
}

// Five queries: two blocks, the second of one query. 139 keys: two tiles and a part of one, no whole four at the end.
TEST(Indexer, prefill_matches_the_reference_in_every_thread_order) {
    expect_prefill<64>({}, {139, 0, 1, 130, 70}, 139, false, 1);
    expect_prefill<32>({}, {10, 64, 65}, 70, true, 2);
    expect_prefill<32>({}, {700, 20}, 700, false, 1);  // more tiles than stages
}

// Bounds as context parallelism gives them; begin beyond end and ends beyond the keys among them.
TEST(Indexer, bounds_are_honoured_and_the_rest_is_minus_infinity_where_wanted) {
    expect_prefill<64>({65, 0, 100, -5, 130}, {131, 3, 90, 2000000000, 139}, 139, true, 3);
}

struct Paged {
    Paged(std::vector<std::int32_t> contexts_, long width_)
        : contexts(std::move(contexts_)), width(width_), pages(contexts.size() * std::size_t(width) + 2) {
        // Pages in an order of their own, the poisonous ones of the table beyond each context.
        std::vector<std::int32_t> order(pages);
        std::iota(order.begin(), order.end(), 0);
        std::ranges::shuffle(order, std::mt19937_64(5));
        for (std::size_t i = 0; i < contexts.size(); ++i)
            for (long page = 0; page < width; ++page)
                table.push_back(page * 64 < contexts[i] ? order[i * std::size_t(width) + std::size_t(page)]
                                                        : 2147480000);
        bytes.resize(pages * kIndexPageBytes / 16);
        std::memset(bytes.data(), 0x7F, bytes.size() * 16);  // NaN
        for (std::size_t i = 0; i < contexts.size(); ++i)
            for (long at = 0; at < contexts[i]; ++at) write_key(long(i), at);
    }
    std::uint8_t* data() { return bytes.data()->at; }
    long slot(long sequence, long at) const { return table[std::size_t(sequence * width + at / 64)] * 64L + at % 64; }
    void write_key(long sequence, long at) {
        const auto codes = normal<E4m3>(128, std::uint64_t(sequence * 1000 + at), 20);
        const float scale = 0.5f + float(at % 7);
        std::memcpy(data() + index_key_at(slot(sequence, at)), codes.data(), 128);
        std::memcpy(data() + index_scale_at(slot(sequence, at)), &scale, 4);
    }
    std::pair<std::vector<double>, double> key(long sequence, long at) {
        if (table[std::size_t(sequence * width + at / 64)] < 0) return {};
        return {doubles(normal<E4m3>(128, std::uint64_t(sequence * 1000 + at), 20), 0, 128), 0.5 + double(at % 7)};
    }
    PagedIndexerKeys keys(int next_n) {
        return {.pages = data(),
                .table = table.data(),
                .contexts = contexts.data(),
                .page_count = long(pages),
                .table_width = width,
                .next_n = next_n};
    }
    std::vector<std::int32_t> contexts;
    long width;
    std::size_t pages;
    std::vector<std::int32_t> table;
    std::vector<Sixteen> bytes;
};

template <int heads, int next_n>
void expect_decode(Paged& paged, long columns) {
    using Plan = IndexerDecodePlan<heads, next_n>;
    const Queries queries(long(paged.contexts.size()) * next_n, heads);
    for (const ThreadOrder order : kThreadOrders) {
        Outputs out(queries.rows, columns);
        run<Plan>(task_of(queries, out, columns, false), paged.keys(next_n), order);
        for (long row = 0; row < queries.rows; ++row) {
            const long context = paged.contexts[std::size_t(row / next_n)];
            const long end = std::clamp(context - (next_n - 1 - row % next_n), 0L, columns);
            expect_row(
                queries, row, out, columns, 0, end, [&](long at) { return paged.key(row / next_n, at); }, false);
        }
    }
}

TEST(Indexer, decoding_matches_the_reference_in_every_thread_order) {
    Paged paged({0, 1, 64, 190, 65}, 3);
    expect_decode<64, 1>(paged, 192);
    expect_decode<64, 2>(paged, 192);
    expect_decode<32, 2>(paged, 192);
    expect_decode<32, 1>(paged, 100);  // rows shorter than a context
}

TEST(Indexer, a_page_that_is_not_there_has_logits_of_minus_infinity) {
    Paged paged({100, 64}, 2);
    paged.table[0] = -1;
    expect_decode<64, 1>(paged, 128);
}

// Blocks of 8, their newest pinned where it is not full, and the counts: just what coarse selection's own pass gives.
template <class Plan, class Keys>
void expect_maxima(const Queries& queries, const Keys& keys, const std::vector<std::int32_t>& ends, long columns,
                   bool with_logits) {
    for (const ThreadOrder order : kThreadOrders) {
        Outputs out(queries.rows, columns), alone(queries.rows, columns);
        IndexerTask task = task_of(queries, out, columns, true);
        if (!with_logits) task.logits = nullptr;
        run<Plan>(task, keys, order);
        run<Plan>(task_of(queries, alone, columns, false), keys, order);
        if (with_logits) {
            EXPECT_EQ(out.logits, alone.logits) << "the variant has the same logits, bit for bit";
        }
        for (long row = 0; row < queries.rows; ++row) {
            const long end = std::clamp<long>(ends[std::size_t(row)], 0, columns);
            const auto should = reference::block_maxima(doubles(alone.logits, row * alone.stride, columns), end, 8);
            ASSERT_EQ(out.counts[std::size_t(row)], std::int32_t(should.size())) << row;
            for (std::size_t block = 0; block < should.size(); ++block)
                ASSERT_EQ(out.maxima[std::size_t(row * out.maxima_stride) + block], float(should[block]))
                    << row << " " << block;
        }
    }
}

TEST(Indexer, maxima_of_token_groups_are_those_of_its_logits) {
    const std::vector<std::int32_t> ends{139, 0, 1, 136, 71};
    const Dense dense(139);
    expect_maxima<IndexerPrefillPlan<64>>(Queries(5, 64), dense.keys({}, ends), ends, 139, true);
    expect_maxima<IndexerPrefillPlan<32>>(Queries(5, 32), dense.keys({}, ends), ends, 139, false);
    Paged paged({0, 70}, 2);
    expect_maxima<IndexerDecodePlan<64, 2>>(Queries(4, 64), paged.keys(2), {-1, 0, 69, 70}, 128, true);
}

TEST(Indexer, maxima_ignore_nan_and_no_infinity_outranks_the_pinned_block) {
    Dense dense(24);
    dense.scales[3] = NAN, dense.scales[9] = kInfinite;
    Queries queries(1, 64);
    for (float& weight : queries.weights) weight = std::abs(weight);
    const std::vector<std::int32_t> ends{20};
    Outputs out(1, 24);
    run<IndexerPrefillPlan<64>>(task_of(queries, out, 24, true), dense.keys({}, ends), ThreadOrder::forward);
    float most = -kInfinite;
    for (const long at : {0, 1, 2, 4, 5, 6, 7}) most = std::max(most, out.at(0, at));
    EXPECT_TRUE(std::isnan(out.at(0, 3)));
    EXPECT_EQ(out.maxima[0], most);
    EXPECT_EQ(out.at(0, 9), kInfinite);
    EXPECT_EQ(out.maxima[1], FLT_MAX);
    EXPECT_EQ(out.maxima[2], kInfinite);
}

// Law of facts B7: where as many blocks as positions are wanted are kept, no position of the exact top-k is lost.
TEST(Indexer, candidates_from_its_maxima_hold_the_exact_top_k) {
    const long columns = 400;
    const int k = 6;
    const Dense dense(columns);
    const std::vector<std::int32_t> ends{400, 397, 64};
    Outputs out(3, columns);
    run<IndexerPrefillPlan<64>>(task_of(Queries(3, 64), out, columns, true), dense.keys({}, ends),
                                ThreadOrder::forward);
    std::vector<std::int32_t> blocks(3 * k, -7);
    TopKTask<float> selection;
    selection.logits = out.maxima.data(), selection.end = out.counts.data(), selection.indices = blocks.data();
    selection.rows = 3, selection.columns = columns / 8, selection.stride = out.maxima_stride, selection.k = k;
    require_valid(selection);
    const TopKTask<float> with_plan = planned(selection);
    emulate(grid_of(with_plan), ThreadOrder::shuffled,
            [&](EmulatedThread& t) { top_k<TopKHold::little>(t, with_plan); });
    for (long row = 0; row < 3; ++row)
        for (const std::int32_t at :
             reference::top_k(doubles(out.logits, row * out.stride, columns), 0, ends[std::size_t(row)], k))
            EXPECT_NE(std::find(blocks.begin() + row * k, blocks.begin() + (row + 1) * k, at / 8),
                      blocks.begin() + (row + 1) * k)
                << row << " " << at;
}

// Two queries of a sequence read 100 keys together: 132 bytes each, and each query its 64 heads and weights.
TEST(Indexer, work_counts_a_key_once_for_those_that_share_it) {
    const Work work = IndexerLogits{.sequences = 3, .queries = 2, .keys = 100, .shared_reads = 2}.work();
    EXPECT_EQ(work.flops, Flops(2.0 * 6 * 100 * 64 * 128));
    EXPECT_EQ(work.read, Bytes(3 * 100 * 132.0 + 6 * 64 * 132.0));
    EXPECT_EQ(work.written, Bytes(6 * 100 * 4.0));
}

// 64 sequences fill 256 of 264 places by four blocks each, and 1024 blocks of queries 97 % of four rounds alone; a
// sequence of one tile has nothing to share.
TEST(Indexer, splits_rows_where_there_are_few_of_them) {
    const auto splits = [](long query_blocks, long columns) {
        IndexerTask task;
        task.columns = columns;
        return planned(task, query_blocks).splits;
    };
    EXPECT_EQ(splits(64, 65536), 4);
    EXPECT_EQ(splits(1024, 65536), 1);
    EXPECT_EQ(splits(1, 64), 1);
    EXPECT_EQ(splits(1, 131072), 251);
}

TEST(Indexer, refuses_what_it_does_not_take) {
    const Queries queries(2, 64);
    const Dense dense(64);
    Outputs out(2, 64);
    const IndexerTask good = task_of(queries, out, 64, true);
    const auto refuses = [&](auto change) {
        IndexerTask task = good;
        IndexerKeys keys = dense.keys({}, {});
        change(task, keys);
        EXPECT_THROW(require_valid(task, keys), std::invalid_argument);
    };
    EXPECT_NO_THROW(require_valid(good, dense.keys({}, {})));
    EXPECT_NO_THROW(require_valid(IndexerTask{}, IndexerKeys{}));
    const std::int32_t begin = 0;
    refuses([](IndexerTask& task, IndexerKeys&) { task.heads = 48; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.stride = 63; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.queries = nullptr; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.logits = task.maxima = nullptr; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.maxima_stride = 7; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.counts = nullptr; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.rows = -1; });
    refuses([](IndexerTask& task, IndexerKeys&) { task.splits = 65536; });
    refuses([](IndexerTask&, IndexerKeys& keys) { keys.keys = 65; });
    refuses([](IndexerTask&, IndexerKeys& keys) { keys.scales = nullptr; });
    refuses([](IndexerTask&, IndexerKeys& keys) { ++keys.scales; });
    refuses([&](IndexerTask&, IndexerKeys& keys) { keys.begin = &begin; });
    Paged paged({64}, 1);
    EXPECT_NO_THROW(require_valid(good, paged.keys(2)));
    EXPECT_THROW(require_valid(good, paged.keys(3)), std::invalid_argument);
    PagedIndexerKeys narrow = paged.keys(2);
    narrow.table_width = 0;
    EXPECT_THROW(require_valid(good, narrow), std::invalid_argument);
}

}  // namespace
}  // namespace strata
