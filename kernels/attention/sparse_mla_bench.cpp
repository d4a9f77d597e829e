// Attention to selected entries, at what the models select: V3.2 2048 of all, V4 a window of 128 and 512 or 1024
// compressed entries. Each sequence (in prefill: all queries together) has a context of its own.
#include "kernels/attention/latent_attention.hpp"
#include "kernels/attention/latent_kernels.hpp"
#include "kernels/attention/latent_operands.hpp"
#include "kernels/attention/sparse_mla_launch.hpp"

namespace strata {

namespace {

constexpr std::int64_t kWindow = 128;  // V4

struct Form {
    LatentFormat format;
    bool prefill;
    bool window;  // with a first scope of 128 entries of another cache, and sinks
};

// Lists of one scope: entries of the query's own sequence, drawn; if ragged, some name nothing and lists have lengths.
struct Lists {
    Lists(std::int64_t sequences, std::int64_t queries, std::int64_t context, std::int64_t k, bool ragged,
          std::uint64_t seed) {
        std::mt19937_64 random(seed);
        const std::int64_t tokens = sequences * queries;
        for (std::int64_t i = 0; i < tokens * k; ++i) {
            const std::int64_t sequence = i / k / queries;
            indices.push_back(std::int32_t(sequence * context + std::int64_t(random() % std::uint64_t(context))));
            if (ragged && random() % 8 == 0) indices.back() = random() % 2 ? -1 : 0x7FFFFFFF;
        }
        for (std::int64_t token = 0; token < tokens; ++token)
            lengths.push_back(std::int32_t(ragged && token > 0 ? std::int64_t(random() % std::uint64_t(k + 1)) : k));
    }
    std::vector<std::int32_t> indices, lengths;
};

// Entries of one scope, for all sequences, and the lists that select from them.
struct ScopeOperands {
    ScopeOperands(LatentFormat format, std::int64_t sequences, std::int64_t queries, std::int64_t context,
                  std::int64_t k, bool ragged, std::uint64_t seed)
        : cache(format, ceil_div(sequences * context, kLatentPage), kLatentPage, seed),
          lists(sequences, queries, context, k, ragged, seed + 1),
          indices(lists.indices),
          lengths(lists.lengths),
          scope{.cache = cache.cache(), .indices = indices.data(), .lengths = lengths.data(), .k = int(k)} {}

    // In a full page every entry is within the cache; what is drawn never lies beyond.
    void append(std::vector<std::vector<double>>& keys, std::int64_t token) {
        for (std::int32_t i = 0; i < lists.lengths[std::size_t(token)]; ++i) {
            const std::int32_t index = lists.indices[std::size_t(token * scope.k + i)];
            if (index >= 0 && index < scope.cache.entries())
                keys.push_back(cache.entry(index / kLatentPage, index % kLatentPage));
        }
    }
    DeviceCache cache;
    Lists lists;
    Buffer<std::int32_t> indices, lengths;
    LatentScope scope;
};

std::int64_t sequences_of(const Shape& shape, const Form& form) { return form.prefill ? 1 : shape["sequences"]; }
std::int64_t queries_of(const Shape& shape, const Form& form) { return shape[form.prefill ? "tokens" : "queries"]; }

struct Operands {
    Operands(const Shape& shape, const Form& form, std::uint64_t seed)
        : results(form.format, sequences_of(shape, form) * queries_of(shape, form), int(shape["heads"]), seed),
          sinks(random_uniform(std::size_t(shape["heads"]), seed + 1, -2, 6)) {
        const auto add = [&](std::int64_t context, std::int64_t k) {
            scopes.push_back(std::make_unique<ScopeOperands>(form.format, sequences_of(shape, form),
                                                             queries_of(shape, form), context, k, shape["ragged"] != 0,
                                                             seed + 2 + 2 * scopes.size()));
        };
        if (form.window) add(kWindow, kWindow);
        add(shape["context"], shape["k"]);
        task.format = form.format, task.queries = results.queries;
        for (std::size_t i = 0; i < scopes.size(); ++i) task.scopes[i] = scopes[i]->scope;
        if (form.window) task.sinks = sinks.data();
        if (form.prefill) task.max_logits_of_row = results.max_logits.data();
        task = results.completed(task);
    }
    LatentResults results;
    Buffer<float> sinks;
    std::vector<std::unique_ptr<ScopeOperands>> scopes;
    SparseMlaTask task;
};

Verdict verify(const Operands& operands, const Form& form) {
    const std::vector<float> sinks = operands.sinks.read();
    return verify_latent(operands.results, form.prefill,
                         form.prefill ? LatentTolerances{kSparsePrefillOut, kSparsePrefillLse}
                                      : LatentTolerances{kSparseDecodeOut, kDecodeLse},
                         [&](const std::vector<double>& q, std::int64_t row) {
                             const std::int64_t heads = operands.task.queries.heads;
                             std::vector<std::vector<double>> keys;
                             for (const auto& scope : operands.scopes) scope->append(keys, row / heads);
                             return reference::attended(q, keys, operands.task.queries.scale,
                                                        form.window ? sinks[std::size_t(row % heads)] : -HUGE_VAL);
                         });
}

Work work_of(const Shape& shape, const Form& form) {
    return LatentAttention{.sequences = double(sequences_of(shape, form)),
                           .queries = double(queries_of(shape, form)),
                           .heads = double(shape["heads"]),
                           .attended = double(shape["k"] + (form.window ? kWindow : 0)),
                           .entry_bytes = entry_bytes(form.format),
                           .score_dim = double(layout_of(form.format).dim),
                           .value_dim = kLatentValueDim}
        .work();
}

Bytes set_bytes(const Shape& shape, const Form& form) {
    const double entries = double(sequences_of(shape, form) * (shape["context"] + (form.window ? kWindow : 0)));
    const double rows = double(sequences_of(shape, form) * queries_of(shape, form) * shape["heads"]);
    return Bytes(entries * entry_bytes(form.format) + rows * (layout_of(form.format).dim + kLatentValueDim) * 2);
}

Prepared prepare(const Shape& shape, const Form& form, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, form, seed + std::uint64_t(set) * 8);
    return {
        .work = work_of(shape, form),
        .launch = [operands](int set, cudaStream_t stream) { sparse_mla((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().results.poison(); },
        .verify = [operands, form] { return verify(operands->front(), form); }};
}

Shape prefill_shape(std::int64_t tokens, std::int64_t heads, std::int64_t context, std::int64_t k,
                    bool ragged = false) {
    return {{"tokens", tokens}, {"heads", heads}, {"context", context}, {"k", k}, {"ragged", ragged}};
}

Shape decode_shape(std::int64_t sequences, std::int64_t queries, std::int64_t heads, std::int64_t context,
                   std::int64_t k, bool ragged = false) {
    return {{"sequences", sequences}, {"queries", queries}, {"heads", heads}, {"context", context}, {"k", k},
            {"ragged", ragged}};
}

Kernel gathering(const std::string& name, const std::string& what, const Form& form, Seconds goal,
                 const std::string& goal_text, const std::vector<ProductionShape>& shapes,
                 const std::vector<Shape>& check_shapes) {
    return {
        .name = name,
        .what = what +
                "; products by wgmma, rows gathered (and expanded) by a warpgroup of its own; plain: each tile of 64 "
                "heads gathers by itself, scores and softmax by one of two warpgroups",
        .source = "kernels/attention/sparse_mla.cu",
        .ceiling = Ceiling::none,
        .goal = {.time = goal, .text = goal_text},
        .shapes = shapes,
        .check_shapes = check_shapes,
        .prepare = [form](const Shape& shape, int sets,
                          std::uint64_t seed) { return prepare(shape, form, sets, seed); },
        .set_bytes = [form](const Shape& shape) { return set_bytes(shape, form); }};
}

// The time of the first shape at `rate` FLOP/s.
Seconds at_rate(const Shape& shape, const Form& form, double rate) {
    return Seconds(work_of(shape, form).flops.si() / rate);
}

Kernel prefill_v32() {
    const Form form{LatentFormat::bf16_576, true, false};
    const Shape first = prefill_shape(4096, 128, 32768, 2048);
    return gathering("attention/sparse-mla-prefill", "2048 selected entries a query, BF16", form,
                     at_rate(first, form, 400e12), "facts A6: 400 TFLOP/s",
                     {{first, "v3.2"}, {prefill_shape(4096, 64, 32768, 2048), "v3.2"}},
                     {prefill_shape(0, 128, 64, 64), prefill_shape(2, 128, 300, 130, true),
                      prefill_shape(3, 9, 200, 64, true), prefill_shape(300, 64, 5000, 2048, true)});
}

Kernel prefill_v4() {
    const Form form{LatentFormat::bf16_512, true, true};
    const Shape first = prefill_shape(4096, 64, 16384, 512);
    return gathering("attention/sparse-mla-prefill-v4", "a window and selected compressed entries, sinks, BF16", form,
                     at_rate(first, form, 400e12), "facts A6: 400 TFLOP/s",
                     {{first, "v4-flash v4.1-flash"}, {prefill_shape(4096, 128, 16384, 1024), "v4-pro"}},
                     {prefill_shape(2, 64, 300, 70, true), prefill_shape(1, 3, 100, 30)});
}

Kernel decode_v32() {
    const Form form{LatentFormat::v32_fp8, false, false};
    const Shape first = decode_shape(128, 2, 128, 32768, 2048);
    return gathering("attention/sparse-mla-decode-v32-fp8", "2048 selected entries a query, FP8 of V3.2", form,
                     at_rate(first, form, 280e12), "facts A6: 280 TFLOP/s",
                     {{first, "v3.2"},
                      {decode_shape(128, 1, 128, 32768, 2048), "v3.2"},
                      {decode_shape(1, 1, 128, 131072, 2048), "v3.2"}},
                     {decode_shape(0, 1, 64, 64, 64), decode_shape(2, 2, 16, 200, 130, true),
                      decode_shape(1, 1, 128, 300, 200), decode_shape(40, 2, 128, 4000, 2048, true)});
}

Kernel decode_v4() {
    const Form form{LatentFormat::v4_fp8, false, true};
    const Shape first = decode_shape(128, 1, 64, 8192, 512);
    return gathering("attention/sparse-mla-decode-v4-fp8", "a window and selected compressed entries, sinks, FP8 of V4",
                     form, at_rate(first, form, 280e12), "facts A6: 280 TFLOP/s",
                     {{first, "v4-flash v4.1-flash"},
                      {decode_shape(128, 1, 128, 8192, 1024), "v4-pro"},
                      {decode_shape(1, 1, 64, 262144, 512), "v4-flash"}},
                     {decode_shape(2, 2, 64, 200, 70, true), decode_shape(1, 1, 9, 100, 64)});
}

}  // namespace

std::vector<Kernel> sparse_mla_kernels() { return {prefill_v32(), prefill_v4(), decode_v32(), decode_v4()}; }

}  // namespace strata
