// What a part is: numbers that know whether they are known. Using an unknown one is an error that names the part and
// the field, never a guess.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "hwmodels/input_error.hpp"  // what get() throws
#include "hwmodels/units.hpp"

namespace strata {

// Where a number comes from, and what an error calls it. `kind` is one of datasheet, measured, computed, estimate,
// secondary, roadmap, conflict, assumed, unknown, not_supported. Copied and compared in one place, not wherever a part
// is: there are hundreds of them in a platform.
struct SourceText {
    std::string kind = "unknown";
    std::string source;
    std::string note;
    std::string field;  // "H200_SXM.memory.bandwidth"

    SourceText();
    SourceText(const SourceText&);
    SourceText(SourceText&&) noexcept;
    SourceText& operator=(const SourceText&);
    SourceText& operator=(SourceText&&) noexcept;
    ~SourceText();
    bool operator==(const SourceText&) const;
    std::strong_ordering operator<=>(const SourceText&) const;
    [[noreturn]] void refuse_unknown() const;  // throws InputError: the value is null
};

// A number from outside, with its source.
template <class T>
struct Sourced : SourceText {
    std::optional<T> value;

    const T& get() const {
        if (!value) refuse_unknown();
        return *value;
    }
    auto operator<=>(const Sourced&) const = default;
};

struct AcceleratorSpec {
    std::string name;
    std::string vendor;
    std::string cuda_name;  // what its driver calls it: records of measurements know it by that; empty: none do
    Sourced<FlopRate> bf16, fp8, fp4;  // dense peaks
    Sourced<FlopRate> int8;            // few have one
    Sourced<Bytes> memory_capacity;
    Sourced<Bandwidth> memory_bandwidth;  // datasheet peak
    std::string memory_type;
    std::string memory_standard;         // of the catalogue's DRAM standards; empty: none fits
    Sourced<double> memory_units;        // stacks or packages in use
    Sourced<double> compute_capability;  // of NVIDIA's; others have none
    Sourced<double> cores;
    Sourced<double> power_w;                                            // board: what it may draw for long
    Sourced<double> idle_w;                                             // board: powered, no kernel running
    Sourced<double> usd_per_hour_low, usd_per_hour, usd_per_hour_high;  // rented, over public lists: ends and typical
    Sourced<double> purchase_usd;
    Sourced<double> launch;  // share of each kernel's fixed time that is left: what if; nobody publishes one, so 1
    Sourced<Bandwidth> scale_up_bandwidth;  // per direction
    Sourced<double> scale_up_domain;
    Sourced<Bandwidth> nic_bandwidth;  // per direction
    auto operator<=>(const AcceleratorSpec&) const = default;
};

struct MemorySpec {
    std::string name;
    std::string type;              // hbm, ddr, lpddr, gddr, cxl, nvme
    std::string standard;          // of the catalogue's DRAM standards; empty: none fits
    Sourced<Bandwidth> bandwidth;  // of one unit (stack, channel, device)
    Sourced<Bytes> capacity;       // of one unit
    Sourced<Seconds> read_latency;
    Sourced<double> random_read_iops;  // NVMe, 4 KiB
    Sourced<Bytes> granularity;        // smallest read that costs no more than it moves
    auto operator<=>(const MemorySpec&) const = default;
};

struct LinkSpec {
    std::string name;
    Sourced<Bandwidth> bandwidth;            // per direction, raw
    Sourced<Bandwidth> effective_bandwidth;  // large transfers, as measured or after protocol overhead
    Sourced<Seconds> latency;
    Sourced<double> pj_per_bit;
    std::string pcie;  // generation, of the catalogue's files; empty: another kind of link
    Sourced<double> lanes;
    auto operator<=>(const LinkSpec&) const = default;
};

// A machine: `accelerators` of one kind per node, what hangs on the host, and how nodes are joined. Parts are names.
struct SystemSpec {
    std::string name;
    std::string accelerator;
    Sourced<double> accelerators_per_node;
    Sourced<double> nodes;
    std::string host_memory;              // a MemorySpec
    Sourced<double> host_memory_units;    // channels in a node
    Sourced<Bytes> host_memory_capacity;  // of a node
    std::string nvme;                     // a MemorySpec
    Sourced<double> nvme_units;           // drives in a node
    std::string cxl;                      // a MemorySpec: an expander behind the host
    Sourced<double> cxl_units;            // expanders in a node
    std::string host_processor;           // an AcceleratorSpec: one socket's cores
    Sourced<double> host_sockets;
    std::string host_link, scale_up_link, scale_out_link;  // LinkSpecs
    Sourced<double> node_power_w;                          // at most, accelerators included
    Sourced<double> node_usd;                              // bought, accelerators included
    auto operator<=>(const SystemSpec&) const = default;
};

}  // namespace strata
