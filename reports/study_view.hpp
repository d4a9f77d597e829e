// How a study is looked at: which setting runs along the x axis, which results form one series, and how they are
// called.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reports/document.hpp"
#include "sim/study/study.hpp"

namespace strata {

// The names of the two metrics that say how fast a run is, and what people call them.
struct SpeedNames {
    std::string time, throughput;  // metrics
    std::string time_label;        // "TPOT [ms]"
};
SpeedNames speed_names(const Run& run);  // of a step
bool is_step(const Run& run);
double time_ms(const Run& run);
double tokens_per_s(const Run& run);  // of one accelerator

// The setting along x: rho if it varies, else the numeric one with most values, else the first that varies.
struct XAxis {
    std::string path;
    ChartAxis axis;
    // Where a result stands on it; nothing if its value is no number on a numeric axis.
    std::optional<double> position(const PointResult& result) const;
};
std::optional<XAxis> x_axis_of(const Study& study);  // nothing: no setting has more than one value

// Results of one engine that differ in x alone.
struct Group {
    std::string settings;  // "tier host"; empty if nothing but x varies
    std::string engine;
    int colour = 0;  // the same for all engines of one settings
    std::vector<const PointResult*> results{};
};
std::vector<Group> groups_of(const Study& study, const std::optional<XAxis>& x);
std::string series_name(const Group& group, const Study& study);  // names the engine if several ran

std::optional<std::string> setting(const PointResult& result, const std::string& path);
std::optional<double> number_setting(const PointResult& result, const std::string& path);
std::string short_name(const std::string& path);  // its last part: "model.rho" -> "rho"
// "rho 0.65, tier host" of the settings that vary; "the only point" if none does.
std::string label_of(const PointResult& result, const Study& study, const std::string& without = "");

bool ran(const PointResult& result);
// Whether some point that ran has this metric: what kind of study it is shows in that.
bool some_has(const Study& study, const std::string& metric);

// The tiers of memory that tables have a column of: CXL only where a point uses it.
struct TierColumn {
    std::string name, of, metric;  // "host", "a node", "memory.host_gb"
};
std::vector<TierColumn> tier_columns(const Study& study);

std::vector<std::string> engines_that_ran(const Study& study);
bool several_engines_ran(const Study& study);
// SystemC models contention and queues and so sees more than the analytic engine; empty if nothing ran.
std::string most_detailed_engine(const Study& study);

// A point that both engines ran, and how much longer it takes in the systemc engine, relative.
struct EnginePair {
    const PointResult *analytic, *systemc;
    double difference;
};
std::vector<EnginePair> engine_pairs(const Study& study);
// Below this, two engines say the same: a chart shows one of them.
constexpr double kEnginesAgree = 0.005;
// The largest difference, absolute; nothing if no point ran on both.
std::optional<double> widest_difference(const Study& study);

// A number for people: four significant digits, never an exponent between 1e-4 and 1e15.
std::string plain(double value);
std::string percent(double share);  // 0.123 -> "12.3 %"

}  // namespace strata
