// The moves into expert order and back, cold, against the copy of this run.
#include <memory>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/moe/align_body.hpp"
#include "kernels/moe/align_reference.hpp"
#include "kernels/moe/combine_launch.hpp"
#include "kernels/moe/kernels.hpp"
#include "kernels/moe/permute.hpp"
#include "kernels/moe/permute_launch.hpp"
#include "kernels/moe/permute_reference.hpp"
#include "kernels/moe/random_routes.hpp"

namespace strata {

namespace {

constexpr int kTile = 128;

struct Order {
    Order(const Shape& shape, std::uint64_t seed)
        : on_host(reference::align(random_routes(shape["tokens"], int(shape["top_k"]), int(shape["experts"]), seed), 0,
                                   int(shape["experts"]), kTile,
                                   slots_for(shape["tokens"] * shape["top_k"], int(shape["experts"]), kTile))),
          pair_of_slot(on_host.pair_of_slot),
          slot_of_pair(on_host.slot_of_pair),
          used(std::vector<std::int32_t>{on_host.offsets.back()}) {}
    long slots() const { return long(on_host.pair_of_slot.size()); }
    reference::Alignment on_host;
    Buffer<std::int32_t> pair_of_slot, slot_of_pair, used;
};

struct PermuteOperands {
    PermuteOperands(const Shape& shape, bool fp8, std::uint64_t seed)
        : order(shape, seed),
          in(std::size_t(shape["tokens"] * shape["hidden"] * (fp8 ? 1 : 2))),
          out(std::size_t(order.slots() * shape["hidden"] * (fp8 ? 1 : 2))),
          scales_in(random_uniform(fp8 ? std::size_t(shape["tokens"] * shape["hidden"] / 128) : 1, seed + 1)),
          scales_out(fp8 ? std::size_t(order.slots() * shape["hidden"] / 128) : 1) {
        fill_bytes(in.data(), in.bytes(), seed + 2);
        task = {.in = in.data(),
                .out = out.data(),
                .scales_in = scales_in.data(),
                .scales_out = scales_out.data(),
                .slot_of_pair = order.slot_of_pair.data(),
                .pair_of_slot = order.pair_of_slot.data(),
                .used = order.used.data(),
                .tokens = shape["tokens"],
                .slots = order.slots(),
                .row_bytes = shape["hidden"] * (fp8 ? 1 : 2),
                .scales = fp8 ? shape["hidden"] / 128 : 0,
                .k = int(shape["top_k"])};
    }
    Order order;
    Buffer<std::uint8_t> in, out;
    Buffer<float> scales_in, scales_out;
    PermuteTask task;
};

template <class T>
void append_row(std::vector<T>& to, const Buffer<T>& from, long row, long width) {
    const std::vector<T> values = from.read(std::size_t(row * width), std::size_t(width));
    to.insert(to.end(), values.begin(), values.end());
}

Verdict verify(const PermuteOperands& operands) {
    const PermuteTask& task = operands.task;
    std::vector<std::uint8_t> is, should;
    std::vector<float> scales, scales_should;
    for (const std::int64_t slot : rows_to_compare(operands.order.on_host.offsets.back(), 256, 1)) {
        const std::int32_t pair = operands.order.on_host.pair_of_slot[std::size_t(slot)];
        append_row(is, operands.out, slot, task.row_bytes);
        append_row(scales, operands.scales_out, slot, task.scales);
        if (pair < 0) {
            should.resize(is.size()), scales_should.resize(scales.size());
            continue;
        }
        append_row(should, operands.in, pair / task.k, task.row_bytes);
        append_row(scales_should, operands.scales_in, pair / task.k, task.scales);
    }
    return all_of({same_bits(is, should), same_bits(scales, scales_should)});
}

double row_bytes(const Shape& shape, bool fp8) {
    return double(shape["hidden"]) * bytes_per_element(fp8 ? Precision::fp8_tile : Precision::bf16);
}

Prepared prepare_permute(const Shape& shape, bool fp8, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<PermuteOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, fp8, seed + std::uint64_t(set));
    const double pairs = double(shape["tokens"] * shape["top_k"]);
    const auto writes_alone = [operands](int set, cudaStream_t stream) {
        const PermuteOperands& of = (*operands)[set];
        check_cuda(
            cudaMemsetAsync(of.task.out, 0, std::size_t(of.order.on_host.offsets.back() * of.task.row_bytes), stream),
            "memset");
    };
    return {.work = PermuteRows{.tokens = double(shape["tokens"]),
                                .pairs = pairs,
                                .padding = operands->front().order.on_host.offsets.back() - pairs,
                                .row_bytes = row_bytes(shape, fp8)}
                        .work(),
            .launch = [operands](int set, cudaStream_t stream) { permute((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().out.poison(), operands->front().scales_out.poison(); },
            .verify = [operands] { return verify(operands->front()); },
            .baselines = {{"memset of as many rows", writes_alone}}};
}

struct CombineOperands {
    CombineOperands(const Shape& shape, std::uint64_t seed)
        : order(shape, seed),
          rows(random_normal<Bf16>(std::size_t(order.slots() * shape["hidden"]), seed + 1)),
          weights(random_uniform(std::size_t(shape["tokens"] * shape["top_k"]), seed + 2)),
          addend(random_normal<Bf16>(std::size_t(shape["tokens"] * shape["hidden"]), seed + 3)),
          out(addend.size()) {
        task = {.rows = rows.data(),
                .slot_of_pair = order.slot_of_pair.data(),
                .weights = weights.data(),
                .addend = addend.data(),
                .out = out.data(),
                .tokens = shape["tokens"],
                .slots = order.slots(),
                .hidden = shape["hidden"],
                .k = int(shape["top_k"])};
    }
    Order order;
    Buffer<Bf16> rows;
    Buffer<float> weights;
    Buffer<Bf16> addend, out;
    CombineTask task;
};

// Half a step of BF16, and what eight FP32 additions may lose where they cancel.
Verdict verify(const CombineOperands& operands) {
    const CombineTask& task = operands.task;
    std::vector<double> is, should;
    for (const std::int64_t token : rows_to_compare(task.tokens, 32, 1)) {
        std::vector<Bf16> out, addend, rows;
        append_row(out, operands.out, token, task.hidden);
        append_row(addend, operands.addend, token, task.hidden);
        for (long pair = token * task.k; pair < (token + 1) * task.k; ++pair)
            append_row(rows, operands.rows, operands.order.on_host.slot_of_pair[std::size_t(pair)], task.hidden);
        const std::vector<float> weights = operands.weights.read(std::size_t(token * task.k), std::size_t(task.k));
        for (long x = 0; x < task.hidden; ++x) {
            std::vector<double> values;
            for (long pair = 0; pair < task.k; ++pair)
                values.push_back(to_float(rows[std::size_t(pair * task.hidden + x)]));
            is.push_back(to_float(out[std::size_t(x)]));
            should.push_back(
                reference::combined(values, {weights.begin(), weights.end()}, to_float(addend[std::size_t(x)])));
        }
    }
    return close_to(is, should, 1e-5, 1.0 / 256);
}

Work combine_work(const Shape& shape) {
    return CombineRows{.tokens = double(shape["tokens"]),
                       .pairs = double(shape["tokens"] * shape["top_k"]),
                       .hidden = double(shape["hidden"]),
                       .with_addend = true}
        .work();
}

Prepared prepare_combine(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<CombineOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = combine_work(shape),
            .launch = [operands](int set, cudaStream_t stream) { combine((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().out.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Shape shape_of(std::int64_t tokens, std::int64_t hidden, std::int64_t experts, std::int64_t k) {
    return {{"tokens", tokens}, {"hidden", hidden}, {"experts", experts}, {"top_k", k}};
}

const std::vector<ProductionShape> kShapes{{shape_of(4096, 7168, 256, 8), "v3 v3.2"},
                                           {shape_of(4096, 7168, 384, 6), "v4-pro"},
                                           {shape_of(4096, 4096, 256, 6), "v4-flash"},
                                           {shape_of(4096, 5120, 384, 6), "v4.1-flash"},
                                           {shape_of(128, 7168, 256, 8), "v3 v3.2"}};
const std::vector<Shape> kCheckShapes{shape_of(0, 128, 4, 2), shape_of(1, 128, 1, 1), shape_of(37, 1408, 16, 9)};
constexpr double kShare = 0.88;  // 3.8 TB/s of 4.3 on an H200
const std::string kGoal = "facts A9";

// Memory of a set: what moves, and every slot there might be.
Bytes set_bytes(const Shape& shape, bool fp8) {
    const long slots = slots_for(shape["tokens"] * shape["top_k"], int(shape["experts"]), kTile);
    return Bytes((double(slots) + 2 * double(shape["tokens"])) * row_bytes(shape, fp8));
}

Kernel permute_kernel(const std::string& name, bool fp8) {
    return {.name = name,
            .what = fp8 ? "rows of E4M3 and their scales into expert order, padding zeroed"
                        : "rows of BF16 into expert order, padding zeroed",
            .source = "kernels/moe/permute.cu",
            .goal = {.share = kShare, .text = kGoal},
            .shapes = kShapes,
            .check_shapes = kCheckShapes,
            .prepare = [fp8](const Shape& shape, int sets,
                             std::uint64_t seed) { return prepare_permute(shape, fp8, sets, seed); },
            .set_bytes = [fp8](const Shape& shape) { return set_bytes(shape, fp8); }};
}

Kernel combine_kernel() {
    return {.name = "moe/combine",
            .what = "weighted sum of a token's rows and the shared expert's, FP32 in the order of the pairs",
            .source = "kernels/moe/combine.cu",
            .goal = {.share = kShare, .text = kGoal},
            .shapes = kShapes,
            .check_shapes = kCheckShapes,
            .prepare = prepare_combine,
            .set_bytes = [](const Shape& shape) { return set_bytes(shape, false); }};
}

}  // namespace

std::vector<Kernel> permute_kernels() {
    return {permute_kernel("moe/permute-bf16", false), permute_kernel("moe/permute-fp8", true), combine_kernel()};
}

}  // namespace strata
