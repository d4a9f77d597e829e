#include "sim/study/allocation_of.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace strata {

namespace {

const AllocationFit& of_budget(const std::vector<AllocationFit>& fits, const QualitySources& from) {
    std::vector<std::string> budgets;
    for (const AllocationFit& fit : fits) {
        if (fit.budget() == from.budget || (from.budget.empty() && fits.size() == 1)) return fit;
        budgets.push_back(fit.budget());
    }
    throw InputError("quality.budget", fmt::format("one of those of {}: {}", from.allocation, fmt::join(budgets, ", ")),
                     from.budget.empty() ? "none" : "'" + from.budget + "'");
}

}  // namespace

AllocationLaw allocation_law_of(const ScenarioFile& file, const std::string& root) {
    const QualitySources& from = file.quality();
    if (from.allocation.empty() && !from.budget.empty())
        throw InputError("quality.budget", "a quality.allocation that has it", "none");
    if (from.allocation.empty()) return AllocationLaw(root + "/sim/quality/allocation_anchors.yaml");
    const std::vector<AllocationFit> fits = allocation_fits(read_allocation_points(from.allocation));
    return AllocationLaw(of_budget(fits, from), std::filesystem::path(from.allocation).filename().string());
}

std::vector<AllocationFit> allocation_fits_of(const ScenarioFile& file, const std::string& root) {
    const std::string& own = file.quality().allocation;
    return allocation_fits(read_allocation_points(own.empty() ? root + "/sim/quality/train_study_points.csv" : own));
}

}  // namespace strata
