// What a run of the bench leaves behind: lines of JSON, the first about the run, one for each kernel and shape, the
// last about how the run ended. kernels/profiles/record.schema.json describes them.
#pragma once

#include <iosfwd>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kernels/bench/ceilings.hpp"
#include "kernels/bench/gpu.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/bench/statistics.hpp"

namespace strata {

inline constexpr const char* kRecordSchema = "strata.kernel-record.1";

struct BaselineTime {
    std::string name;
    Spread us;
};

enum class Outcome { measured, failed, refused, skipped };

// A kernel on a shape, as it was measured or why it was not.
struct Sample {
    std::string kernel{}, source{}, models{};
    Shape shape{};
    std::uint64_t seed = 0;
    Outcome outcome = Outcome::skipped;
    std::string reason{};  // of any other outcome than measured
    Work work{};
    std::string cold{};  // "rotate 4 sets" or "flush"
    Spread us{};
    double noise = 0;                     // of this very series, relative
    std::optional<double> activity_us{};  // the GPU's own begin to end, summed over the kernels of a launch
    std::vector<std::string> kernels{};   // their names
    std::optional<int> registers{};       // most of them
    std::map<std::string, double> counters{};
    std::string counters_unavailable{};  // why there are none
    std::optional<double> clock_before_mhz{}, clock_after_mhz{}, power_w{};
    std::optional<std::string> throttle{};
    Verdict verdict{};
    std::vector<BaselineTime> baselines{};
    std::string ceiling{};      // its name, empty where there is none
    double possible_share = 1;  // more than 1 where reading alone is faster than the ceiling
    double share = 0;           // of it
    Goal goal{};
    std::vector<std::string> flags{};  // what a reader should doubt
};

double gigabytes_per_second(const Sample& sample);
double teraflops(const Sample& sample);

// Why a sample must not be taken for a measurement, or nothing: an output that is wrong, or more than 102 % of what the
// card can do in this run (data that were in the L2, or bytes counted wrongly).
std::optional<std::string> refusal_of(const Sample& sample);

// Whether the goal was reached; nothing where there is none or nothing was measured.
std::optional<bool> goal_reached(const Sample& sample);

nlohmann::ordered_json to_json(const Sample& sample);

// Facts of a run that do not change while it lasts.
struct RunFacts {
    std::string id{}, utc{}, command{};
    Gpu gpu{};
    std::string cublas{}, cupti{};
};
nlohmann::ordered_json to_json(const RunFacts& facts, const Ceilings& begin,
                               const std::map<std::int64_t, double>& rows);

// How far the ceilings of begin and end lie apart at most; beyond 3 % the run is flagged.
double drift_of(const Ceilings& begin, const Ceilings& end);

}  // namespace strata
