// Runs accesses: one part of a platform under one pattern, by the models of hwmodels that look at banks, drives and
// packets. What a memory made of a pattern is kept, so that a sweep asks for each only once.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "hwmodels/dram/characterise.hpp"
#include "hwmodels/measurement.hpp"
#include "hwmodels/protocol/pcie.hpp"
#include "hwmodels/storage/nvme_spec.hpp"
#include "sim/result/run.hpp"

namespace strata {

class AccessBench {
public:
    explicit AccessBench(const Catalog& catalog) : catalog_(catalog) {}

    // Throws InputError for a part that the platform lacks or that nothing is known of to run it by.
    Run run(const Scenario& scenario);
    // The same errors, without running.
    void check(const Scenario& scenario);

private:
    void put_beside(Run& run, const Access& access);

    struct Memory {
        std::string name;  // "HBM3E x 6 (H200_SXM)"
        DramSpec spec;     // at the part's own peak
        int units = 1;
    };
    struct Link {
        std::string name;  // "PCIe5_x16 (HGX_H200)"
        PcieSpec spec;
        int lanes = 16;
    };
    Memory memory_of(const Scenario& scenario);
    NvmeSpec drive_of(const Scenario& scenario) const;
    Link link_of(const Scenario& scenario) const;
    const DramSpec& standard(const std::string& name);
    const AccessProfile& profile_of(const Memory& memory, const AccessPattern& pattern);
    Run run_memory(const Memory& memory, const Access& access);
    Run run_drive(const Scenario& scenario);
    Run run_link(const Link& link, const Access& access) const;

    using ProfileKey = std::tuple<std::string, double, int, AccessKind, double, double, double, double>;

    const Catalog& catalog_;
    std::map<std::string, std::vector<Measurement>> records_;
    std::map<std::string, DramSpec> standards_;
    std::map<ProfileKey, AccessProfile> profiles_;
    std::map<std::tuple<std::string, double, double, double>, AccessRate> drives_;
};

}  // namespace strata
