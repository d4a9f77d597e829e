// Loss against rho as somebody measured it: points of a CSV, and the convex curve that lies nearest to them. A U is
// what arXiv 2601.07372 found; points that show none give a curve without one, and what of them is not convex stays as
// residuals.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace strata {

struct AllocationPoint {
    std::string budget;
    double rho = 0, loss = 0;
};

// Columns `rho` and `loss`, and `budget` where there is more than one; other columns are left alone, but of rows that
// say `residual` or `optimiser` those of the first row's kind alone are read. Throws InputError with file and line.
std::vector<AllocationPoint> read_allocation_points(const std::string& file);

struct FittedPoint {
    double rho = 0, loss = 0, fitted = 0;
    double residual() const { return loss - fitted; }
};

class AllocationFit {
public:
    // Least squares over all convex curves. Throws InputError below three different rho: any two points are convex.
    explicit AllocationFit(const std::vector<AllocationPoint>& of_one_budget);

    // Between measured rho, straight: the highest that convexity allows. Nothing beyond them.
    std::optional<double> loss(double rho) const;

    const std::string& budget() const { return budget_; }
    const std::vector<FittedPoint>& points() const { return points_; }  // by rising rho; one for each measured
    double root_mean_square() const;                                    // of the residuals
    double lowest_rho() const;                                          // where the curve is lowest
    bool has_minimum_inside() const;  // false: lower and lower to one end, so that the optimum may lie beyond
    double depth() const;             // by how much the lowest is below the lower of both ends

private:
    std::string budget_;
    std::vector<FittedPoint> points_;
};

// One fit for each budget, in the order in which they first appear.
std::vector<AllocationFit> allocation_fits(const std::vector<AllocationPoint>& points);

}  // namespace strata
