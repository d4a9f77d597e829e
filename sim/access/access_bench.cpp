#include "sim/access/access_bench.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/dram/kept_profile.hpp"
#include "hwmodels/rates.hpp"
#include "hwmodels/storage/nvme_drive.hpp"

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
std::string pattern_text(const Access& access) {
    std::string text(to_string(access.pattern));
    std::replace(text.begin(), text.end(), '_', ' ');
    return access.write_share > 0 ? text + fmt::format(", {:g} % writes", 100 * access.write_share) : text;
}

[[noreturn]] void not_modelled(const std::string& part, const char* field, const std::string& path) {
    throw InputError(
        fmt::format("{0}.{1} is null: no model of the catalogue describes it. Set {2}.{1} in the scenario, "
                    "or give it in the catalogue",
                    part, field, path));
}

Accessed accessed(const std::string& part, double peak_GBps, const Access& access) {
    return {.part = part,
            .pattern = pattern_text(access),
            .peak_GBps = peak_GBps,
            .row_bytes = access.row.si(),
            .load = access.load,
            .outstanding = access.outstanding};
}

Run of_rate(const AccessRate& rate, const Accessed& accessed) {
    Run run;
    run.metrics = {{"access.bandwidth_GBps", to_GBps(rate.bandwidth)},
                   {"access.efficiency", to_GBps(rate.bandwidth) / accessed.peak_GBps},
                   {"access.iops", rate.requests_per_s},
                   {"access.latency_ns", to_ns(rate.latency)},
                   {"access.latency_p99_ns", to_ns(rate.latency_p99)}};
    run.accessed = accessed;
    return run;
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
        if (part.memory_standard.empty())
            not_modelled(part.name + ".memory", "standard", "platform.accelerator.memory");
        const int units = static_cast<int>(part.memory_units.get());
        return {fmt::format("{} x {} ({})", part.memory_standard, units, part.name),
                standard(part.memory_standard).at_peak(part.memory_bandwidth.get() / double(units)), units};
    }
    const MemorySpec& part = present(platform.host_memory, platform.system, "host_memory");
    if (part.standard.empty()) not_modelled(part.name, "standard", "platform.host_memory");
    const int units = static_cast<int>(platform.system.host_memory_units.get());
    return {fmt::format("{} x {} ({})", part.name, units, platform.system.name),
            standard(part.standard).at_peak(part.bandwidth.get()), units};
}

const AccessProfile& AccessBench::profile_of(const Memory& memory, const AccessPattern& pattern) {
    const ProfileKey key{memory.spec.name, memory.spec.peak().si(), memory.units, pattern.kind,
                         pattern.row.si(), pattern.write_share,     pattern.load, pattern.outstanding};
    auto known = profiles_.find(key);
    if (known == profiles_.end())
        known = profiles_.emplace(key, kept_profile(memory.spec, memory.units, pattern)).first;
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
    run.accessed = accessed(memory.name, to_GBps(memory.spec.peak()) * memory.units, access);
    return run;
}

// A drive is described as a whole: its datasheet's numbers do not set those of its flash.
NvmeSpec AccessBench::drive_of(const Scenario& scenario) const {
    const MemorySpec& part = present(scenario.platform.nvme, scenario.platform.system, "nvme");
    try {
        return read_nvme_spec(catalog_.nvme_file(part.name));
    } catch (const InputError& error) {
        throw InputError(
            fmt::format("platform.nvme: {}. A drive is run by the numbers of its own file alone", error.what()));
    }
}

Run AccessBench::run_drive(const Scenario& scenario) {
    const Access& access = *scenario.access;
    const NvmeSpec drive = drive_of(scenario);
    const auto key = std::tuple(drive.name, access.row.si(), access.outstanding, access.write_share);
    auto known = drives_.find(key);
    if (known == drives_.end())
        known = drives_
                    .emplace(key, nvme_random_mixed(drive, static_cast<int>(access.outstanding), access.row,
                                                    1 - access.write_share))
                    .first;
    return of_rate(known->second, accessed(drive.name + " (one drive)",
                                           to_GBps(drive.link.raw_rate(static_cast<int>(drive.lanes.get()))), access));
}

AccessBench::Link AccessBench::link_of(const Scenario& scenario) const {
    const PlatformSpec& platform = scenario.platform;
    const LinkSpec& part = present(platform.host_link, platform.system, "host_link");
    if (part.pcie.empty()) not_modelled(part.name, "pcie", "platform.host_link");
    Link link{fmt::format("{} ({})", part.name, platform.system.name), read_pcie_spec(catalog_.pcie_file(part.pcie)),
              static_cast<int>(part.lanes.get())};
    (void)link.spec.packet_rate(link.lanes);  // throws for a width that its file does not have
    return link;
}

Run AccessBench::run_link(const Link& link, const Access& access) const {
    const AccessRate rate = access.pattern == PartPattern::copy_engine
                                ? copy_rate(link.spec, link.lanes, access.row)
                                : zero_copy_rate(link.spec, link.lanes, access.row);
    return of_rate(rate, accessed(link.name, to_GBps(link.spec.raw_rate(link.lanes)), access));
}

Run AccessBench::run(const Scenario& scenario) {
    const AccessPart part = scenario.access->part;
    Run run = part == AccessPart::nvme        ? run_drive(scenario)
              : part == AccessPart::host_link ? run_link(link_of(scenario), *scenario.access)
                                              : run_memory(memory_of(scenario), *scenario.access);
    run.engine = "bank";
    run.bottleneck = to_string(part);
    if (!scenario.access->beside.empty()) put_beside(run, *scenario.access);
    return run;
}

// The best that the machine of the record did at the same: of its threads, pages and prefetch distances.
void AccessBench::put_beside(Run& run, const Access& access) {
    auto known = records_.find(access.beside);
    if (known == records_.end()) known = records_.emplace(access.beside, read_measurements(access.beside)).first;
    const bool drive = access.part == AccessPart::nvme;
    const std::string what = drive                                   ? "host/direct_reads"
                             : access.pattern == PartPattern::stream ? "host/stream_read"
                                                                     : "host/random_gather";
    std::map<std::string, double> wanted;
    if (drive) wanted = {{"block_bytes", access.row.si()}, {"depth", access.outstanding}};
    if (what == "host/random_gather") wanted = {{"row_bytes", access.row.si()}};
    const auto fits = [&](const Measurement& row) {
        return row.what == what && std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
                   const auto found = row.parameters.find(one.first);
                   return found != row.parameters.end() && found->second == decltype(found->second)(one.second);
               });
    };
    const std::pair<const char*, const char*> metrics[] = {{"bandwidth_GBps", "access.measured_GBps"},
                                                           {"iops", "access.measured_iops"}};
    bool any = false;
    std::string why;  // it was not measured
    for (const Measurement& row : known->second) {
        if (row.what == what && !row.unavailable.empty()) why = fmt::format("; {}: {}", row.line, row.unavailable);
        if (!fits(row) || !row.unavailable.empty()) continue;
        any = true;
        for (const auto& [measured, metric] : metrics)
            if (const auto found = row.metrics.find(measured); found != row.metrics.end())
                run.metrics[metric] = std::max(run.metrics[metric], found->second.median);
    }
    if (any) return;
    std::string conditions;
    for (const auto& [name, value] : wanted) conditions += fmt::format(" {} {}", name, value);
    throw InputError(fmt::format("{}: no row of {}{}{}", access.beside, what, conditions, why));
}

void AccessBench::check(const Scenario& scenario) {
    const AccessPart part = scenario.access->part;
    if (part == AccessPart::nvme)
        (void)drive_of(scenario);
    else if (part == AccessPart::host_link)
        (void)link_of(scenario);
    else
        (void)memory_of(scenario);
}

}  // namespace strata
