// A DRAM standard as one file has it: organisation, timings in cycles, refresh, energy and the controller that drives
// it. hwmodels/catalog/dram/*.yaml; every number there has its source.
#pragma once

#include <cstdint>
#include <string>

#include "hwmodels/specs.hpp"

namespace strata {

// Of one unit: a stack of HBM, a channel of DDR5, a package of LPDDR5X or GDDR7.
struct DramOrganisation {
    int channels = 1;
    int pseudo_channels = 1;  // of a channel (DDR5: sub-channels), each with command and data buses of its own
    int ranks = 1;            // or stack IDs
    int bank_groups = 1;      // of a rank
    int banks = 1;            // of a bank group
    int rows = 1;             // of a bank
    int page_bytes = 0;       // of a row in one pseudo-channel
    int width_bits = 0;       // of a pseudo-channel
    int burst_length = 0;

    int access_bytes() const { return width_bits * burst_length / 8; }
    int columns() const { return page_bytes / access_bytes(); }  // accesses in a row
    int buses() const { return channels * pseudo_channels; }
    int banks_of_a_rank() const { return bank_groups * banks; }
    int banks_of_a_bus() const { return ranks * banks_of_a_rank(); }
};

// In cycles. READ to data CL, WRITE to data CWL; WTR and WR count from the end of the write's data.
struct DramTimings {
    int CL = 0, CWL = 0;
    int RCDRD = 0, RCDWR = 0, RP = 0, RAS = 0, RC = 0;
    int WR = 0, RTP = 0;
    int CCD_S = 0, CCD_L = 0, CCD_R = 0;  // other bank group, same bank group, other rank
    int RRD_S = 0, RRD_L = 0, FAW = 0;
    int WTR_S = 0, WTR_L = 0, RTW = 0;
};

enum class RefreshMode : std::uint8_t { per_bank, all_bank };

struct DramRefresh {
    RefreshMode mode = RefreshMode::all_bank;
    int REFI = 0;       // every bank is refreshed once in it
    int RFC = 0;        // of the mode
    int RREFD = 0;      // per_bank: to the next refresh, or an activate, of another bank
    int postponed = 0;  // so many may be late
};

struct DramEnergy {
    Sourced<double> activate_pJ, read_pJ_per_bit, write_pJ_per_bit, refresh_pJ, background_W;
};

enum class PagePolicy : std::uint8_t { open, closed, timeout };

constexpr int kMostQueued = 64;  // reads, and writes, before one bus: a queue is a word of bits
constexpr int kMostRanks = 16;

struct DramController {
    std::string mapping;
    PagePolicy page_policy = PagePolicy::open;
    int timeout = 0;  // cycles
    int window = 32;  // reads looked at, a pseudo-channel
    int write_depth = 32, write_high = 24, write_low = 8;
};

struct DramSpec {
    std::string name, type, file;
    Sourced<Seconds> clock;
    int transfers_per_clock = 2;
    DramOrganisation organisation;
    DramTimings timings;
    DramRefresh refresh;
    DramEnergy energy;
    DramController controller;

    int burst_cycles() const { return organisation.burst_length / transfers_per_clock; }
    Bandwidth peak_of_a_bus() const;  // of a pseudo-channel
    Bandwidth peak() const { return peak_of_a_bus() * double(organisation.buses()); }
    Bytes capacity() const;  // of one unit

    // The same cells behind a faster or slower interface: bursts keep their cycles, what the array sets keeps its
    // nanoseconds, rounded up to whole cycles.
    DramSpec at_peak(Bandwidth of_one_unit) const;

    // All numbers that decide what it does, as a text: equal texts are equal memories.
    std::string text() const;
};

// Throws InputError with all that is missing or impossible, each with its file and field.
DramSpec read_dram_spec(const std::string& file);

}  // namespace strata
