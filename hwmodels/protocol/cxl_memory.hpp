// DRAM behind CXL.mem: slots of 16 bytes in flits on PCIe's wires, and what that adds to a read's time
// (hwmodels/catalog/cxl/*.yaml).
#pragma once

#include <cstdint>
#include <string>

#include "hwmodels/access_rate.hpp"
#include "hwmodels/specs.hpp"

namespace strata {

struct CxlMemorySpec {
    std::string name, file;
    Sourced<Bytes> capacity;
    Sourced<Bandwidth> lane_rate;  // signalling, a direction
    Sourced<double> encoding;      // 128/130, or 1 where the flit has its own
    Sourced<double> lanes;
    Sourced<Bytes> flit;    // 68 or 256
    Sourced<double> slots;  // of a flit
    Sourced<Bytes> slot;
    Sourced<Bytes> line;              // of a request: 64
    Sourced<double> header_slots;     // of a line that is sent
    Sourced<Bandwidth> memory_rate;   // of the DRAM behind it
    Sourced<Seconds> memory_latency;  // of that DRAM alone
    Sourced<Seconds> added_latency;   // by the way there and back

    Bandwidth read_rate() const;  // of lines: what the wire towards the host carries, or the DRAM if that is less
    Seconds read_latency() const;
};

// Throws InputError with all that is missing or impossible, each with its file and field.
CxlMemorySpec read_cxl_memory_spec(const std::string& file);

// Reads of `bytes` at multiples of it, as many at once as it takes; latency is that of one alone.
AccessRate cxl_read_rate(const CxlMemorySpec& spec, Bytes bytes);

class CxlMemory {
public:
    explicit CxlMemory(const CxlMemorySpec& spec);
    // When the last line of a read is at the host. Calls come in order of arrival. Throws InputError for a read that is
    // empty or beyond the capacity.
    Seconds read(Seconds arrival, std::uint64_t address, Bytes bytes);
    Bytes served() const { return served_; }

private:
    std::string name_;
    std::uint64_t capacity_, line_;
    Seconds line_time_, latency_, free_at_;
    Bytes served_;
};

}  // namespace strata
