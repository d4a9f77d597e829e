// What the laws of quality say of the model that was run, among the metrics of its step.
#pragma once

#include "sim/quality/quality_laws.hpp"
#include "sim/result/run.hpp"

namespace strata {

// quality.residual_gain and quality.precision_loss_percent with their bands (_low, _high); what is not known is absent.
void add_quality(Run& run, const Model& model, QualityLaws& laws);

}  // namespace strata
