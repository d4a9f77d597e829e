// The laws of quality that a step's result carries beside its cost, read once. What a law says of a model hangs on no
// machine: it is worked out once for each shape of residual streams.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sim/quality/precision_law.hpp"
#include "sim/quality/residual_gain.hpp"

namespace strata {

// Plain with one stream, mHC with more; two sublayers a layer, attention and feed-forward.
ResidualDials residual_dials_of(const Model& model);

class QualityLaws {
public:
    // `root` holds sim/quality.
    explicit QualityLaws(const std::string& root);

    const PrecisionLaw& precision() const { return precision_; }
    const ResidualGain& residual_of(const Model& model);

private:
    PrecisionLaw precision_;
    std::map<std::pair<int, int>, ResidualGain> gains_;  // by streams and depth
};

}  // namespace strata
