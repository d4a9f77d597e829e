// How much of a page's text can be read back from its vision tokens, against the text tokens that each of them stands
// for (arXiv 2510.18234, table 2). Fourteen precisions are published; the law is the nearest curve through them that
// never rises, exact wherever they do not contradict that. Beyond the last ratio nothing is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/cost/cost_book.hpp"
#include "sim/quality/optical_schedule.hpp"

namespace strata {

struct OpticalAnchor {
    std::string mode;  // in which the pages were read
    double ratio = 0;  // text tokens a vision token
    double precision = 0;
};

struct PrecisionEstimate {
    std::optional<double> precision{};  // nothing: more than the largest published ratio
    double low = 0, high = 1;           // what is possible if precision never rises with the ratio
    Origin origin = Origin::interpolated;
    std::string warning{};  // outside of the published ratios
};

class OpticalLaw {
public:
    explicit OpticalLaw(const std::string& anchors_file);

    // Below the smallest published ratio: the precision there, which is the least that it can be.
    PrecisionEstimate precision(double ratio) const;
    // Of all text on these pages, each of which holds `text_tokens_per_page`.
    PrecisionEstimate precision(const std::vector<PageGroup>& pages, double text_tokens_per_page) const;

    const std::vector<OpticalAnchor>& published() const { return published_; }  // by rising ratio
    double reach_from() const { return published_.front().ratio; }
    double reach_to() const { return published_.back().ratio; }
    const std::string& measured_on() const { return measured_on_; }
    const std::string& source() const { return source_; }
    // The law in a paragraph: what it is made of and how far it reaches.
    std::string describe() const;

private:
    double curve(double ratio) const;

    std::vector<OpticalAnchor> published_;
    std::vector<double> fitted_;  // never rising, at the published ratios
    std::vector<double> slopes_;  // of the curve there
    double plus_minus_ = 0;
    std::string measured_on_, source_;
};

}  // namespace strata
