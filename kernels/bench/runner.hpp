// Runs kernels on their shapes: correctness first and on the very buffers that are timed, then times, then counters.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/bench/kernel.hpp"
#include "kernels/bench/record.hpp"
#include "kernels/bench/timing.hpp"
#include "kernels/profiler/cupti_library.hpp"

namespace strata {

// One kernel on one production shape.
struct Case {
    const Kernel* kernel;
    const ProductionShape* shape;
};

// Those whose "kernel shape" text contains one of the filters (all where there is none); the first shape of every
// kernel, then the second of every kernel, and so on: what a run that is cut short has seen is worth most.
std::vector<Case> cases_of(const std::vector<Kernel>& kernels, const std::vector<std::string>& filters);

// Every small shape and edge case of the kernels whose name contains one of the filters.
using CheckCase = std::pair<const Kernel*, const Shape*>;
std::vector<CheckCase> check_cases_of(const std::vector<Kernel>& kernels, const std::vector<std::string>& filters);

// CUPTI beside the events: not at all, its activity records as a second clock, counters too.
enum class ProfilerUse { none, activity, counters };

class Runner {
public:
    Runner(const Gpu& gpu, const TimingLimits& limits, ProfilerUse use = ProfilerUse::counters);

    Ceilings ceilings(const CeilingSizes& sizes = {}) { return measure_ceilings(stage_, sizes); }
    std::map<std::int64_t, double> zero_copy_rows();

    // Never throws for what a kernel does: a failure is an outcome.
    Sample measure(const Case& one, const Ceilings& ceilings);

    // The outputs of a shape against the reference, and that a second launch gives the same bits' worth of verdict.
    Verdict check(const Kernel& kernel, const Shape& shape);

    std::string cupti() const { return cupti_ ? "available" : cupti_missing_; }

private:
    void measure_into(Sample& sample, const Case& one, const Ceilings& ceilings);
    Verdict verdict_of(const Prepared& prepared);  // of one launch, from poisoned outputs
    void time_into(Sample& sample, const Prepared& prepared, const Cold& cold);
    void activity_into(Sample& sample, const Prepared& prepared, const Cold& cold);
    void counters_into(Sample& sample, const Prepared& prepared, const Kernel& kernel);

    const Gpu gpu_;
    const TimingLimits limits_;
    Stage stage_;
    Management management_;
    std::unique_ptr<CuptiLibrary> cupti_;
    std::string cupti_missing_;
    std::map<std::string, std::string> counters_missing_;  // by set of metrics
};

}  // namespace strata
