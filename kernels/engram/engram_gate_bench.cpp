// The Engram gate at the hidden sizes of v4.1-flash and of the paper's models, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/engram.hpp"
#include "kernels/engram/engram_gate_launch.hpp"
#include "kernels/engram/engram_gate_reference.hpp"

namespace strata {

namespace {

EngramGate op_of(const Shape& shape) {
    return {.tokens = double(shape["tokens"]), .hidden = double(shape["hidden"]), .streams = double(shape["streams"])};
}

struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : x(random_normal<Bf16>(std::size_t(shape["tokens"] * shape["streams"] * shape["hidden"]), seed)),
          kv(random_normal<Bf16>(std::size_t(shape["tokens"] * (shape["streams"] + 1) * shape["hidden"]), seed + 1, 2)),
          weight(random_normal<float>(std::size_t(shape["streams"] * shape["hidden"]), seed + 2, 0.3f, 1)),
          live(live_but_every_ninth(shape["tokens"])),
          out(x.size()),
          gate(std::size_t(shape["tokens"] * shape["streams"])) {
        task = {.x = x.data(),
                .kv = kv.data(),
                .weight = weight.data(),
                .live = live.data(),
                .out = out.data(),
                .gate = gate.data(),
                .tokens = shape["tokens"],
                .hidden = int(shape["hidden"]),
                .streams = int(shape["streams"])};
    }
    static std::vector<std::uint8_t> live_but_every_ninth(std::int64_t tokens) {
        std::vector<std::uint8_t> live(std::size_t(tokens), 1);
        for (std::size_t i = 4; i < live.size(); i += 9) live[i] = 0;
        return live;
    }
    Buffer<Bf16> x, kv;
    Buffer<float> weight;
    Buffer<std::uint8_t> live;
    Buffer<Bf16> out;
    Buffer<float> gate;
    EngramGateTask task;
};

// Outputs against the reference rounded to BF16: 1e-8 leaves room for one in a thousand to be rounded the other way.
Verdict verify(const Operands& operands) {
    const EngramGateTask& task = operands.task;
    const auto live = operands.live.read();
    const auto weights = operands.weight.read();
    const auto gates = operands.gate.read();
    std::vector<double> is, should, gates_is, gates_should;
    for (const std::int64_t token : rows_to_compare(task.tokens, 32, 1))
        for (std::int64_t stream = 0; stream < task.streams; ++stream) {
            const std::vector<double> weight(weights.begin() + stream * task.hidden,
                                             weights.begin() + (stream + 1) * task.hidden);
            const std::int64_t site = token * task.streams + stream, kv_row = token * (task.streams + 1);
            const auto expected = reference::engram_gate(
                row_of(operands.x, site, task.hidden), row_of(operands.kv, kv_row + stream, task.hidden),
                row_of(operands.kv, kv_row + task.streams, task.hidden), weight, live[std::size_t(token)], task.eps);
            const auto out = row_of(operands.out, site, task.hidden);
            is.insert(is.end(), out.begin(), out.end());
            for (const double x : expected.out) should.push_back(to_float(to_bf16(float(x))));
            gates_is.push_back(gates[std::size_t(site)]), gates_should.push_back(expected.gate);
        }
    return all_of(
        {close_to(gates_is, gates_should, 2e-5, 1e-4), close_to(is, should, 1e-5, 0x1p-7), alike(is, should, 1e-8)});
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 3 * std::uint64_t(set));
    return {
        .work = op_of(shape).work(),
        .launch = [operands](int set, cudaStream_t stream) { engram_gate((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().out.poison(), operands->front().gate.poison(); },
        .verify = [operands] { return verify(operands->front()); }};
}

}  // namespace

std::vector<Kernel> engram_gate_kernels() {
    return {{.name = "engram/gate",
             .what = "gate of four streams by the key that wkv gives each, value added",
             .source = "kernels/engram/engram_gate.cu",
             .goal = {.share = 0.93, .text = "facts A8: 4.0 TB/s of 4.3 on an H200"},
             .shapes = {{{{"tokens", 8192}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"},
                        {{{"tokens", 128}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"},
                        {{{"tokens", 1}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"},
                        {{{"tokens", 8192}, {"hidden", 2560}, {"streams", 4}}, "engram-27b"}},
             .check_shapes = {{{"tokens", 0}, {"hidden", 8}, {"streams", 4}},
                              {{"tokens", 1}, {"hidden", 8}, {"streams", 1}},
                              {{"tokens", 300}, {"hidden", 1048}, {"streams", 3}},
                              {{"tokens", 5}, {"hidden", 8192}, {"streams", 4}}},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) { return op_of(shape).work().bytes(); }}};
}

}  // namespace strata
