#include "sim/study/variants.hpp"

#include <algorithm>

namespace strata {

void Variants::ask(const PathValues& settings) {
    if (!known_.contains(settings)) wanted_.insert(settings);
}

void Variants::run() {
    std::vector<Point> points;
    for (const PathValues& settings : wanted_) points.push_back(with_settings(point_, settings));
    if (points.empty()) return;
    Study study = run_study(file_, options_, points);
    auto result = study.results.begin();
    for (const PathValues& settings : wanted_) known_[settings] = std::move(*result++);
    wanted_.clear();
}

const PathValues& compared_with(const PlatformResource& resource, const PathValues& other_device) {
    static const PathValues as_it_is;
    return resource.of_device ? other_device : as_it_is;
}

PathValues changed(const PlatformResource& resource, const PathValues& other_device) {
    PathValues settings = compared_with(resource, other_device);
    std::erase_if(settings, [&](const auto& own) {
        return std::any_of(resource.better.begin(), resource.better.end(),
                           [&](const auto& better) { return better.first == own.first; });
    });
    settings.insert(settings.end(), resource.better.begin(), resource.better.end());
    return settings;
}

}  // namespace strata
