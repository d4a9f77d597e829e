// How sure it is that one point is faster than another, given how far the cost book may be off. Each source of error
// (a family of ops, known in one way) has one factor, drawn from the split lognormal that its p10 and p90 say. Two
// points on the same device share a factor where family and provenance are the same, because they ask the same table or
// the same curve: what that gets wrong in both does not change their order. On different devices factors are
// independent. Only times on the critical path count, which is held as it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/result/critical_path.hpp"

namespace strata {

// A step as the ranking sees it: how fast it is, and what its length is made of.
struct Contender {
    double speed = 0;  // inverse to the step's time, such as tokens per second of an accelerator
    const CriticalPath* path = nullptr;
};

struct Certainty {
    double first_ahead = 0.5;  // the probability that the first is faster
    double p10 = 0, p90 = 0;   // by how much: its speed over the second's, less 1
    std::string settled_by{};  // the source of error whose knowledge would take most of the difference's variance
    double settled_share = 0;  // so much: its total Sobol index
    double unknown_share = 0;  // of the longer path: time that nobody knows the error of; taken as exact
};

// Deterministic. Nothing where the two differ in nothing that is uncertain.
std::optional<Certainty> certainty_of(const Contender& first, const Contender& second);

// exp of a split normal: the median is 1, a tenth lies below `p10` and a tenth above `p90`. `score` is standard normal.
double split_lognormal(double score, double p10, double p90);

}  // namespace strata
