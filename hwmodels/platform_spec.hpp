// A system with its parts looked up: the one description of a machine that a point is run on. A scenario can replace
// each part by name, take the numbers of host memory and drive from a record of measurements, and set each number by
// path; what it sets is a number of kind `assumed`.
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

// Ordered, so that what is derived from one can be kept by it: equal specs are equal machines.
struct PlatformSpec {
    SystemSpec system;  // the names of its parts are those of the parts below
    AcceleratorSpec accelerator;
    std::optional<MemorySpec> host_memory, nvme;  // none: the catalogue knows of none
    std::optional<LinkSpec> host_link, scale_up_link, scale_out_link;
    std::string accelerator_dram{}, host_dram{};  // files of their DRAM standards; empty: none fits
    std::set<std::string> records{};              // files of measurements that numbers were taken from
    std::optional<MemorySpec> cxl{};              // none, as above
    std::optional<AcceleratorSpec> host_processor{};

    auto operator<=>(const PlatformSpec&) const = default;
};

// The part, or an InputError that says which `role` of the system is empty.
template <class Part>
const Part& present(const std::optional<Part>& part, const SystemSpec& system, const char* role) {
    if (!part)
        throw InputError(system.name + "." + role + " is null: the catalogue knows of none. Set platform." + role +
                         " in the scenario, or choose another system");
    return *part;
}

// As the catalogue has it. Throws InputError for an unknown name.
PlatformSpec platform_spec(const Catalog& catalog, std::string_view system);

// {system: HGX_H800, nodes: 40, accelerator: {part: B200_SXM, memory: {bandwidth: 8 TB/s}}, scale_out_link: RoCE400},
// and {host_memory: {measured: host.jsonl}, nvme: {measured: host.jsonl}} with a record of 'strata measure host'.
// Notes what is wrong as problems of `field`; the result is meaningful only if there are none.
PlatformSpec read_platform(const YamlField& field, const Catalog& catalog);

}  // namespace strata
