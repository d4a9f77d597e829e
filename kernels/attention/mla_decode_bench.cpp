// Dense decoding at the head counts of the models: few heads a GPU (tensor parallel) wait for the HBM, all of them on
// one (data parallel) keep the tensor cores busy.
#include "kernels/attention/latent_attention.hpp"
#include "kernels/attention/latent_kernels.hpp"
#include "kernels/attention/latent_operands.hpp"
#include "kernels/attention/mla_decode_launch.hpp"

namespace strata {

namespace {

// Pages of all sequences in random order; beyond a sequence's length the table holds what is no page.
struct Operands {
    Operands(const Shape& shape, LatentFormat format, std::uint64_t seed)
        : cache(format, shape["sequences"] * pages_each(shape), kLatentPage, seed),
          results(format, shape["sequences"] * shape["queries"], int(shape["heads"]), seed + 1),
          lengths(lengths_of(shape, seed + 2)),
          table(table_of(shape, seed + 3)),
          device_lengths(lengths),
          device_table(table) {
        task = results.completed(MlaDecodeTask{.format = format,
                                               .queries = results.queries,
                                               .cache = cache.cache(),
                                               .block_table = device_table.data(),
                                               .table_width = pages_each(shape),
                                               .lengths = device_lengths.data(),
                                               .sequences = shape["sequences"],
                                               .queries_each = int(shape["queries"])});
    }
    static long pages_each(const Shape& shape) { return ceil_div(shape["context"], kLatentPage); }
    // All as long as the context, or of any length and none.
    static std::vector<std::int32_t> lengths_of(const Shape& shape, std::uint64_t seed) {
        std::mt19937_64 random(seed);
        const auto context = std::int32_t(shape["context"]);
        std::vector<std::int32_t> lengths(static_cast<std::size_t>(shape["sequences"]), context);
        if (shape["ragged"])
            for (std::size_t s = 1; s < lengths.size(); ++s)
                lengths[s] = s == 1 ? 0 : std::int32_t(random() % std::uint64_t(context + 1));
        return lengths;
    }
    std::vector<std::int32_t> table_of(const Shape& shape, std::uint64_t seed) const {
        std::vector<std::int32_t> pages(static_cast<std::size_t>(shape["sequences"] * pages_each(shape)));
        for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = std::int32_t(i);
        std::shuffle(pages.begin(), pages.end(), std::mt19937_64(seed));
        for (std::size_t i = 0; i < pages.size(); ++i) {
            const std::size_t sequence = i / std::size_t(pages_each(shape)), page = i % std::size_t(pages_each(shape));
            if (long(page) * kLatentPage >= lengths[sequence]) pages[i] = 2147480000;
        }
        return pages;
    }

    DeviceCache cache;
    LatentResults results;
    std::vector<std::int32_t> lengths, table;
    Buffer<std::int32_t> device_lengths, device_table;
    MlaDecodeTask task;
};

Verdict verify(Operands& operands) {
    const MlaDecodeTask& task = operands.task;
    const bool fp8 = layout_of(task.format).codes > 0;
    return verify_latent(
        operands.results, false, {fp8 ? kSparseDecodeOut : kDecodeOut, kDecodeLse},
        [&](const std::vector<double>& q, std::int64_t row) {
            const std::int64_t token = row / task.queries.heads, sequence = token / task.queries_each;
            const long sees =
                operands.lengths[std::size_t(sequence)] - (task.queries_each - 1 - token % task.queries_each);
            std::vector<std::vector<double>> keys;
            for (long slot = 0; slot < sees; ++slot)
                keys.push_back(operands.cache.entry(
                    operands.table[std::size_t(sequence * task.table_width + slot / kLatentPage)], slot % kLatentPage));
            return reference::attended(q, keys, task.queries.scale);
        });
}

// The queries of a sequence read its keys together.
Work work_of(const Shape& shape, LatentFormat format) {
    return LatentAttention{.sequences = double(shape["sequences"]),
                           .queries = double(shape["queries"]),
                           .heads = double(shape["heads"]),
                           .attended = double(shape["context"]),
                           .entry_bytes = entry_bytes(format),
                           .score_dim = double(layout_of(format).dim),
                           .value_dim = kLatentValueDim,
                           .shared_reads = double(shape["queries"])}
        .work();
}

void undivided(MlaDecodeTask task, cudaStream_t stream) {
    task.queries.splits = 1;
    mla_decode(task, stream);
}

Prepared prepare(const Shape& shape, LatentFormat format, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, format, seed + std::uint64_t(set) * 4);
    Prepared prepared{
        .work = work_of(shape, format),
        .launch = [operands](int set, cudaStream_t stream) { mla_decode((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().results.poison(); },
        .verify = [operands] { return verify(operands->front()); }};
    if (operands->front().task.queries.splits > 1)
        prepared.baselines = {{"keys not divided over blocks", [operands](int set, cudaStream_t stream) {
                                   undivided((*operands)[std::size_t(set)].task, stream);
                               }}};
    return prepared;
}

Shape shape_of(std::int64_t sequences, std::int64_t queries, std::int64_t heads, std::int64_t context,
               bool ragged = false) {
    return {{"sequences", sequences}, {"queries", queries}, {"heads", heads}, {"context", context}, {"ragged", ragged}};
}

Kernel decoding(const std::string& name, const std::string& of, LatentFormat format,
                const std::vector<ProductionShape>& shapes, const std::vector<Shape>& check_shapes) {
    return {
        .name = name,
        .what = "MLA decode over " + of +
                "; products by wgmma, a warpgroup that scores and adds, one that adds, one that loads; plain: scores "
                "and softmax by one of them, not overlapped with its own products",
        .source = "kernels/attention/mla_decode.cu",
        .shapes = shapes,
        .check_shapes = check_shapes,
        .prepare = [format](const Shape& shape, int sets,
                            std::uint64_t seed) { return prepare(shape, format, sets, seed); },
        .set_bytes = [format](const Shape& shape) { return work_of(shape, format).bytes(); }};
}

Kernel few_heads() {
    Kernel kernel = decoding("attention/mla-decode-bf16", "a paged BF16 cache, 16 heads a GPU", LatentFormat::bf16_576,
                             {{shape_of(64, 1, 16, 32768), "v3 v3.2"},
                              {shape_of(128, 1, 16, 8192), "v3 v3.2"},
                              {shape_of(64, 2, 16, 32768), "v3 v3.2"},
                              {shape_of(1, 1, 16, 131072), "v3 v3.2"}},
                             {shape_of(0, 1, 16, 64), shape_of(3, 1, 16, 200, true), shape_of(2, 2, 63, 130, true),
                              shape_of(1, 1, 3, 700), shape_of(12, 2, 128, 1000, true)});
    kernel.goal = {.share = 0.93, .text = "facts A2: 4.0 TB/s of 4.3 where h <= 16"};
    return kernel;
}

// 2176 * 64 * 128 * 32768 flops at 500 TFLOP/s.
Kernel all_heads() {
    Kernel kernel =
        decoding("attention/mla-decode-bf16-128-heads", "a paged BF16 cache, all 128 heads", LatentFormat::bf16_576,
                 {{shape_of(64, 1, 128, 32768), "v3 v3.2"},
                  {shape_of(64, 2, 128, 8192), "v3 v3.2"},
                  {shape_of(2, 1, 128, 131072), "v3 v3.2"}},
                 {shape_of(2, 1, 128, 100, true), shape_of(16, 1, 126, 900, true)});
    kernel.ceiling = Ceiling::none;
    kernel.goal = {.time = Seconds(1168e-6), .text = "facts A2: 500 TFLOP/s of 2176 flops a key and head"};
    return kernel;
}

Kernel v32_fp8() {
    return decoding("attention/mla-decode-v32-fp8", "the FP8 cache of V3.2 (656 B), expanded on the way",
                    LatentFormat::v32_fp8,
                    {{shape_of(64, 1, 16, 32768), "v3.2"}, {shape_of(128, 1, 128, 8192), "v3.2"}},
                    {shape_of(3, 1, 16, 200, true), shape_of(1, 2, 128, 150)});
}

// V4's heavily compressed attention sees every 128th of its context.
Kernel v4_bf16() {
    return decoding("attention/mla-decode-v4-bf16", "V4's entries of 512 in BF16", LatentFormat::bf16_512,
                    {{shape_of(128, 1, 64, 8192), "v4-flash v4.1-flash"}, {shape_of(128, 1, 128, 8192), "v4-pro"}},
                    {shape_of(3, 1, 9, 200, true)});
}

Kernel v4_fp8() {
    return decoding("attention/mla-decode-v4-fp8", "V4's FP8 cache (584 B), expanded on the way", LatentFormat::v4_fp8,
                    {{shape_of(128, 1, 64, 8192), "v4-flash v4.1-flash"}, {shape_of(128, 1, 128, 8192), "v4-pro"}},
                    {shape_of(3, 1, 64, 200, true), shape_of(1, 2, 9, 300)});
}

}  // namespace

std::vector<Kernel> mla_decode_kernels() { return {few_heads(), all_heads(), v32_fp8(), v4_bf16(), v4_fp8()}; }

}  // namespace strata
