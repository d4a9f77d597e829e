#include "sim/training/training_memory.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/model/element_bytes.hpp"
#include "sim/training/stage_costs.hpp"

namespace strata {

namespace {

// Of one op. Products keep their input unless the op before made and keeps it, attention its output; `selective`
// spares what norms, up-projections and SwiGLU made.
double kept(const Op& op, bool spares) {
    const double all = spares ? 0 : 1;
    if (const auto* product = std::get_if<Gemm>(&op.shape)) {
        const double element = bytes_per_element(product->activations);
        const double in = product->m * product->k, out = product->m * product->n;
        if (op.name == "qkv_down") return all * in * element + out * kBf16;
        if (op.name == "q_up" || op.name == "kv_up" || op.name == "absorb_k") return all * out * kBf16;
        if (op.name == "router") return all * in * kBf16;
        if (op.name == "shared_gate_up" || op.name == "dense_gate_up") return out * element;
        if (op.name == "shared_down" || op.name == "dense_down") return all * in * element;
        if (op.name == "output" || op.name == "lm_head" || op.name == "mtp_projection") return in * element;
        if (op.name == "engram_keys_value") return in * element + all * out * kBf16;
        return 0;
    }
    if (const auto* product = std::get_if<GroupedGemm>(&op.shape)) {
        const double element = bytes_per_element(product->activations);
        if (op.name == "experts_gate_up") return product->rows * (product->k + product->n) * element;
        return all * product->rows * product->k * element;
    }
    if (const auto* attention = std::get_if<ContextAttention>(&op.shape))
        return attention->sequences * attention->length * attention->heads * attention->value_dim * kBf16;
    if (const auto* attention = std::get_if<LatentAttention>(&op.shape))
        return attention->sequences * attention->queries * attention->heads * attention->value_dim * kBf16;
    return 0;
}

// One residual stream at each of the two sites. mHC recomputes its streams from what sites put out, and keeps all n of
// them every sqrt(n L / (n + 2)) layers (arXiv 2512.24880, section 4.3.2).
double residual(const Model& model, double tokens, Recompute recompute, double layers) {
    const double stream = tokens * model.hidden * kBf16;
    if (recompute == Recompute::full) return stream * model.streams;
    if (model.streams == 1 || recompute == Recompute::none) return 2 * stream * model.streams;
    const double every = std::max(1.0, std::sqrt(model.streams * layers / (model.streams + 2)));
    return 2 * stream + stream * model.streams / every;
}

}  // namespace

Bytes kept_activations(const Model& trained, const std::vector<Op>& forward, Recompute recompute, double layers) {
    double bytes = 0, tokens = 0;
    int last_layer = -1;
    for (const Op& op : forward) {
        if (op.name == "qkv_down" && op.layer != last_layer) {
            last_layer = op.layer;
            tokens = std::get<Gemm>(op.shape).m;
            bytes += residual(trained, tokens, recompute, layers);
        }
        if (recompute != Recompute::full || op.slot == Slot::head) bytes += kept(op, recompute != Recompute::none);
    }
    return Bytes(bytes);
}

TrainingMemory training_memory(const Scenario& scenario, const std::vector<StageMemory>& stages, double micro_batches) {
    const TrainingWorkload& training = *scenario.training;
    const Placement& placement = scenario.placement;
    const Model trained = as_trained(scenario.model);
    const double tokens = micro_batch_of(scenario).tokens();
    TrainingMemory memory;
    double tables = 0;
    bool head = false;
    for (const StageMemory& stage : stages) {
        const ParameterSums sums = sums_of(stage.parameters);
        const auto shard = [&](double parameters, bool routed, int from) {
            return training.zero >= from ? parameters / replicas(placement, routed) : parameters;
        };
        const auto shared_out = [&](int from) {
            return shard(sums.routed, true, from) + shard(sums.other, false, from);
        };
        memory.weights += Bytes(shard(sums.routed_stored.si(), true, 3) + shard(sums.other_stored.si(), false, 3));
        memory.gradients += Bytes(kFp32 * shared_out(3));
        memory.optimiser += Bytes((kFp32 + 2 * kBf16) * shared_out(1));
        memory.activations += stage.activations * micro_batches;
        tables += stage.tables;
        head = head || stage.head;
    }
    memory.engram = engram_state(scenario, tables);
    if (head) memory.buffers += Bytes(tokens * trained.vocab / placement.tp * (kBf16 + kFp32));
    const bool exchanges = placement.ep > 1;
    if (exchanges) memory.buffers += Bytes(2 * tokens / placement.tp * trained.ffn.top_k * trained.hidden * kBf16);
    return memory;
}

Bytes engram_state(const Scenario& scenario, double tables) {
    const Model& model = scenario.model;
    if (!model.engram || tables <= 0) return {};
    const double rows = model.engram->rows_per_layer() * tables / (scenario.placement.tp * scenario.placement.dp);
    return Bytes(rows * (model.engram->row_bytes() + model.engram->row_dim * (kFp32 + 2 * kBf16)));
}

void check_fits(const Scenario& scenario, const TrainingMemory& memory) {
    const Bytes has = scenario.platform.accelerator.memory_capacity.get();
    if (memory.all() <= has) return;
    throw InputError(
        "placement",
        fmt::format("at most {:.1f} GB in HBM of one accelerator of {}", to_GB(has), scenario.platform.system.name),
        fmt::format("{:.1f} GB (weights {:.1f}, gradients {:.1f}, optimiser {:.1f}, activations {:.1f}, "
                    "Engram {:.1f}, buffers {:.1f}). More stages, more recomputation or ZeRO make it less",
                    to_GB(memory.all()), to_GB(memory.weights), to_GB(memory.gradients), to_GB(memory.optimiser),
                    to_GB(memory.activations), to_GB(memory.engram), to_GB(memory.buffers)));
}

}  // namespace strata
