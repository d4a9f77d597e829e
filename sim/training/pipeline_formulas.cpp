#include "sim/training/pipeline_formulas.hpp"

#include <stdexcept>

namespace strata {

Seconds published_bubble(PipelineKind kind, int stages, const StageTimes& times) {
    const Seconds backward = times.backward_input + times.backward_weights;
    switch (kind) {
        case PipelineKind::gpipe:
        case PipelineKind::one_f_one_b: return (times.forward + backward) * (stages - 1);
        case PipelineKind::zb1p: return (times.forward + backward - 2 * times.backward_weights) * (stages - 1);
        case PipelineKind::dualpipe:
        case PipelineKind::dualpipe_v:
            return (times.together() + backward - 3 * times.backward_weights) * (stages / 2.0 - 1);
    }
    throw std::logic_error("a pipeline without a bubble");
}

int published_activations(PipelineKind kind, int stages, int micro_batches) {
    switch (kind) {
        case PipelineKind::gpipe: return micro_batches;
        case PipelineKind::one_f_one_b:
        case PipelineKind::zb1p: return stages;
        case PipelineKind::dualpipe:
        case PipelineKind::dualpipe_v: return stages + 1;
    }
    throw std::logic_error("a pipeline without activations");
}

int published_parameters(PipelineKind kind) {
    return kind == PipelineKind::dualpipe || kind == PipelineKind::dualpipe_v ? 2 : 1;
}

}  // namespace strata
