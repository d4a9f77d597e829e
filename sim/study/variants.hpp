// A point with some of its fields set, each kind of change run once; and what a changed resource is held against.
#pragma once

#include <map>
#include <set>

#include "sim/study/platform_resources.hpp"
#include "sim/study/study.hpp"

namespace strata {

class Variants {
public:
    // `base` is the run of the point as it is.
    Variants(const ScenarioFile& file, const Point& point, const Run& base, const StudyOptions& options)
        : file_(file), point_(point), options_(options) {
        known_[{}].run = base;
    }

    void ask(const PathValues& settings);
    void run();  // all that was asked for
    const PointResult& of(const PathValues& settings) const { return known_.at(settings); }

private:
    const ScenarioFile& file_;
    const Point& point_;
    const StudyOptions& options_;
    std::set<PathValues> wanted_;
    std::map<PathValues, PointResult> known_;
};

// An accelerator whose peaks a scenario sets is another than the one that tables were measured on, and is priced
// otherwise. Such a change is held against the point on such an accelerator with the same numbers.
const PathValues& compared_with(const PlatformResource& resource, const PathValues& other_device);

// All that is set: what makes it another device, and what is changed.
PathValues changed(const PlatformResource& resource, const PathValues& other_device);

}  // namespace strata
