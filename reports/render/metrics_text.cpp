#include "reports/render/metrics_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

namespace strata {

namespace {

// How our metrics end, what that is in base units, and the factor (prometheus.io/docs/practices/naming).
struct UnitSuffix {
    const char *ours, *base;
    double factor;
};
constexpr std::array<UnitSuffix, 13> kSuffixes{{{"_GBps", "_bytes_per_second", 1e9},
                                                {"_pj_per_bit", "_joules_per_bit", 1e-12},
                                                {"_percent", "_ratio", 1e-2},
                                                {"_share", "_ratio", 1},
                                                {"_per_day", "_per_second", 1 / 86400.0},
                                                {"_per_s", "_per_second", 1},
                                                {"_gb", "_bytes", 1e9},
                                                {"_w", "_watts", 1},
                                                {"_ms", "_seconds", 1e-3},
                                                {"_us", "_seconds", 1e-6},
                                                {"_ns", "_seconds", 1e-9},
                                                {"_s", "_seconds", 1},
                                                {"_h", "_seconds", 3600}}};
// What may stand behind a unit.
constexpr std::array<const char*, 4> kQualifiers{"_per_accelerator", "_per_user", "_low", "_high"};

struct Exported {
    std::string name;
    double factor = 1;
};

bool take_ending(std::string& name, const std::string& ending) {
    if (name.size() <= ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0)
        return false;
    name.resize(name.size() - ending.size());
    return true;
}

std::string as_name(std::string text) {
    for (char& c : text)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return text;
}

Exported exported(const std::string& metric) {
    std::string name = fmt::format("strata_{}", as_name(metric)), tail;
    for (const char* qualifier : kQualifiers)
        if (take_ending(name, qualifier)) {
            tail = qualifier;
            break;
        }
    for (const UnitSuffix& suffix : kSuffixes)
        if (take_ending(name, suffix.ours)) return {fmt::format("{}{}{}", name, suffix.base, tail), suffix.factor};
    return {name + tail, 1};
}

std::string label(const std::string& name, const std::string& value) {
    std::string safe;
    for (const char c : value) safe += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    return fmt::format("{}=\"{}\"", name, safe);
}

std::string labels_of(const PointResult& result, const Study& study) {
    std::string labels = fmt::format("{},{}", label("scenario", study.name), label("engine", result.engine));
    for (const auto& [path, value] : result.settings)
        labels += fmt::format(",{}", label(fmt::format("set_{}", as_name(path)), value));
    return labels;
}

std::string value_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

struct FamilyOfSamples {
    std::string help, samples;
};

}  // namespace

std::string metrics_text(const Study& study) {
    std::map<std::string, FamilyOfSamples> families;
    FamilyOfSamples& ran = families["strata_point_ran"];
    ran.help = "1 where the point has a result, 0 where it does not fit or failed";
    for (const PointResult& result : study.results) {
        const std::string labels = labels_of(result, study);
        ran.samples += fmt::format("strata_point_ran{{{}}} {}\n", labels, result.run ? 1 : 0);
        if (!result.run) continue;
        for (const auto& [metric, value] : result.run->metrics) {
            const Exported as = exported(metric);
            FamilyOfSamples& family = families[as.name];
            if (family.help.empty()) family.help = fmt::format("{} in base units (times {:.6g})", metric, as.factor);
            family.samples += fmt::format("{}{{{}}} {}\n", as.name, labels, value_text(value * as.factor));
        }
    }
    std::string text;
    for (const auto& [name, family] : families)
        text += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{2}", name, family.help, family.samples);
    return text;
}

}  // namespace strata
