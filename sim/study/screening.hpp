// Every point of a search through the analytic engine, on all cores, keeping of each the metrics that are asked for:
// 100,000 points take tens of megabytes.
#pragma once

#include <cmath>
#include <limits>
#include <map>

#include "sim/quality/allocation_law.hpp"
#include "sim/search/point_plan.hpp"
#include "sim/study/study.hpp"

namespace strata {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The expected loss at the point's rho with its band, where model.rho is given and the law knows something there.
void add_quality(Run& run, const Scenario& scenario, const AllocationLaw& law);

class Screened {
public:
    Screened(PointPlan plan, std::vector<std::string> metrics)
        : plan_(std::move(plan)),
          metrics_(std::move(metrics)),
          values_(plan_.size() * metrics_.size(), kUnknown),
          ran_(plan_.size(), 0) {}

    const PointPlan& plan() const { return plan_; }
    std::size_t size() const { return plan_.size(); }
    const std::vector<std::string>& metrics() const { return metrics_; }
    bool ran(std::size_t point) const { return ran_[point] != 0; }
    // NaN where the point has no such metric.
    double value(std::size_t point, std::size_t metric) const { return values_[point * metrics_.size() + metric]; }
    double value(std::size_t point, const std::string& metric) const;

    // Each point by one thread alone; in the order of the metrics.
    void keep(std::size_t point, const std::vector<double>& numbers);

    std::map<std::string, std::size_t> obstacles{};  // why points do not run, digits left out, and how many
    double seconds = 0;                              // that it took

private:
    PointPlan plan_;
    std::vector<std::string> metrics_;
    std::vector<double> values_;
    std::vector<char> ran_;
};

// Points of a plan, from the first to before the last.
struct PointRange {
    std::size_t from = 0, to = std::numeric_limits<std::size_t>::max();
};

// All points, or those of a part. Throws InputError for a point that cannot even be read.
Screened screen(const ScenarioFile& file, PointPlan plan, std::vector<std::string> metrics, const StudyOptions& options,
                PointRange part = {});

}  // namespace strata
