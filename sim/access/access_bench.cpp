#include "sim/access/access_bench.hpp"

#include <fmt/format.h>

#include <cmath>

namespace strata {

namespace {

AccessKind kind_of(PartPattern pattern) {
    switch (pattern) {
        case PartPattern::copy: return AccessKind::copy;
        case PartPattern::random_rows: return AccessKind::random_rows;
        case PartPattern::bank_conflict: return AccessKind::bank_conflict;
        default: return AccessKind::stream;
    }
}

double to_ns(Seconds time) { return time.si() * 1e9; }
double to_GBps(Bandwidth rate) { return rate.si() / 1e9; }

// "8 B", "264 B", "4 KiB": as a row is called.
std::string size_text(Bytes size) {
    const double kib = size.si() / 1024;
    return kib >= 1 && kib == std::floor(kib) ? fmt::format("{} KiB", kib) : fmt::format("{} B", size.si());
}

std::string pattern_text(const Access& access) {
    switch (access.pattern) {
        case PartPattern::stream: return "stream";
        case PartPattern::copy: return "copy";
        case PartPattern::bank_conflict: return "bank conflict";
        case PartPattern::copy_engine: return "copy engine, " + size_text(access.row);
        case PartPattern::zero_copy: return "zero copy, " + size_text(access.row);
        case PartPattern::random_rows: break;
    }
    const std::string rows = "random rows of " + size_text(access.row);
    return access.write_share > 0 ? rows + fmt::format(", {:g} % writes", 100 * access.write_share) : rows;
}

[[noreturn]] void no_standard(const std::string& part, const char* path) {
    throw InputError(
        fmt::format("{}.standard is null: no DRAM standard of the catalogue describes it. Set {}.standard "
                    "in the scenario, or give it in the catalogue",
                    part, path));
}

}  // namespace

const DramSpec& AccessBench::standard(const std::string& name) {
    auto known = standards_.find(name);
    if (known == standards_.end()) known = standards_.emplace(name, read_dram_spec(catalog_.dram_file(name))).first;
    return known->second;
}

// The standard's cells behind the interface that the part has: its bandwidth is what its datasheet says.
AccessBench::Memory AccessBench::memory_of(const Scenario& scenario) {
    const PlatformSpec& platform = scenario.platform;
    if (scenario.access->part == AccessPart::accelerator_memory) {
        const AcceleratorSpec& part = platform.accelerator;
        if (part.memory_standard.empty()) no_standard(part.name + ".memory", "platform.accelerator.memory");
        const int units = static_cast<int>(part.memory_units.get());
        return {fmt::format("{} x {} of {}", units, part.memory_standard, part.name),
                standard(part.memory_standard).at_peak(part.memory_bandwidth.get() / double(units)), units};
    }
    const MemorySpec& part = present(platform.host_memory, platform.system, "host_memory");
    if (part.standard.empty()) no_standard(part.name, "platform.host_memory");
    const int units = static_cast<int>(platform.system.host_memory_units.get());
    return {fmt::format("{} x {} of {}", units, part.name, platform.system.name),
            standard(part.standard).at_peak(part.bandwidth.get()), units};
}

const AccessProfile& AccessBench::profile_of(const Memory& memory, const AccessPattern& pattern) {
    const ProfileKey key{memory.spec.name, memory.spec.peak().si(), memory.units, pattern.kind,
                         pattern.row.si(), pattern.write_share,     pattern.load, pattern.outstanding};
    auto known = profiles_.find(key);
    if (known == profiles_.end())
        known = profiles_.emplace(key, characterise(memory.spec, memory.units, pattern)).first;
    return known->second;
}

Run AccessBench::run_memory(const Memory& memory, const Access& access) {
    const AccessProfile& profile = profile_of(memory, {.kind = kind_of(access.pattern),
                                                       .row = access.row,
                                                       .write_share = access.write_share,
                                                       .load = access.load,
                                                       .outstanding = access.outstanding});
    Run run;
    run.metrics = {
        {"access.bandwidth_GBps", to_GBps(profile.bandwidth)}, {"access.efficiency", profile.efficiency},
        {"access.latency_ns", to_ns(profile.latency_mean)},    {"access.latency_p50_ns", to_ns(profile.latency_p50)},
        {"access.latency_p99_ns", to_ns(profile.latency_p99)}, {"access.row_hit_rate", profile.row_hits}};
    if (profile.picojoules_per_bit > 0) run.metrics["access.energy_pj_per_bit"] = profile.picojoules_per_bit;
    run.accessed = {.part = memory.name,
                    .pattern = pattern_text(access),
                    .peak_GBps = to_GBps(memory.spec.peak()) * memory.units,
                    .row_bytes = access.row.si(),
                    .load = access.load};
    return run;
}

Run AccessBench::run(const Scenario& scenario) {
    Run run = run_memory(memory_of(scenario), *scenario.access);
    run.engine = "bank";
    run.bottleneck = to_string(scenario.access->part);
    return run;
}

void AccessBench::check(const Scenario& scenario) { (void)memory_of(scenario); }

}  // namespace strata
