// Loss against rho, the share of the sparse parameters that are experts (arXiv 2601.07372, section 3.1). Three losses
// are published; between them stands our interpolation, with the band that the published facts leave open. Outside of
// the anchors nothing is known and nothing is said.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/cost/cost_book.hpp"
#include "sim/quality/allocation_points.hpp"

namespace strata {

struct LossAnchor {
    double rho = 0, loss = 0, plus_minus = 0;
};

struct LossEstimate {
    double loss = 0, low = 0, high = 0;
    Origin origin = Origin::interpolated;
};

class AllocationLaw {
public:
    explicit AllocationLaw(const std::string& anchors_file);
    // Of somebody's own points, of which the fit is the law; of their scatter around it the band.
    AllocationLaw(const AllocationFit& fit, const std::string& source);

    // Nothing outside of the anchors. On another model than the law was measured on, the estimate is transferred.
    std::optional<LossEstimate> loss(double rho, const std::string& model) const;

    const std::vector<LossAnchor>& anchors() const { return anchors_; }  // by rising rho
    double optimum_from() const { return optimum_from_; }                // published: the lowest loss lies in here
    double optimum_to() const { return optimum_to_; }
    const std::string& measured_on() const { return measured_on_; }
    const std::string& source() const { return source_; }
    bool is_published() const { return published_; }

private:
    double curve(double rho, std::size_t interval) const;
    double lowest_possible(double rho, std::size_t interval) const;

    std::vector<LossAnchor> anchors_;
    std::vector<double> slopes_;  // of the curve at each anchor
    double optimum_from_ = 0, optimum_to_ = 1;
    std::string measured_on_, source_;
    bool published_ = true;
};

}  // namespace strata
