// What the bench measured of our kernels (kernels/profiles/*.jsonl), as a page shows it. No Qt.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace strata {

struct KernelSample {
    std::string device{}, kernel{}, shape{};  // "NVIDIA H200", "mhc/pre", "tokens=8192 hidden=7168"
    std::string outcome{}, reason{};          // "measured"; else why not
    double median_us = 0, p05_us = 0, p95_us = 0;
    int repeats = 0;
    std::string ceiling{};                        // of the run, that binds it: "copy"; empty: none
    std::optional<double> share{}, goal_share{};  // of the ceiling
    std::optional<double> goal_us{};
    std::string goal{};  // in words; empty: none is set
    std::optional<bool> reached{};
    std::string baselines{};  // "1.40 x post, then pre"
    double gbs = 0, tflops = 0;

    std::string family() const { return kernel.substr(0, kernel.find('/')); }
    bool measured() const { return outcome == "measured"; }
    // What the spread of its times makes of its share: from the slowest to the fastest twentieth.
    double share_at(double us) const { return *share * median_us / us; }
};

// In the order of the records. Throws InputError with file, line and field for what is no record.
std::vector<KernelSample> kernel_samples(const std::filesystem::path& folder);

}  // namespace strata
