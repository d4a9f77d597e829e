// A chunk of a prompt over what is cached of it, by cuDNN. The triangle of the chunk over itself is left out: before
// version 9.21 cuDNN's attention takes no mask through the interface that is used here (library_plan.hpp).
#include <cmath>
#include <memory>

#include "kernels/attention/full_attention.hpp"
#include "kernels/attention/full_attention_kernels.hpp"
#include "kernels/attention/full_attention_reference.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/library_plan.hpp"

namespace strata {

namespace {

// [batch][row][head][dim]
struct Operands {
    Operands(const AttentionShape& of, std::uint64_t seed)
        : shape(of),
          q(random_normal<Bf16>(std::size_t(of.batch * of.queries * of.heads * of.key_dim), seed)),
          k(random_normal<Bf16>(std::size_t(of.batch * of.keys * of.heads * of.key_dim), seed + 1)),
          v(random_normal<Bf16>(std::size_t(of.batch * of.keys * of.heads * of.value_dim), seed + 2)),
          out(std::size_t(of.batch * of.queries * of.heads * of.value_dim)) {}
    AttentionShape shape;
    Buffer<Bf16> q, k, v, out;
};

// The rows of one head, one by one: a large part of memory lies between them.
std::vector<double> of_head(const Buffer<Bf16>& all, long batch, long head, long rows, long heads, long dim) {
    std::vector<double> mine;
    for (long row = 0; row < rows; ++row) {
        const auto one = row_of(all, (batch * rows + row) * heads + head, dim);
        mine.insert(mine.end(), one.begin(), one.end());
    }
    return mine;
}

// The last head of the last of the batch, some queries of it. FlashMLA's tolerance of prefill (facts B6): probabilities
// and results are rounded to BF16.
Verdict verify(const Operands& operands) {
    const AttentionShape& shape = operands.shape;
    const long batch = shape.batch - 1, head = shape.heads - 1;
    const auto keys = of_head(operands.k, batch, head, shape.keys, shape.heads, shape.key_dim);
    const auto values = of_head(operands.v, batch, head, shape.keys, shape.heads, shape.value_dim);
    std::vector<double> is, should;
    for (const std::int64_t query : rows_to_compare(shape.queries, 12, 1)) {
        const long row = (batch * shape.queries + query) * shape.heads + head;
        const auto expected =
            reference::full_attention(row_of(operands.q, row, shape.key_dim), keys, values, double(shape.scale));
        const auto mine = row_of(operands.out, row, shape.value_dim);
        is.insert(is.end(), mine.begin(), mine.end());
        should.insert(should.end(), expected.begin(), expected.end());
    }
    return all_of({alike(is, should, 2e-5), close_to(is, should, 8e-4, 3.01 / 128)});
}

Work work_of(const Shape& shape) {
    return FullAttention{.batch = double(shape["batch"]),
                         .heads = double(shape["heads"]),
                         .queries = double(shape["queries"]),
                         .keys = double(shape["keys"]),
                         .key_dim = double(shape["key_dim"]),
                         .value_dim = double(shape["value_dim"])}
        .work();
}

}  // namespace

Shape full_attention_shape(long batch, long heads, long queries, long keys, long key_dim, long value_dim) {
    return {{"batch", batch}, {"heads", heads},     {"queries", queries},
            {"keys", keys},   {"key_dim", key_dim}, {"value_dim", value_dim}};
}

Bytes full_attention_bytes(const Shape& shape) { return work_of(shape).bytes(); }

Prepared prepare_full_attention(const Shape& shape, int sets, std::uint64_t seed) {
    const AttentionShape attention{.batch = shape["batch"],
                                   .heads = shape["heads"],
                                   .queries = shape["queries"],
                                   .keys = shape["keys"],
                                   .key_dim = shape["key_dim"],
                                   .value_dim = shape["value_dim"],
                                   .scale = float(1 / std::sqrt(double(shape["key_dim"])))};
    auto plan = std::make_shared<LibraryPlan>(attention);
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(attention, seed + 3 * std::uint64_t(set));
    return {.work = work_of(shape),
            .launch =
                [plan, operands](int set, cudaStream_t stream) {
                    const Operands& of = (*operands)[std::size_t(set)];
                    plan->launch({of.q.data(), of.k.data(), of.v.data(), of.out.data()}, stream);
                },
            .poison = [operands] { operands->front().out.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

std::vector<Kernel> prefill_kernels() {
    const auto mla = [](long heads, long queries, long keys) {
        return full_attention_shape(1, heads, queries, keys, 192, 128);
    };
    return {{.name = "attention/mla-prefill-past",
             .what = "a chunk of a prompt over its cached past, keys of 192 and values of 128, BF16, by cuDNN",
             .source = "kernels/attention/full_attention_bench.cpp",
             .ceiling = Ceiling::none,  // arithmetic bounds it
             .goal = {.text = "facts A3: 550 to 650 TFLOP/s expected of cuDNN on an H200"},
             .shapes = {{mla(128, 4096, 16384), "v3 v3.2"},
                        {mla(16, 4096, 16384), "v3 v3.2"},
                        {mla(128, 4096, 4096), "v3 v3.2"},
                        {mla(16, 4096, 131072), "v3 v3.2"}},
             .check_shapes = {mla(1, 1, 1), mla(3, 5, 7), mla(2, 130, 257), mla(1, 64, 1000)},
             .prepare = prepare_full_attention,
             .set_bytes = full_attention_bytes}};
}

}  // namespace strata
