#include "sim/scenario/point_reader.hpp"

#include "sim/scenario/sweep.hpp"

namespace strata {

namespace {

YAML::Node at_path(const YAML::Node& document, const std::string& path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return document[path];
    return at_path(document[path.substr(0, dot)], path.substr(dot + 1));
}

std::vector<std::string> paths_of(const std::vector<Axis>& axes) {
    std::vector<std::string> paths;
    for (const Axis& axis : axes) paths.insert(paths.end(), axis.paths.begin(), axis.paths.end());
    return paths;
}

bool are_apart(const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i)
        for (std::size_t j = 0; j < paths.size(); ++j)
            if (i != j && is_at_or_below(paths[i], paths[j])) return false;
    return true;
}

}  // namespace

void KnownSections::add(const std::string& section, const std::vector<Axis>& axes, const std::string& but) {
    Known& known = sections_[section];
    const std::vector<std::string> paths = paths_of(axes);
    for (std::size_t i = 0; i < paths.size(); ++i)
        if (paths[i] != but && (is_at_or_below(paths[i], section) || is_at_or_below(section, paths[i])))
            known.settings.push_back(i);
}

void KnownSections::at(const Settings& settings) {
    for (auto& [section, known] : sections_) {
        known.key.clear();
        for (const std::size_t i : known.settings) known.key += settings[i].second + '\n';
    }
}

PointReader::PointReader(const ScenarioFile& file, const Catalog& catalog)
    : file_(file.apart()), catalog_(catalog), apart_(are_apart(paths_of(file.axes()))) {
    for (const char* section : {"platform", "kernels", "economics"}) known_.add(section, file_.axes());
    known_.add("model", file_.axes(), kRhoPath);
}

Scenario PointReader::read(const Settings& settings) {
    if (apart_ && !set_.empty()) {
        for (std::size_t i = 0; i < settings.size(); ++i) set_[i] = settings[i].second;
    } else {
        set_.clear();
        point_.document.reset(file_.point_with(settings).document);  // assigned, a node keeps the one before
        for (const auto& [path, value] : settings) set_.push_back(at_path(point_.document, path));
    }
    point_.settings = settings;
    known_.at(settings);
    return file_.read(point_, catalog_, &known_);
}

}  // namespace strata
