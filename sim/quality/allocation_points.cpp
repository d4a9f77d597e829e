// The convex least squares are Hildreth's (J. Am. Stat. Assoc. 49, 1954): second differences must not be negative; each
// in turn is mended by the smallest change, and what it changed before is given back first.
#include "sim/quality/allocation_points.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

using Cells = std::vector<std::string>;

Cells cells_of(const std::string& line) {
    Cells cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    if (!cells.empty() && cells.back().ends_with('\r')) cells.back().pop_back();
    return cells;
}

std::optional<std::size_t> column_of(const Cells& head, const std::string& name) {
    const auto found = std::find(head.begin(), head.end(), name);
    if (found == head.end()) return std::nullopt;
    return static_cast<std::size_t>(found - head.begin());
}

double number_of(const std::string& text, const std::string& where, const char* what) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
        throw InputError(where, what, "'" + text + "'");
    return number;
}

// Of distinct rho, each with its mean loss and how many points that is of.
struct Level {
    double rho = 0, loss = 0, count = 0;
};

std::vector<Level> levels_of(const std::vector<AllocationPoint>& sorted) {
    std::vector<Level> levels;
    for (const AllocationPoint& point : sorted) {
        if (levels.empty() || point.rho - levels.back().rho > 1e-9) levels.push_back({.rho = point.rho});
        Level& level = levels.back();
        level.loss += (point.loss - level.loss) / ++level.count;
    }
    return levels;
}

std::vector<double> convex_fit(const std::vector<Level>& levels) {
    constexpr int kMostRounds = 100000;
    constexpr double kSmall = 1e-12;
    std::vector<double> fitted;
    for (const Level& level : levels) fitted.push_back(level.loss);
    std::vector<double> multipliers(levels.size(), 0.0);
    for (int round = 0; round < kMostRounds; ++round) {
        double moved = 0;
        for (std::size_t i = 1; i + 1 < levels.size(); ++i) {
            // slope after minus slope before, as a sum over three neighbours
            const double before = 1 / (levels[i].rho - levels[i - 1].rho);
            const double after = 1 / (levels[i + 1].rho - levels[i].rho);
            const std::array<double, 3> factors{before, -(before + after), after};
            double bend = 0, strength = 0;
            for (std::size_t k = 0; k < 3; ++k) {
                bend += factors[k] * fitted[i - 1 + k];
                strength += factors[k] * factors[k] / levels[i - 1 + k].count;
            }
            const double change = std::max(-multipliers[i], -bend / strength);
            multipliers[i] += change;
            for (std::size_t k = 0; k < 3; ++k) {
                const double step = change * factors[k] / levels[i - 1 + k].count;
                fitted[i - 1 + k] += step;
                moved = std::max(moved, std::abs(step));
            }
        }
        if (moved < kSmall) break;
    }
    return fitted;
}

}  // namespace

std::vector<AllocationPoint> read_allocation_points(const std::string& file) {
    std::ifstream stream(file);
    std::string line;
    if (!stream || !std::getline(stream, line))
        throw InputError(file +
                         ": no such file of points. It needs columns rho and loss, and budget where there are more");
    const Cells head = cells_of(line);
    const auto rho = column_of(head, "rho"), loss = column_of(head, "loss"), budget = column_of(head, "budget");
    if (!rho || !loss) throw InputError(file + ":1", "columns 'rho' and 'loss'", "'" + line + "'");
    std::vector<AllocationPoint> points;
    std::vector<std::string> kinds;  // residual and optimiser of the first row
    for (int number = 2; std::getline(stream, line); ++number) {
        if (line.empty()) continue;
        const std::string where = file + ":" + std::to_string(number);
        const Cells cells = cells_of(line);
        if (cells.size() != head.size())
            throw InputError(where, std::to_string(head.size()) + " columns", std::to_string(cells.size()));
        std::vector<std::string> kind;
        for (const char* name : {"residual", "optimiser"})
            if (const auto column = column_of(head, name)) kind.push_back(cells[*column]);
        if (points.empty()) kinds = kind;
        if (kind != kinds) continue;
        points.push_back({budget ? cells[*budget] : "", number_of(cells[*rho], where, "a rho of 0 to 1"),
                          number_of(cells[*loss], where, "a loss")});
        if (points.back().rho < 0 || points.back().rho > 1) throw InputError(where, "a rho of 0 to 1", cells[*rho]);
    }
    return points;
}

AllocationFit::AllocationFit(const std::vector<AllocationPoint>& of_one_budget) {
    std::vector<AllocationPoint> sorted = of_one_budget;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.rho < b.rho; });
    const std::vector<Level> levels = levels_of(sorted);
    budget_ = sorted.empty() ? "" : sorted.front().budget;
    if (levels.size() < 3)
        throw InputError("points of budget '" + budget_ + "'", "at least three different rho: two are convex anyway",
                         std::to_string(levels.size()));
    const std::vector<double> fitted = convex_fit(levels);
    std::size_t level = 0;
    for (const AllocationPoint& point : sorted) {
        while (point.rho - levels[level].rho > 1e-9) ++level;
        points_.push_back({point.rho, point.loss, fitted[level]});
    }
}

std::optional<double> AllocationFit::loss(double rho) const {
    constexpr double kSame = 1e-9;  // a swept rho is a rounded decimal
    if (rho < points_.front().rho - kSame || rho > points_.back().rho + kSame) return std::nullopt;
    std::size_t i = 0;
    while (i + 2 < points_.size() && points_[i + 1].rho < rho) ++i;
    const FittedPoint &a = points_[i], &b = points_[i + 1];
    if (b.rho - a.rho < kSame) return a.fitted;
    return a.fitted + (b.fitted - a.fitted) * (rho - a.rho) / (b.rho - a.rho);
}

double AllocationFit::root_mean_square() const {
    double sum = 0;
    for (const FittedPoint& point : points_) sum += point.residual() * point.residual();
    return std::sqrt(sum / static_cast<double>(points_.size()));
}

double AllocationFit::lowest_rho() const {
    return std::min_element(points_.begin(), points_.end(),
                            [](const auto& a, const auto& b) { return a.fitted < b.fitted; })
        ->rho;
}

bool AllocationFit::has_minimum_inside() const { return depth() > 1e-9; }

double AllocationFit::depth() const {
    double lowest = points_.front().fitted;
    for (const FittedPoint& point : points_) lowest = std::min(lowest, point.fitted);
    return std::min(points_.front().fitted, points_.back().fitted) - lowest;
}

std::vector<AllocationFit> allocation_fits(const std::vector<AllocationPoint>& points) {
    std::vector<std::string> budgets;
    for (const AllocationPoint& point : points)
        if (std::find(budgets.begin(), budgets.end(), point.budget) == budgets.end()) budgets.push_back(point.budget);
    std::vector<AllocationFit> fits;
    for (const std::string& budget : budgets) {
        std::vector<AllocationPoint> of_budget;
        for (const AllocationPoint& point : points)
            if (point.budget == budget) of_budget.push_back(point);
        fits.emplace_back(of_budget);
    }
    return fits;
}

}  // namespace strata
