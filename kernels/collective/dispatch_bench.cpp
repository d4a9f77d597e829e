// Laying out and packing what one rank sends to the others, and adding up what returns: one GPU's part of expert
// parallelism, cold, against the copy of this run.
#include <memory>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/collective/dispatch.hpp"
#include "kernels/collective/dispatch_launch.hpp"
#include "kernels/collective/dispatch_reference.hpp"
#include "kernels/collective/kernels.hpp"
#include "kernels/moe/combine_launch.hpp"
#include "kernels/moe/permute.hpp"
#include "kernels/moe/random_routes.hpp"
#include "kernels/quant/quantise_reference.hpp"

namespace strata {

namespace {

struct Layout {
    Layout(const Shape& shape, std::uint64_t seed)
        : on_host(random_routes(shape["tokens"], int(shape["top_k"]), int(shape["experts"]), seed, 50)),
          expected(reference::dispatch(on_host, int(shape["top_k"]), int(shape["experts"]), int(shape["ranks"]))),
          expert_of_pair(on_host),
          rank_of_pair(on_host.size()),
          pair_of_row(on_host.size()),
          rank_of_row(on_host.size()),
          row_of_pair(on_host.size()),
          expert_counts(std::size_t(shape["experts"])),
          rank_counts(std::size_t(shape["ranks"])),
          rank_offsets(std::size_t(shape["ranks"]) + 1) {
        task = {.expert_of_pair = expert_of_pair.data(),
                .rank_of_pair = rank_of_pair.data(),
                .expert_counts = expert_counts.data(),
                .rank_counts = rank_counts.data(),
                .rank_offsets = rank_offsets.data(),
                .pair_of_row = pair_of_row.data(),
                .rank_of_row = rank_of_row.data(),
                .row_of_pair = row_of_pair.data(),
                .tokens = shape["tokens"],
                .k = int(shape["top_k"]),
                .experts = int(shape["experts"]),
                .ranks = int(shape["ranks"])};
    }
    long rows() const { return long(expected.token_of_row.size()); }
    void poison() {
        for (Buffer<std::int32_t>* each : {&expert_counts, &rank_offsets, &pair_of_row, &row_of_pair}) each->poison();
    }
    std::vector<std::int32_t> on_host;
    reference::Dispatch expected;
    Buffer<std::int32_t> expert_of_pair, rank_of_pair, pair_of_row, rank_of_row, row_of_pair, expert_counts,
        rank_counts, rank_offsets;
    DispatchLayoutTask task;
};

Verdict verify(const Layout& layout) {
    std::vector<std::int32_t> tokens;
    for (const std::int32_t pair : layout.pair_of_row.read(0, std::size_t(layout.rows())))
        tokens.push_back(pair / layout.task.k);
    return all_of({same_bits(layout.expert_counts.read(), layout.expected.expert_counts),
                   same_bits(layout.rank_offsets.read(), layout.expected.rank_offsets),
                   same_bits(layout.row_of_pair.read(), layout.expected.row_of_pair),
                   same_bits(tokens, layout.expected.token_of_row)});
}

struct PackOperands {
    PackOperands(const Shape& shape, bool fp8, std::uint64_t seed)
        : layout(shape, seed),
          in(random_normal<Bf16>(std::size_t(shape["tokens"] * shape["hidden"]), seed + 1)),
          weights_in(random_uniform(layout.on_host.size(), seed + 2)),
          rows(fp8 ? 1 : std::size_t(layout.rows() * shape["hidden"])),
          codes(fp8 ? std::size_t(layout.rows() * shape["hidden"]) : 1),
          scales(fp8 ? codes.size() / 128 : 1),
          local_experts(std::size_t(layout.rows() * shape["top_k"])),
          weights(local_experts.size()) {
        layout.row_of_pair.write(layout.expected.row_of_pair);  // as if cached
        task = {.in = in.data(),
                .expert_of_pair = layout.expert_of_pair.data(),
                .weight_of_pair = weights_in.data(),
                .row_of_pair = layout.row_of_pair.data(),
                .out_bf16 = fp8 ? nullptr : rows.data(),
                .out_fp8 = fp8 ? codes.data() : nullptr,
                .scales = fp8 ? scales.data() : nullptr,
                .local_experts = local_experts.data(),
                .weights = weights.data(),
                .tokens = shape["tokens"],
                .rows = layout.rows(),
                .hidden = shape["hidden"],
                .k = int(shape["top_k"]),
                .experts = int(shape["experts"]),
                .ranks = int(shape["ranks"])};
    }
    void poison() { rows.poison(), codes.poison(), scales.poison(), local_experts.poison(), weights.poison(); }
    Layout layout;
    Buffer<Bf16> in;
    Buffer<float> weights_in;
    Buffer<Bf16> rows;
    Buffer<E4m3> codes;
    Buffer<float> scales;
    Buffer<std::int32_t> local_experts;
    Buffer<float> weights;
    PackTask task;
};

// The experts and weights that a row must name.
void expect_experts(const PackOperands& operands, long row, std::vector<std::int32_t>& experts,
                    std::vector<float>& weights) {
    const PackTask& task = operands.task;
    const reference::Dispatch& expected = operands.layout.expected;
    const int a_rank = task.experts / task.ranks;
    int rank = 0;
    while (expected.rank_offsets[std::size_t(rank) + 1] <= row) ++rank;
    const long first = long(expected.token_of_row[std::size_t(row)]) * task.k;
    const std::vector<float> of_token = operands.weights_in.read(std::size_t(first), std::size_t(task.k));
    for (int i = 0; i < task.k; ++i) {
        const std::int32_t expert = operands.layout.on_host[std::size_t(first + i)];
        const bool there = expert >= 0 && expert / a_rank == rank;
        experts.push_back(there ? expert - rank * a_rank : -1);
        weights.push_back(there ? of_token[std::size_t(i)] : 0);
    }
}

// As for quantisation: codes may differ by one step where x * (1 / scale) lies beside a tie.
Verdict verify(const PackOperands& operands) {
    const PackTask& task = operands.task;
    std::vector<double> is, should, scales, scales_should;
    std::vector<std::int32_t> experts, experts_should;
    std::vector<float> weights, weights_should;
    for (const std::int64_t row : rows_to_compare(task.rows, 64, 1)) {
        const std::size_t at = std::size_t(row * task.hidden), width = std::size_t(task.hidden);
        std::vector<double> in;
        for (const Bf16 x : operands.in.read(
                 std::size_t(operands.layout.expected.token_of_row[std::size_t(row)] * task.hidden), width))
            in.push_back(to_float(x));
        if (task.out_fp8) {
            const auto expected = reference::quantise(in, 1, task.hidden, 1, task.power_of_two);
            for (const E4m3 x : operands.codes.read(at, width)) is.push_back(to_float(x));
            for (const float x : operands.scales.read(at / 128, width / 128)) scales.push_back(x);
            should.insert(should.end(), expected.codes.begin(), expected.codes.end());
            scales_should.insert(scales_should.end(), expected.scales.begin(), expected.scales.end());
        } else {
            for (const Bf16 x : operands.rows.read(at, width)) is.push_back(to_float(x));
            should.insert(should.end(), in.begin(), in.end());
        }
        const std::size_t pair = std::size_t(row * task.k), k = std::size_t(task.k);
        for (const std::int32_t expert : operands.local_experts.read(pair, k)) experts.push_back(expert);
        for (const float weight : operands.weights.read(pair, k)) weights.push_back(weight);
        expect_experts(operands, row, experts_should, weights_should);
    }
    const Verdict rows = task.out_fp8 ? close_to(is, should, 0x1p-9, 1.0 / 8) : same_bits(is, should);
    return all_of({same_bits(experts, experts_should), same_bits(weights, weights_should),
                   close_to(scales, scales_should, 0, 1e-6), alike(is, should, 1e-5), rows});
}

double bytes_of(bool fp8) { return bytes_per_element(fp8 ? Precision::fp8_tile : Precision::bf16); }

Prepared prepare_pack(const Shape& shape, bool fp8, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<PackOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, fp8, seed + std::uint64_t(set));
    return {.work = DispatchPack{.tokens = double(shape["tokens"]),
                                 .hidden = double(shape["hidden"]),
                                 .copies = double(operands->front().layout.rows()),
                                 .bytes_per_element = bytes_of(fp8)}
                        .work(),
            .launch = [operands](int set, cudaStream_t stream) { pack_tokens((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Work layout_work(const Shape& shape) {
    return DispatchLayout{.pairs = double(shape["tokens"] * shape["top_k"])}.work();
}

Prepared prepare_layout(const Shape& shape, int sets, std::uint64_t seed) {
    auto layouts = std::make_shared<std::vector<Layout>>();
    for (int set = 0; set < sets; ++set) layouts->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = layout_work(shape),
            .launch = [layouts](int set, cudaStream_t stream) { lay_out_dispatch((*layouts)[set].task, stream); },
            .poison = [layouts] { layouts->front().poison(); },
            .verify = [layouts] { return verify(layouts->front()); }};
}

// What returns: one row a token and rank, already weighted, added up by the combine of kernels/moe.
struct UnpackOperands {
    UnpackOperands(const Shape& shape, std::uint64_t seed)
        : layout(shape, seed),
          rows(random_normal<Bf16>(std::size_t(layout.rows() * shape["hidden"]), seed + 1)),
          out(std::size_t(shape["tokens"] * shape["hidden"])) {
        layout.row_of_pair.write(layout.expected.row_of_pair);
        task = {.rows = rows.data(),
                .slot_of_pair = layout.row_of_pair.data(),
                .out = out.data(),
                .tokens = shape["tokens"],
                .slots = layout.rows(),
                .hidden = shape["hidden"],
                .k = int(shape["top_k"])};
    }
    Layout layout;
    Buffer<Bf16> rows, out;
    CombineTask task;
};

Verdict verify(const UnpackOperands& operands) {
    const CombineTask& task = operands.task;
    const std::size_t width = std::size_t(task.hidden);
    std::vector<double> is, should;
    for (const std::int64_t token : rows_to_compare(task.tokens, 32, 1)) {
        std::vector<double> sum(width);
        for (long pair = token * task.k; pair < (token + 1) * task.k; ++pair) {
            const std::int32_t row = operands.layout.expected.row_of_pair[std::size_t(pair)];
            if (row < 0) continue;
            const std::vector<Bf16> values = operands.rows.read(std::size_t(row) * width, width);
            for (std::size_t x = 0; x < width; ++x) sum[x] += to_float(values[x]);
        }
        should.insert(should.end(), sum.begin(), sum.end());
        for (const Bf16 x : operands.out.read(std::size_t(token) * width, width)) is.push_back(to_float(x));
    }
    return close_to(is, should, 1e-5, 1.0 / 256);
}

Prepared prepare_unpack(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<UnpackOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = CombineRows{.tokens = double(shape["tokens"]),
                                .pairs = double(operands->front().layout.rows()),
                                .hidden = double(shape["hidden"])}
                        .work(),
            .launch = [operands](int set, cudaStream_t stream) { combine((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().out.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Shape shape_of(std::int64_t tokens, std::int64_t hidden, std::int64_t experts, std::int64_t k, std::int64_t ranks) {
    return {{"tokens", tokens}, {"hidden", hidden}, {"experts", experts}, {"top_k", k}, {"ranks", ranks}};
}

const std::vector<ProductionShape> kShapes{
    {shape_of(4096, 7168, 256, 8, 8), "v3 v3.2"},     {shape_of(4096, 7168, 256, 8, 64), "v3 v3.2"},
    {shape_of(4096, 7168, 384, 6, 64), "v4-pro"},     {shape_of(4096, 4096, 256, 6, 16), "v4-flash"},
    {shape_of(4096, 5120, 384, 6, 16), "v4.1-flash"}, {shape_of(128, 7168, 256, 8, 64), "v3 v3.2"}};
const std::vector<Shape> kCheckShapes{shape_of(0, 128, 8, 2, 4), shape_of(1, 128, 1, 1, 1),
                                      shape_of(67, 384, 32, 9, 4)};

// At most k rows a token, and the tokens.
Bytes set_bytes(const Shape& shape, bool fp8) {
    return Bytes(double(shape["tokens"] * shape["hidden"]) * (2 + double(shape["top_k"]) * bytes_of(fp8)));
}

Kernel pack_kernel(const std::string& name, bool fp8) {
    return {.name = name,
            .what = fp8 ? "tokens to the send buffer in E4M3 with scales, once a rank, under a cached layout"
                        : "tokens to the send buffer in BF16, once a rank, under a cached layout",
            .source = "kernels/collective/dispatch.cu",
            .goal = {.share = 0.88, .text = "facts A15: 3.8 TB/s of 4.3"},
            .shapes = kShapes,
            .check_shapes = kCheckShapes,
            .prepare = [fp8](const Shape& shape, int sets,
                             std::uint64_t seed) { return prepare_pack(shape, fp8, sets, seed); },
            .set_bytes = [fp8](const Shape& shape) { return set_bytes(shape, fp8); }};
}

Kernel layout_kernel() {
    return {.name = "collective/dispatch-layout",
            .what = "counts of ranks and experts, and the row of each token in the send buffer",
            .source = "kernels/collective/dispatch.cu",
            .ceiling = Ceiling::none,
            .goal = {.time = Seconds(12e-6), .text = "align and one more launch"},
            .shapes = kShapes,
            .check_shapes = kCheckShapes,
            .prepare = prepare_layout,
            .set_bytes = [](const Shape& shape) { return layout_work(shape).bytes(); }};
}

Kernel unpack_kernel() {
    return {.name = "collective/unpack-bf16",
            .what = "sum of the rows that return for a token, FP32 in the order of its pairs",
            .source = "kernels/moe/combine.cu",
            .goal = {.share = 0.88, .text = "facts A15: 3.8 TB/s of 4.3"},
            .shapes = kShapes,
            .check_shapes = kCheckShapes,
            .prepare = prepare_unpack,
            .set_bytes = [](const Shape& shape) { return set_bytes(shape, false); }};
}

}  // namespace

std::vector<Kernel> dispatch_kernels() {
    return {layout_kernel(), pack_kernel("collective/pack-fp8", true), pack_kernel("collective/pack-bf16", false),
            unpack_kernel()};
}

}  // namespace strata
