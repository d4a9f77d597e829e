// Hardware counters of one range of work, by CUPTI's range profiler. Which metrics, and how many passes they take, can
// be computed without a GPU: a test does, for the chip that the kernels are built for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/profiler/cupti_library.hpp"

namespace strata {

// Metrics that are collected together.
struct MetricSet {
    std::string name;
    std::vector<std::string> metrics;
    int passes;  // expected on GH100
};

// Bytes of HBM and duration; tensor pipes; residency; the PCIe link, which cannot share a pass with HBM's counters.
const std::vector<MetricSet>& metric_sets();

// What a chip needs for a set: no GPU is asked. Throws CuptiError for a chip or a metric it does not know.
struct CounterPlan {
    std::vector<std::uint8_t> image;
    int passes = 0;
};
CounterPlan plan_counters(const CuptiLibrary& cupti, const std::string& chip, const std::vector<std::string>& metrics,
                          const std::vector<std::uint8_t>& availability = {});

// Runs `before` uncounted and `work` counted, as often as the set has passes (they must do the same each time and wait
// for the GPU), and returns the value of every metric. Throws CuptiError where the driver does not permit it.
std::map<std::string, double> count(const CuptiLibrary& cupti, const MetricSet& set,
                                    const std::function<void()>& before, const std::function<void()>& work);

}  // namespace strata
