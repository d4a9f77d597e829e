#include "app/measure/machine.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace strata {

namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line;
}

// The value of a line such as "model name : ..." or "MemTotal:  24000000 kB".
std::string value_of(const char* file, const std::string& key) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.rfind(key, 0) != 0) continue;
        const std::size_t colon = line.find(':'), value = line.find_first_not_of(" \t", colon + 1);
        if (colon != std::string::npos && value != std::string::npos) return line.substr(value);
    }
    return "";
}

Bytes memory_of(const char* key) { return Bytes(1024 * std::strtod(value_of("/proc/meminfo", key).c_str(), nullptr)); }

// A container may be given less than the machine has; "max" and a missing file mean no limit.
Bytes memory_limit() {
    const double limit = std::strtod(first_line("/sys/fs/cgroup/memory.max").c_str(), nullptr);
    return Bytes(limit > 0 ? limit : 1e18);
}

// Cores share a cache: each is counted once.
std::map<std::string, double> caches() {
    std::map<std::string, double> found;
    std::set<std::string> counted;
    std::error_code none;
    for (const auto& cpu : fs::directory_iterator("/sys/devices/system/cpu", none)) {
        const fs::path folder = cpu.path() / "cache";
        for (const auto& index : fs::directory_iterator(folder, none)) {
            if (!fs::exists(index.path() / "level")) continue;
            const std::string type = first_line(index.path() / "type"), level = first_line(index.path() / "level");
            if (type == "Instruction") continue;
            if (!counted.insert(level + " " + first_line(index.path() / "shared_cpu_list")).second) continue;
            const std::string size = first_line(index.path() / "size");  // "32768K"
            const double unit = size.ends_with("M") ? 1 << 20 : size.ends_with("K") ? 1024 : 1;
            const double bytes = unit * std::strtod(size.c_str(), nullptr);
            if (bytes > 0) found["l" + level + (level == "1" ? "d" : "")] += bytes;
        }
    }
    return found;
}

std::string huge_page_mode() {
    const std::string modes = first_line("/sys/kernel/mm/transparent_hugepage/enabled");  // "always [madvise] never"
    const std::size_t open = modes.find('['), close = modes.find(']');
    return open == std::string::npos || close == std::string::npos ? "absent"
                                                                   : modes.substr(open + 1, close - open - 1);
}

}  // namespace

MeasuredMachine this_machine() {
    utsname system{};
    uname(&system);
    const std::string model = value_of("/proc/cpuinfo", "model name");
    return {.cpu = model.empty() ? system.machine : model,  // ARM's kernels name none
            .cores = std::max(1, int(std::thread::hardware_concurrency())),
            .memory = std::min(memory_of("MemTotal"), memory_limit()),
            .cache_bytes = caches(),
            .kernel = system.release,
            .huge_pages = huge_page_mode()};
}

Bytes available_memory() { return std::min(memory_of("MemAvailable"), memory_limit()); }

double last_level_cache() {
    const std::map<std::string, double> all = caches();
    return all.empty() ? 0 : all.rbegin()->second;  // "l3" comes after "l2"
}

double busy_cores() { return std::strtod(first_line("/proc/loadavg").c_str(), nullptr); }

}  // namespace strata
