#include "sim/training/stage_parameters.hpp"

#include "sim/training/stage_costs.hpp"

namespace strata {

namespace {

Parameters parameters_of(const std::vector<Op>& ops, const Placement& placement, const Model& trained) {
    Parameters found;
    bool has_head = false;
    for (const Op& op : ops) {
        if (const auto* product = std::get_if<Gemm>(&op.shape)) {
            const bool head = op.name == "lm_head";
            if (head && has_head) continue;  // multi-token prediction shares it
            has_head = has_head || head;
            found.push_back({1, product->n, product->k, bytes_per_element(product->weights), false, head});
        }
        if (const auto* product = std::get_if<GroupedGemm>(&op.shape))
            found.push_back({trained.ffn.experts / placement.ep, product->n, product->k,
                             bytes_per_element(product->weights), true, false});
        if (const auto* mix = std::get_if<MhcPre>(&op.shape))  // phi, arXiv 2512.24880, equation 7
            found.push_back({1, mix->streams * mix->streams + 2 * mix->streams, mix->streams * mix->hidden, 4});
    }
    return found;
}

}  // namespace

ModelParameters model_parameters(const Scenario& scenario) {
    const Model trained = as_trained(scenario.model);
    std::vector<std::vector<Op>> of_layer(static_cast<std::size_t>(trained.layers));
    std::vector<Op> last;
    for (const Op& op : training_forward(trained, micro_batch_of(scenario)))
        (op.layer < trained.layers ? of_layer[static_cast<std::size_t>(op.layer)] : last).push_back(op);
    ModelParameters parameters;
    for (const std::vector<Op>& ops : of_layer)
        parameters.layers.push_back(parameters_of(ops, scenario.placement, trained));
    parameters.last = parameters_of(last, scenario.placement, trained);
    parameters.first = {{1, trained.vocab / scenario.placement.tp, trained.hidden, 2, false, true}};
    return parameters;
}

ParameterSums sums_of(const Parameters& parameters) {
    ParameterSums sums;
    for (const Matrices& matrices : parameters) {
        (matrices.routed ? sums.routed : sums.other) += matrices.parameters();
        (matrices.routed ? sums.routed_stored : sums.other_stored) +=
            Bytes(matrices.parameters() * matrices.stored_bytes);
    }
    return sums;
}

double replicas(const Placement& placement, bool routed) {
    return routed ? double(placement.tp) * placement.dp / placement.expert_shards() : double(placement.dp);
}

}  // namespace strata
