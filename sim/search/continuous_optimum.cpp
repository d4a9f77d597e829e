#include "sim/search/continuous_optimum.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlopt.hpp>
#include <stdexcept>

namespace strata {

namespace {

// NLopt asks for the objective and for each constraint apart; one run answers all of them.
class Tries {
public:
    Tries(const UnitPoint& start, const std::function<Trial(const UnitPoint&)>& run, std::size_t most)
        : run_(run), most_(most) {
        const Trial& first = at(start);
        if (!first.runs) throw std::logic_error("an optimisation starts where nothing runs");
        constraints_ = first.violations.size();
        scale_ = std::max(std::abs(first.value), 1e-300);
    }

    std::size_t constraints() const { return constraints_ + 1; }

    // Near 1 in size. What does not run is worth nothing; that it runs is a constraint too.
    double value(const UnitPoint& place) {
        const Trial& trial = at(place);
        return trial.runs ? trial.value / scale_ : worst_ / scale_;
    }
    double violation(const UnitPoint& place, std::size_t index) {
        const Trial& trial = at(place);
        if (index == constraints_) return trial.runs ? -1 : 1;
        return trial.runs ? trial.violations[index] : 1;
    }

    std::vector<TriedPlace> path{};

private:
    const Trial& at(const UnitPoint& place) {
        const auto [known, is_new] = index_.try_emplace(place, path.size());
        if (is_new) {
            if (path.size() >= most_) {
                index_.erase(known);
                throw nlopt::forced_stop();
            }
            path.push_back({place, run_(place)});
            if (path.back().trial.runs) worst_ = std::min(worst_, path.back().trial.value);
        }
        return path[known->second].trial;
    }

    const std::function<Trial(const UnitPoint&)>& run_;
    std::size_t most_, constraints_ = 0;
    double scale_ = 1, worst_ = std::numeric_limits<double>::max();
    std::map<UnitPoint, std::size_t> index_;
};

struct Constraint {
    Tries* tries;
    std::size_t index;
};

std::string text_of(nlopt::result result) {
    switch (result) {
        case nlopt::XTOL_REACHED: return "steps are shorter than a ten-thousandth of the ranges";
        case nlopt::FTOL_REACHED: return "the objective no longer changes";
        case nlopt::ROUNDOFF_LIMITED: return "rounding allows no further step";
        default: return "the evaluations that it may make are used up";
    }
}

}  // namespace

bool Trial::feasible() const {
    return runs && std::all_of(violations.begin(), violations.end(), [](double v) { return v <= 0; });
}

ContinuousOptimum optimise(const OptimiseSpec& spec, const UnitPoint& start,
                           const std::function<Trial(const UnitPoint&)>& run) {
    Tries tries(start, run, static_cast<std::size_t>(spec.evaluations));
    // Original DIRECT is the one of NLopt's that takes constraints.
    nlopt::opt method(spec.method == OptimiseMethod::cobyla ? nlopt::LN_COBYLA : nlopt::GN_ORIG_DIRECT,
                      static_cast<unsigned>(start.size()));
    method.set_lower_bounds(0);
    method.set_upper_bounds(1);
    method.set_max_objective(
        [](const UnitPoint& place, UnitPoint&, void* data) { return static_cast<Tries*>(data)->value(place); }, &tries);
    std::vector<Constraint> constraints;
    for (std::size_t i = 0; i < tries.constraints(); ++i) constraints.push_back({&tries, i});
    for (Constraint& constraint : constraints)
        method.add_inequality_constraint(
            [](const UnitPoint& place, UnitPoint&, void* data) {
                const auto& asked = *static_cast<Constraint*>(data);
                return asked.tries->violation(place, asked.index);
            },
            &constraint, 0);
    method.set_initial_step(0.1);
    method.set_xtol_abs(1e-4);
    method.set_maxeval(spec.evaluations);
    ContinuousOptimum found;
    UnitPoint place = start;
    double value = 0;
    try {
        found.ended = text_of(method.optimize(place, value));
    } catch (const nlopt::forced_stop&) {
        found.ended = text_of(nlopt::MAXEVAL_REACHED);
    } catch (const nlopt::roundoff_limited&) {
        found.ended = text_of(nlopt::ROUNDOFF_LIMITED);
    }
    found.path = std::move(tries.path);
    for (std::size_t i = 1; i < found.path.size(); ++i) {
        const Trial &trial = found.path[i].trial, &best = found.path[found.best].trial;
        if (trial.feasible() && (!best.feasible() || trial.value > best.value)) found.best = i;
    }
    return found;
}

}  // namespace strata
