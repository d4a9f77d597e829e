#include "kernels/attention/sparse_mla_task.hpp"

#include <climits>

#include "latent_fixture.hpp"

namespace strata {
namespace {

struct ListsOf {
    long pages = 3;
    long page_entries = 64;
    int k = 100;
    std::vector<std::int32_t> lengths{};  // none: all of k
};

// A cache, and lists of random entries: some twice, some that name nothing. Entries on no list are NaN.
class Listed {
public:
    Listed(LatentFormat format, long tokens, const ListsOf& of, std::uint64_t seed)
        : k_(std::size_t(of.k)),
          stored_(format, of.pages, of.page_entries, seed),
          lengths_(of.lengths.empty() ? std::vector<std::int32_t>(std::size_t(tokens), of.k) : of.lengths) {
        std::mt19937_64 random(seed);
        const long entries = of.pages * of.page_entries;
        const std::int32_t nothing[] = {-1, INT_MIN, INT_MAX, std::int32_t(entries), -7};
        std::vector<bool> listed(std::size_t(entries), false);
        for (std::size_t i = 0; i < std::size_t(tokens) * k_; ++i) {
            const bool again = i % k_ > 0 && random() % 8 == 0;
            indices_.push_back(random() % 6 == 0 ? nothing[random() % 5]
                               : again           ? indices_.back()
                                                 : std::int32_t(random() % std::uint64_t(entries * 3 / 4)));
        }
        for (std::size_t token = 0; token < std::size_t(tokens); ++token)
            for (const std::int32_t index : list(token)) listed[std::size_t(index)] = true;
        for (long index = 0; index < entries; ++index)
            if (!listed[std::size_t(index)]) stored_.forget(index / of.page_entries, index % of.page_entries);
        scope = {.cache = stored_.cache(),
                 .indices = indices_.data(),
                 .lengths = of.lengths.empty() ? nullptr : lengths_.data(),
                 .k = of.k};
    }
    Listed(const Listed&) = delete;

    // The entries that a token's list names.
    std::vector<std::int32_t> list(std::size_t token) const {
        std::vector<std::int32_t> named;
        for (std::size_t i = 0; i < k_; ++i) {
            const std::int32_t index = indices_[token * k_ + i];
            if (std::int32_t(i) < lengths_[token] && index >= 0 &&
                index < stored_.cache().pages * stored_.cache().page_entries)
                named.push_back(index);
        }
        return named;
    }
    void append(std::vector<std::vector<double>>& keys, std::size_t token) const {
        for (const std::int32_t index : list(token)) keys.push_back(stored_.entry(index));
    }

    LatentScope scope;
    std::vector<std::int32_t>& indices() { return indices_; }

private:
    std::size_t k_;
    StoredCache stored_;
    std::vector<std::int32_t> lengths_, indices_;
};

struct Gathering {
    Gathering(LatentFormat format, long tokens, int heads, const ListsOf& first, const ListsOf& second = {.k = 0})
        : lists{{format, tokens, first, 21}, {format, tokens, second, 22}}, buffers(format, tokens, heads, 23) {
        task = {.format = format, .queries = buffers.queries, .scopes = {lists[0].scope, lists[1].scope}};
        if (second.k == 0) task.scopes[1] = {};
    }
    reference::Attended expected(std::size_t row) const {
        const std::size_t heads = std::size_t(task.queries.heads);
        std::vector<std::vector<double>> keys;
        for (const Listed& list : lists) list.append(keys, row / heads);
        return reference::attended(buffers.query(row), keys, task.queries.scale,
                                   task.sinks ? task.sinks[row % heads] : -HUGE_VAL);
    }
    void expect_right(ThreadOrder order = ThreadOrder::forward) {
        attend(task, buffers, order);
        const bool exact = layout_of(task.format).codes == 0;
        expect_attended(
            buffers, [&](std::size_t row) { return expected(row); }, exact ? kSparsePrefillOut : kSparseDecodeOut,
            exact ? kSparsePrefillLse : kDecodeLse, task.max_logits_of_row != nullptr);
    }
    Listed lists[2];
    LatentBuffers buffers;
    SparseMlaTask task;
};

TEST(SparseMla, matches_the_definition_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        Gathering gathering(LatentFormat::bf16_576, 2, 64, {.k = 130});
        gathering.task.max_logits_of_row = gathering.buffers.max_logits.data();
        gathering.expect_right(order);
    }
}

TEST(SparseMla, attends_to_lists_of_any_length) {
    Gathering gathering(LatentFormat::bf16_576, 7, 16, {.k = 150, .lengths = {-3, 0, 1, 64, 65, 150, 1000}});
    gathering.task.max_logits_of_row = gathering.buffers.max_logits.data();
    gathering.expect_right();
    EXPECT_EQ(gathering.buffers.max_logits[0], -HUGE_VALF);
    EXPECT_EQ(gathering.buffers.lse[0], HUGE_VALF);
}

TEST(SparseMla, a_list_that_names_nothing_gives_zeros) {
    Gathering gathering(LatentFormat::v32_fp8, 2, 16, {.k = 70});
    for (std::size_t i = 0; i < 70; ++i) gathering.lists[0].indices()[i] = i % 2 ? -1 : INT_MAX;
    gathering.expect_right();
    EXPECT_EQ(gathering.buffers.lse[3], HUGE_VALF);
}

// Pages of sizes that no tile fits.
TEST(SparseMla, gathers_from_pages_of_any_size) {
    for (const LatentFormat format : {LatentFormat::v32_fp8, LatentFormat::v4_fp8, LatentFormat::bf16_512})
        for (const long entries : {2, 61, 69, 576}) {
            SCOPED_TRACE(int(format) * 1000 + entries);
            Gathering(format, 2, 9, {.pages = entries == 2 ? 40 : 3, .page_entries = entries}).expect_right();
        }
}

// V4: a window of its own cache, and compressed entries of another. Either may be empty.
TEST(SparseMla, attends_to_two_scopes_in_one_softmax) {
    for (const LatentFormat format : {LatentFormat::bf16_512, LatentFormat::v4_fp8}) {
        Gathering gathering(format, 5, 16, {.k = 70, .lengths = {70, 0, 64, 0, 1}},
                            {.pages = 5, .page_entries = 61, .k = 130, .lengths = {130, 129, 0, 0, 64}});
        gathering.task.max_logits_of_row = gathering.buffers.max_logits.data();
        gathering.expect_right(ThreadOrder::reversed);
    }
}

TEST(SparseMla, puts_splits_together_over_both_scopes) {
    Gathering gathering(LatentFormat::v4_fp8, 4, 16, {.k = 70, .lengths = {70, 0, 64, 0}},
                        {.k = 130, .lengths = {130, 129, 0, 0}});
    std::vector<float> sinks(16, 1.5f);
    gathering.task.sinks = sinks.data();
    gathering.task.queries.splits = 3;
    gathering.expect_right(ThreadOrder::shuffled);
}

TEST(SparseMla, sinks_take_weight_from_the_output_alone) {
    Gathering gathering(LatentFormat::bf16_512, 3, 6, {.k = 70, .lengths = {70, 3, 0}});
    const float sinks[] = {0, 2.5f, -3, 20, HUGE_VALF, -HUGE_VALF};
    gathering.task.sinks = sinks;
    gathering.expect_right();
    EXPECT_EQ(to_float(gathering.buffers.out[4 * kLatentValueDim + 5]), 0);  // +inf leaves nothing
    EXPECT_EQ(to_float(gathering.buffers.out[16 * kLatentValueDim + 5]), 0);
}

// More queries than the second dimension of a grid has.
TEST(SparseMla, has_blocks_for_seventy_thousand_queries) {
    const SparseMlaTask task = planned(SparseMlaTask{.queries = {.tokens = 70000, .heads = 128}});
    EXPECT_EQ(grid_of(task).blocks, 140000);
    EXPECT_EQ(grid_of(task).rows, 1);
    EXPECT_EQ(combine_grid_of(task).blocks, 70000 * 128);
}

TEST(SparseMla, refuses_what_it_does_not_take) {
    const Gathering right(LatentFormat::v4_fp8, 1, 4, {.k = 8}, {.k = 8});
    EXPECT_NO_THROW(require_valid(right.task));
    const auto refused = [&](const auto& change) {
        SparseMlaTask task = right.task;
        change(task);
        EXPECT_THROW(require_valid(task), std::invalid_argument);
    };
    refused([](SparseMlaTask& task) { task.scopes[0].k = -1; });
    refused([](SparseMlaTask& task) { task.scopes[1].indices = nullptr; });
    refused([](SparseMlaTask& task) { task.scopes[1].cache.page_bytes += 16; });  // not a multiple of 576
    refused([](SparseMlaTask& task) { task.scopes[0].cache.pages = 1L << 40; });
    refused([](SparseMlaTask& task) { task.queries.heads = 0; });
    refused([](SparseMlaTask& task) {
        static float largest;
        task.max_logits_of_row = &largest, task.queries.splits = 2;
    });
}

}  // namespace
}  // namespace strata
