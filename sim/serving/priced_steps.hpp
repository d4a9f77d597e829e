// Steps whose price an engine knows but takes milliseconds to say, asked for a million times: a grid of shapes, each
// priced when it is first needed, and bilinear between them. The grid remembers how much time was spent at which of its
// shapes, so that a run can say how well its time is known.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hwmodels/units.hpp"
#include "sim/workload/program.hpp"

namespace strata {

struct StepPrice {
    Seconds time;
    std::map<std::string, double> share_by_origin{};  // of the compute lane's time: "interpolated", "modelled, outside"
    std::optional<ExpertBalance> balance{};           // where tokens do not spread evenly
    Seconds straggling{};                             // what the busiest ranks' experts then take longer than the mean
};

// Sums over steps that were taken, of which `steps` have a balance.
struct BalanceOfSteps {
    double steps = 0;
    ExpertBalance balance{.load_max_over_mean = 0};
    Seconds straggling{};
};

class PricedSteps {
public:
    // Both axes ascend. A shape beyond their ends is priced at the end: axes must hold all that is asked.
    PricedSteps(std::vector<double> rows, std::vector<double> columns, std::function<StepPrice(double, double)> price);

    // Counts as a step that was taken.
    Seconds at(double row, double column);
    // Without counting.
    Seconds peek(double row, double column);
    // Time of all steps taken so far by where its price comes from, in seconds.
    void add_time_by_origin(std::map<std::string, double>& seconds) const;
    void add_balance(BalanceOfSteps& sum) const;

private:
    struct Shape {
        std::optional<StepPrice> price;
        double taken = 0;  // steps, a step between shapes by its share of each
    };
    Seconds step(double row, double column, double steps);

    std::vector<double> rows_, columns_;
    std::function<StepPrice(double, double)> price_;
    std::vector<Shape> shapes_;  // row by row
};

// Doubling from `least`, ending at `most`.
std::vector<double> doubling(double least, double most);

}  // namespace strata
