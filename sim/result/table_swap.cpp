#include "sim/result/table_swap.hpp"

#include <algorithm>

#include "hwmodels/input_error.hpp"
#include "sim/model/accounting.hpp"

namespace strata {

namespace {

Bandwidth read_from(Tier tier, const Machine& machine) {
    switch (tier) {
        case Tier::hbm: return machine.memory;
        case Tier::host: return machine.host_memory;
        case Tier::cxl: return machine.cxl;
        case Tier::nvme: return machine.nvme;
    }
    return {};
}

// Long runs of whole pages: at bandwidths, not at the rates of single rows.
Seconds copy_time(const Scenario& scenario, const Machine& machine) {
    const Placement& placement = scenario.placement;
    const Tier from = placement.domains->waiting;
    const Bandwidth source = read_from(from, machine);
    if (source <= Bandwidth(0))
        throw InputError("placement.engram.domains.waiting",
                         "a tier that " + scenario.platform.system.name + " has, with its bandwidth known",
                         std::string(to_string(from)));
    const Bytes table = weight_bytes(scenario.model).engram;
    if (placement.engram != Tier::hbm) return table / std::min(source, read_from(placement.engram, machine));
    const double here = std::max(1, std::min(machine.ranks, placement.ranks()));
    const Bytes of_a_rank = table / placement.ranks();
    return std::max(of_a_rank * here / source, of_a_rank / machine.host_link);
}

}  // namespace

std::optional<TableSwap> table_swap(const Scenario& scenario, const Machine& machine, Seconds step) {
    if (!scenario.model.engram || !scenario.placement.swaps_tables()) return std::nullopt;
    const TableDomains& domains = *scenario.placement.domains;
    const double tokens = scenario.workload.batch * scenario.workload.tokens();
    TableSwap swap{.copy = copy_time(scenario, machine), .waited = {}, .a_step = tokens / domains.tokens};
    // Behind answers of the last domain, only what they do not cover is waited for.
    swap.waited = domains.behind ? std::max(Seconds(0), swap.copy - step / swap.a_step) : swap.copy;
    return swap;
}

}  // namespace strata
