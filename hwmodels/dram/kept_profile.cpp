#include "hwmodels/dram/kept_profile.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "hwmodels/sha256.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

fs::path cache_folder() {
    if (const char* own = std::getenv("STRATA_CACHE")) return own;
    if (const char* all = std::getenv("XDG_CACHE_HOME"); all && *all) return fs::path(all) / "strata";
    if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "strata";
    return {};
}

std::string question(const DramSpec& spec, int units, const AccessPattern& pattern) {
    return fmt::format("{}\n{}units {}\npattern {} {:a} {:a} {:a} {:a} {}\n", STRATA_DRAM_MODEL, spec.text(), units,
                       static_cast<int>(pattern.kind), pattern.row.si(), pattern.write_share, pattern.load,
                       pattern.outstanding, pattern.seed);
}

constexpr int kNumbers = 8;

std::optional<AccessProfile> read_kept(const fs::path& file) {
    std::ifstream stream(file);
    double number[kNumbers];
    for (double& value : number) {
        std::string text;  // streams do not read the hexadecimal form
        if (!(stream >> text)) return std::nullopt;
        value = std::strtod(text.c_str(), nullptr);
    }
    return AccessProfile{.bandwidth = Bandwidth(number[0]),
                         .efficiency = number[1],
                         .row_hits = number[2],
                         .latency_mean = Seconds(number[3]),
                         .latency_p50 = Seconds(number[4]),
                         .latency_p99 = Seconds(number[5]),
                         .picojoules_per_bit = number[6],
                         .requests = number[7]};
}

// Whole or not at all; a cache that cannot be written is none.
void keep(const fs::path& file, const AccessProfile& p) {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    const std::size_t thread = std::hash<std::thread::id>()(std::this_thread::get_id());
    const fs::path partial = file.string() + fmt::format(".{}.{}.partial", getpid(), thread);
    std::ofstream stream(partial);
    stream << fmt::format("{:a} {:a} {:a} {:a} {:a} {:a} {:a} {:a}\n", p.bandwidth.si(), p.efficiency, p.row_hits,
                          p.latency_mean.si(), p.latency_p50.si(), p.latency_p99.si(), p.picojoules_per_bit,
                          p.requests);
    stream.close();
    if (stream) fs::rename(partial, file, ignored);
    if (!stream || ignored) fs::remove(partial, ignored);
}

}  // namespace

AccessProfile kept_profile(const DramSpec& spec, int units, const AccessPattern& pattern) {
    const fs::path folder = cache_folder();
    if (folder.empty()) return characterise(spec, units, pattern);
    const fs::path file = folder / "dram" / sha256(question(spec, units, pattern));
    if (const auto kept = read_kept(file)) return *kept;
    const AccessProfile profile = characterise(spec, units, pattern);
    keep(file, profile);
    return profile;
}

}  // namespace strata
