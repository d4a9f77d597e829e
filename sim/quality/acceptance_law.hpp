// Tokens that a decode step gives where a few are drafted and then verified: those up to the first that the model would
// not have said, and one of its own (Leviathan et al. 2023, arXiv 2211.17192). And what acceptance was published.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/cost/cost_book.hpp"

namespace strata {

// Each draft accepted with probability p if those before it were: (1 - p^(k+1)) / (1 - p). Throws InputError unless
// 0 <= p <= 1.
double tokens_per_step(double acceptance, int drafts);
// `of_position[i]`: how often draft i is accepted when those before it were.
double tokens_per_step(std::span<const double> of_position);
// How often draft i and all before it are accepted. Throws InputError for what is no probability.
std::vector<double> survival(std::span<const double> of_position);
// The p that gives so many tokens with so many drafts: the inverse of the first. Throws InputError outside of 1 to
// drafts + 1.
double acceptance_of(double tokens, int drafts);

struct PublishedAcceptance {
    std::string model, drafter, source;
    int drafts = 1;
    double tokens_from = 1, tokens_to = 1;  // per step; a single number twice

    double acceptance_from() const { return acceptance_of(tokens_from, drafts); }
    double acceptance_to() const { return acceptance_of(tokens_to, drafts); }
};

struct TokensEstimate {
    double tokens = 1, low = 1, high = 1;
    Origin origin = Origin::published;
    const PublishedAcceptance* anchor = nullptr;
    bool outside = false;  // more drafts than were published of this drafter
};

class AcceptanceLaw {
public:
    explicit AcceptanceLaw(const std::string& anchors_file);

    const std::vector<PublishedAcceptance>& published() const { return published_; }
    // With so many drafts by what was published of this model, the first that fits; of another number of drafts than
    // was published, by the same acceptance at each position (modelled). Nothing where nothing of the model is.
    std::vector<TokensEstimate> tokens_of(const std::string& model, int drafts) const;

private:
    std::vector<PublishedAcceptance> published_;
};

}  // namespace strata
