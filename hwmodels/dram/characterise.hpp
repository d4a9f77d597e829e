// What a memory makes of an access pattern: the bank model run until its figures hold still.
#pragma once

#include <cstdint>

#include "hwmodels/dram/dram_spec.hpp"

namespace strata {

enum class AccessKind : std::uint8_t {
    stream,        // ascending addresses
    copy,          // one stream is read, another is written, a byte for a byte
    random_rows,   // `row` contiguous bytes at a random multiple of `row`
    bank_conflict  // every access another row of one bank
};

struct AccessPattern {
    AccessKind kind = AccessKind::stream;
    Bytes row{64};           // of one request; a stream rounds it up to whole accesses
    double write_share = 0;  // of random rows
    double load = 0;         // offered bytes over the peak; 0: as fast as it goes
    double outstanding = 0;  // requests in flight over the whole memory; 0: as many as the windows hold
    std::uint64_t seed = 1;
};

struct AccessProfile {
    Bandwidth bandwidth;                             // of bytes asked for; what bursts bring beyond them is not counted
    double efficiency = 0;                           // bandwidth over the peak
    double row_hits = 0;                             // share of accesses that found their row open
    Seconds latency_mean, latency_p50, latency_p99;  // of a request, in the memory
    double picojoules_per_bit = 0;                   // of bytes asked for; 0: the standard's energy is not published
    double requests = 0;                             // that it was measured over
};

// `units` of the standard, interleaved by its mapping. Throws InputError for a pattern that makes no sense.
AccessProfile characterise(const DramSpec& spec, int units, const AccessPattern& pattern);

}  // namespace strata
