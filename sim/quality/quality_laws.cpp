#include "sim/quality/quality_laws.hpp"

namespace strata {

ResidualDials residual_dials_of(const Model& model) {
    const bool mixed = model.streams > 1;
    ResidualDials dials = dials_of(mixed ? ResidualKind::mhc : ResidualKind::plain);
    if (mixed) dials.streams = static_cast<int>(model.streams);
    dials.depth = 2 * model.layers;
    return dials;
}

QualityLaws::QualityLaws(const std::string& root) : precision_(root + "/sim/quality/precision_anchors.yaml") {}

const ResidualGain& QualityLaws::residual_of(const Model& model) {
    const ResidualDials dials = residual_dials_of(model);
    const std::pair key{dials.streams, dials.depth};
    auto known = gains_.find(key);
    if (known == gains_.end()) known = gains_.emplace(key, residual_gain(dials)).first;
    return known->second;
}

}  // namespace strata
