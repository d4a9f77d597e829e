#include "sim/scenario/point_reader.hpp"

#include <charconv>
#include <cmath>

#include "sim/scenario/sweep.hpp"

namespace strata {

namespace {

constexpr std::size_t kKeptSteps = 64;

const std::string kBatchPath = "workload.batch", kContextPath = "workload.context";

// A number that nothing else of a step is read by.
bool is_plain(const std::string& path) { return path == kBatchPath || path == kContextPath || path == kRhoPath; }

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

std::string PointReader::fixed_part(const Settings& settings) const {
    std::string text;
    for (const auto& [path, value] : settings)
        if (!is_plain(path)) text += value + '\n';
    return text;
}

const Scenario& PointReader::read(const Settings& settings) {
    if (!apart_) return read_whole(settings);
    const std::string fixed = fixed_part(settings);
    const auto known = steps_.find(fixed);
    if (known != steps_.end() && dial(known->second, settings)) return known->second.scenario;
    const Scenario& scenario = read_whole(settings);
    const bool step = !scenario.access && !scenario.collective && !scenario.serving && !scenario.training &&
                      !scenario.rl && !scenario.workload.optical;
    if (!step || known != steps_.end()) return scenario;
    const Model* const undialled = known_.kept<Model>("model");
    if (steps_.size() >= kKeptSteps) steps_.clear();
    return steps_.emplace(fixed, Step{scenario, undialled ? std::optional(*undialled) : std::nullopt})
        .first->second.scenario;
}

// False where a value is none that the field takes: then the whole is read, and says why.
bool PointReader::dial(Step& step, const Settings& settings) const {
    for (const auto& [path, text] : settings) {
        if (!is_plain(path)) continue;
        double value = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, status] = std::from_chars(text.data(), end, value);
        if (status != std::errc() || rest != end || !std::isfinite(value) || !dial(step, path, value)) return false;
    }
    return true;
}

bool PointReader::dial(Step& step, const std::string& path, double value) const {
    Scenario& scenario = step.scenario;
    if (path == kRhoPath) {
        if (!step.undialled || !(value > 0 && value <= 1)) return false;
        scenario.rho = value;
        scenario.model = with_allocation(*step.undialled, value);
        return true;
    }
    const bool batch = path == kBatchPath;
    if (value < (batch ? 1 : 0)) return false;
    (batch ? scenario.workload.batch : scenario.workload.context) = value;
    return true;
}

const Scenario& PointReader::read_whole(const Settings& settings) {
    if (apart_ && !set_.empty()) {
        for (std::size_t i = 0; i < settings.size(); ++i) set_[i] = settings[i].second;
    } else {
        set_.clear();
        point_.document.reset(file_.point_with(settings).document);  // assigned, a node keeps the one before
        for (const auto& [path, value] : settings) set_.push_back(at_path(point_.document, path));
    }
    point_.settings = settings;
    known_.at(settings);
    return last_ = file_.read(point_, catalog_, &known_);
}

}  // namespace strata
