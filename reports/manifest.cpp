#include "reports/manifest.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "hwmodels/file_fingerprint.hpp"

namespace strata {

Manifest manifest_of(const Study& study, const std::string& scenario_file, const std::vector<std::string>& overrides,
                     const std::string& root) {
    const std::filesystem::path folder(root);
    Manifest manifest{.version = STRATA_VERSION,
                      .scenario_file = std::filesystem::path(scenario_file).filename().string(),
                      .overrides = overrides,
                      .command = {},
                      .date = {}};
    manifest.sha256 = {{"scenario", sha256_of_files(scenario_file)},
                       {"models", sha256_of_files(folder / "scenarios" / "models")},
                       {"catalogue", sha256_of_files(folder / "hwmodels" / "catalog")},
                       {"cost_curves", sha256_of_files(folder / "sim" / "cost" / "cost_curves.yaml")},
                       {"kernel_records", sha256_of_files(folder / "kernels" / "profiles")},
                       {"allocation_anchors", sha256_of_files(folder / "sim" / "quality" / "allocation_anchors.yaml")},
                       {"precision_anchors", sha256_of_files(folder / "sim" / "quality" / "precision_anchors.yaml")},
                       {"optical_anchors", sha256_of_files(folder / "sim" / "quality" / "optical_anchors.yaml")}};
    for (const PointResult& result : study.results)
        if (result.run &&
            std::find(manifest.engines.begin(), manifest.engines.end(), result.engine) == manifest.engines.end())
            manifest.engines.push_back(result.engine);
    return manifest;
}

std::string report_date() {
    std::time_t when = std::time(nullptr);
    if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH")) {
        long long seconds = 0;
        const auto [rest, status] = std::from_chars(fixed, fixed + std::strlen(fixed), seconds);
        if (status != std::errc() || *rest != '\0')
            throw InputError("SOURCE_DATE_EPOCH", "seconds since 1970", "'" + std::string(fixed) + "'");
        when = static_cast<std::time_t>(seconds);
    }
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(when));
}

nlohmann::ordered_json to_json(const Manifest& manifest) {
    nlohmann::ordered_json digests = nlohmann::ordered_json::object();
    for (const auto& [what, digest] : manifest.sha256) digests[what] = digest;
    return {{"version", manifest.version},
            {"scenario_file", manifest.scenario_file},
            {"overrides", manifest.overrides},
            {"sha256", digests},
            {"engines", manifest.engines}};
}

}  // namespace strata
