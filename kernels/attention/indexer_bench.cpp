// The lightning indexer at the contexts of the models: many queries against one array of keys, and the newest tokens of
// many sequences against pages.
#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "kernels/attention/indexer.hpp"
#include "kernels/attention/indexer_kernels.hpp"
#include "kernels/attention/indexer_launch.hpp"
#include "kernels/attention/indexer_reference.hpp"
#include "kernels/attention/top_k_reference.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"

namespace strata {

namespace {

// What queries have and give, whatever their keys are.
struct QueryOperands {
    QueryOperands(std::int64_t rows, std::int64_t columns, std::int64_t heads, bool wants_maxima, std::uint64_t seed)
        : queries(random_normal<E4m3>(std::size_t(rows * heads * kIndexChannels), seed, 20)),
          weights(random_normal<float>(std::size_t(rows * heads), seed + 1, 0.01f)),
          logits(std::size_t(rows * columns)),
          maxima(wants_maxima ? std::size_t(rows * maxima_stride(columns)) : 0),
          counts(wants_maxima ? std::size_t(rows) : 0) {
        task = {.queries = queries.data(),
                .weights = weights.data(),
                .logits = logits.data(),
                .rows = rows,
                .columns = columns,
                .stride = columns,
                .heads = int(heads),
                .maxima = wants_maxima ? maxima.data() : nullptr,
                .counts = wants_maxima ? counts.data() : nullptr,
                .maxima_stride = maxima_stride(columns)};
    }
    static std::int64_t maxima_stride(std::int64_t columns) { return (columns + 31) / 32 * 4; }
    void poison() { logits.poison(), maxima.poison(), counts.poison(); }

    Buffer<E4m3> queries;
    Buffer<float> weights, logits, maxima;
    Buffer<std::int32_t> counts;
    IndexerTask task;
};

struct PrefillOperands : QueryOperands {
    PrefillOperands(const Shape& shape, bool wants_maxima, std::uint64_t seed)
        : QueryOperands(shape["queries"], shape["keys"], shape["heads"], wants_maxima, seed),
          codes(random_normal<E4m3>(std::size_t(task.columns * kIndexChannels), seed + 2, 20)),
          scales(random_uniform(std::size_t(task.columns), seed + 3, 0.001f, 0.01f)),
          end(ends(shape)) {
        keys = {.codes = codes.data(), .scales = scales.data(), .end = end.data(), .keys = task.columns};
    }
    // The newest queries of a context that grew by `ratio` tokens a key (1: no compression).
    static std::vector<std::int32_t> ends(const Shape& shape) {
        std::vector<std::int32_t> all;
        for (std::int64_t query = 0; query < shape["queries"]; ++query) {
            const std::int64_t token = shape["keys"] * shape["ratio"] - shape["queries"] + query;
            all.push_back(std::int32_t(std::max<std::int64_t>(token + 1, 0) / shape["ratio"]));
        }
        return all;
    }
    std::vector<double> key(std::int64_t, std::int64_t at) const { return row_of(codes, at, kIndexChannels); }
    double scale(std::int64_t, std::int64_t at) const { return scales.read(std::size_t(at), 1)[0]; }
    std::int64_t end_of(std::int64_t row) const { return end.read(std::size_t(row), 1)[0]; }
    Buffer<E4m3> codes;
    Buffer<float> scales;
    Buffer<std::int32_t> end;
    IndexerKeys keys;
};

struct DecodeOperands : QueryOperands {
    DecodeOperands(const Shape& shape, bool wants_maxima, std::uint64_t seed)
        : QueryOperands(shape["sequences"] * shape["next_n"], shape["context"], shape["heads"], wants_maxima, seed),
          width((task.columns + kPageEntries - 1) / kPageEntries),
          page_count(shape["sequences"] * width),
          next_n(shape["next_n"]),
          pages(std::size_t(page_count * kIndexPageBytes)),
          table(shuffled_pages(seed)),
          contexts(context_lengths(shape)) {
        fill_pages(seed + 2);
        keys = {.pages = pages.data(),
                .table = table.data(),
                .contexts = contexts.data(),
                .page_count = page_count,
                .table_width = width,
                .next_n = int(next_n)};
    }
    std::vector<std::int32_t> shuffled_pages(std::uint64_t seed) const {
        std::vector<std::int32_t> order(std::size_t(page_count), 0);
        std::iota(order.begin(), order.end(), 0);
        std::ranges::shuffle(order, std::mt19937_64(seed));
        return order;
    }
    // All of one length, or ragged with an empty one.
    static std::vector<std::int32_t> context_lengths(const Shape& shape) {
        std::vector<std::int32_t> all;
        for (std::int64_t i = 0; i < shape["sequences"]; ++i)
            all.push_back(std::int32_t(shape["ragged"] ? shape["context"] * i / shape["sequences"] : shape["context"]));
        return all;
    }
    // Normal codes everywhere; scales are then drawn page by page, behind the codes.
    void fill_pages(std::uint64_t seed) {
        fill_normal(reinterpret_cast<E4m3*>(pages.data()), pages.size(), seed, 20, 0);
        for (std::int64_t page = 0; page < page_count; ++page)
            fill_uniform(reinterpret_cast<float*>(pages.data() + page * kIndexPageBytes + kIndexerTileBytes),
                         kPageEntries, seed + 1 + std::uint64_t(page), 0.001f, 0.01f);
    }
    std::int64_t slot(std::int64_t row, std::int64_t at) const {
        return table.read(std::size_t(row / next_n * width + at / kPageEntries), 1)[0] * std::int64_t(kPageEntries) +
               at % kPageEntries;
    }
    std::vector<double> key(std::int64_t row, std::int64_t at) const {
        std::vector<double> all;
        for (const std::uint8_t code : pages.read(std::size_t(index_key_at(slot(row, at))), kIndexChannels))
            all.push_back(to_float(E4m3{code}));
        return all;
    }
    double scale(std::int64_t row, std::int64_t at) const {
        float value;
        std::memcpy(&value, pages.read(std::size_t(index_scale_at(slot(row, at))), 4).data(), 4);
        return value;
    }
    std::int64_t end_of(std::int64_t row) const {
        const std::int64_t context = contexts.read(std::size_t(row / next_n), 1)[0];
        return std::max<std::int64_t>(context - (next_n - 1 - row % next_n), 0);
    }
    std::int64_t width, page_count, next_n;
    Buffer<std::uint8_t> pages;
    Buffer<std::int32_t> table, contexts;
    PagedIndexerKeys keys;
};

// Some positions of a row, the first and the last among them; all of a short one.
template <class Operands>
void compare_logits(const Operands& operands, std::int64_t row, std::vector<double>& is, std::vector<double>& should) {
    const IndexerTask& task = operands.task;
    const auto q = row_of(operands.queries, row, task.heads * kIndexChannels);
    const auto w = row_of(operands.weights, row, task.heads);
    for (const std::int64_t at : rows_to_compare(operands.end_of(row), 512, std::uint64_t(row))) {
        is.push_back(operands.logits.read(std::size_t(row * task.stride + at), 1)[0]);
        should.push_back(reference::indexer_logit(q, w, operands.key(row, at), operands.scale(row, at)));
    }
}

// Maxima against those of the kernel's own logits, which are held against the reference beside.
template <class Operands>
Verdict same_maxima(const Operands& operands, std::int64_t row) {
    const IndexerTask& task = operands.task;
    const std::int64_t end = operands.end_of(row);
    std::vector<double> should = reference::block_maxima(
        in_double(operands.logits.read(std::size_t(row * task.stride), std::size_t(end))), end, 8);
    auto is = in_double(operands.maxima.read(std::size_t(row * task.maxima_stride), should.size()));
    is.push_back(operands.counts.read(std::size_t(row), 1)[0]), should.push_back(double(should.size()));
    return same_bits(is, should);
}

// 5e-6 of calc_diff against the quantised operands (facts B4).
template <class Operands>
Verdict verify(const Operands& operands) {
    std::vector<double> is, should;
    std::vector<Verdict> verdicts;
    for (const std::int64_t row : rows_to_compare(operands.task.rows, 16, 1)) {
        compare_logits(operands, row, is, should);
        if (operands.task.maxima) verdicts.push_back(same_maxima(operands, row));
    }
    verdicts.push_back(alike(is, should, 5e-6));
    return all_of(verdicts);
}

Work with_maxima(Work work, double rows, double keys) {
    work.written = work.written + Bytes(rows * keys / 8 * 4);
    return work;
}

// A key is read from HBM once for all queries: they are in the L2 beside each other.
Work prefill_work(const Shape& shape) {
    double pairs = 0;
    for (const std::int32_t end : PrefillOperands::ends(shape)) pairs += end;
    const auto queries = double(shape["queries"]);
    return IndexerLogits{.sequences = 1,
                         .queries = queries,
                         .keys = queries > 0 ? pairs / queries : 0,
                         .heads = double(shape["heads"]),
                         .shared_reads = std::max(queries, 1.0)}
        .work();
}

Work decode_work(const Shape& shape) {
    double positions = 0;
    for (const std::int32_t context : DecodeOperands::context_lengths(shape)) positions += context;
    const auto sequences = double(shape["sequences"]);
    return IndexerLogits{.sequences = sequences,
                         .queries = double(shape["next_n"]),
                         .keys = sequences > 0 ? positions / sequences : 0,
                         .heads = double(shape["heads"]),
                         .shared_reads = double(shape["next_n"])}
        .work();
}

template <class Operands>
Prepared prepare(const Shape& shape, const Work& work, bool wants_maxima, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, wants_maxima, seed + 100 * std::uint64_t(set));
    const auto launch_with = [operands](int set, bool maxima, cudaStream_t stream) {
        IndexerTask task = (*operands)[std::size_t(set)].task;
        if (!maxima) task.maxima = nullptr;
        indexer_logits(task, (*operands)[std::size_t(set)].keys, stream);
    };
    Prepared prepared{.work = work,
                      .launch = [=](int set, cudaStream_t stream) { launch_with(set, wants_maxima, stream); },
                      .poison = [operands] { operands->front().poison(); },
                      .verify = [operands] { return verify(operands->front()); }};
    if (wants_maxima)
        prepared.baselines = {{"logits alone", [=](int set, cudaStream_t stream) { launch_with(set, false, stream); }}};
    return prepared;
}

Shape prefill_shape(std::int64_t queries, std::int64_t keys, std::int64_t heads, std::int64_t ratio) {
    return {{"queries", queries}, {"keys", keys}, {"heads", heads}, {"ratio", ratio}};
}

Kernel prefill_kernel(const std::string& name, const std::string& what, bool wants_maxima,
                      const std::vector<ProductionShape>& shapes) {
    const auto work_of = [wants_maxima](const Shape& shape) {
        const Work work = prefill_work(shape);
        return wants_maxima ? with_maxima(work, double(shape["queries"]), double(shape["keys"])) : work;
    };
    return {.name = name,
            .what = what,
            .source = "kernels/attention/indexer_logits.cu",
            .ceiling = Ceiling::fp8,
            .goal = {.share = 0.53, .text = "facts A4: 800 TFLOP/s of some 1,500 that cuBLASLt reaches in FP8"},
            .shapes = shapes,
            .check_shapes = {prefill_shape(0, 64, 64, 1), prefill_shape(1, 1, 64, 1), prefill_shape(7, 133, 64, 1),
                             prefill_shape(17, 66, 32, 4), prefill_shape(6, 500, 64, 1)},
            .prepare =
                [=](const Shape& shape, int sets, std::uint64_t seed) {
                    return prepare<PrefillOperands>(shape, work_of(shape), wants_maxima, sets, seed);
                },
            .set_bytes = [=](const Shape& shape) { return work_of(shape).bytes(); }};
}

Shape decode_shape(std::int64_t sequences, std::int64_t context, std::int64_t heads, std::int64_t next_n,
                   std::int64_t ragged = 0) {
    return {{"sequences", sequences}, {"context", context}, {"heads", heads}, {"next_n", next_n}, {"ragged", ragged}};
}

Kernel decode_kernel() {
    return {.name = "attention/indexer-decode",
            .what = "logits of each sequence's newest tokens for its paged index keys",
            .source = "kernels/attention/indexer_logits.cu",
            .goal = {.share = 0.88, .text = "facts A4: 3.8 TB/s of 4.3, cold"},
            .shapes = {{decode_shape(64, 65536, 64, 1), "v3.2"},
                       {decode_shape(64, 65536, 64, 2), "v3.2"},
                       {decode_shape(1, 131072, 64, 1), "v3.2"},
                       {decode_shape(64, 65536, 64, 2), "v4-flash v4-pro"},  // of 256 K tokens, four to a key
                       {decode_shape(64, 131072, 32, 1), "v4.1-flash"}},
            .check_shapes = {decode_shape(0, 64, 64, 1), decode_shape(1, 1, 64, 2), decode_shape(5, 200, 64, 1, 1),
                             decode_shape(3, 129, 32, 2, 1), decode_shape(2, 320, 32, 1)},
            .prepare =
                [](const Shape& shape, int sets, std::uint64_t seed) {
                    return prepare<DecodeOperands>(shape, decode_work(shape), false, sets, seed);
                },
            .set_bytes = [](const Shape& shape) { return decode_work(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> indexer_kernels() {
    return {prefill_kernel("attention/indexer-prefill", "logits of many queries for one array of index keys", false,
                           {{prefill_shape(4096, 65536, 64, 1), "v3.2"},
                            {prefill_shape(2048, 4096, 64, 1), "v3.2"},
                            {prefill_shape(4096, 16384, 64, 4), "v4-flash v4-pro"},
                            {prefill_shape(4096, 32768, 32, 2), "v4.1-flash"}}),
            prefill_kernel("attention/indexer-prefill-maxima",
                           "the same, with the largest logit of each 8 positions for coarse selection", true,
                           {{prefill_shape(4096, 65536, 32, 1), "v4.1-flash"}}),
            decode_kernel()};
}

}  // namespace strata
