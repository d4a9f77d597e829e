// The points that nothing beats: one is dominated by another that is at least as good in every objective and better in
// one. Equal points do not dominate each other. A point without a number for an objective is not compared.
#pragma once

#include <cstddef>
#include <vector>

namespace strata {

// `values[i][k]`: of point i what is to be small in objective k (turn the sign of what is to be large). Indices of the
// front in rising order. Sorted once and swept for two objectives, O(n log n) (Kung, Luccio and Preparata 1975); for
// more, sorted so that nothing dominates what stands before it, each point held against the front so far.
std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& values);

bool dominates(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace strata
