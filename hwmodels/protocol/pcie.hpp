// PCI Express as one file has it (hwmodels/catalog/pcie/*.yaml), and what it makes of reads of host memory by an
// accelerator. Two paths: the copy engine asks for long stretches in the largest read requests; loads of its cores
// (zero copy) ask for the sectors of one line at a time. Both hold a tag for each request until its data is back.
// Rates in closed form here; PcieReader is the same request by request, and a test holds them against each other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hwmodels/access_rate.hpp"
#include "hwmodels/specs.hpp"

namespace strata {

struct PcieSpec {
    std::string name, file;
    Sourced<Bandwidth> lane_rate;            // signalling, a direction
    Sourced<double> encoding;                // of it that packets can use: 128/130, or 236/256 of a flit
    std::map<int, double> link_layer_share;  // lanes -> of that, what DLLPs and SKP ordered sets take
    std::string link_layer_source;
    Sourced<Bytes> request_header;            // of a read request: framing, sequence, header with 64-bit address, LCRC
    Sourced<Bytes> completion_header;         // of a completion with data
    Sourced<Bytes> write_header;              // of a posted write
    Sourced<Bytes> max_payload;               // MPS, of any packet
    Sourced<Bytes> max_read_request;          // MRRS, what the copy engine asks for at once
    Sourced<Bytes> read_completion_boundary;  // RCB, completions may end at its multiples only
    Sourced<Bytes> completion_payload;        // what the host puts into one completion, from RCB to MPS
    Sourced<double> tags;                     // read requests in flight
    Sourced<Bytes> completion_buffer;         // room for data asked for and not back yet; null: not the limit
    Sourced<Seconds> round_trip;              // from a request leaving to its data arriving, wire time not counted
    Sourced<Bytes> line, sector;              // of a load: the most that one request asks for, and its grain
    Sourced<Seconds> load_path;               // between a core and the port and back
    Sourced<Seconds> copy_setup;              // from one copy of a queue to the next one's first request

    // Of packets, a direction, after encoding and the link layer. Throws InputError for a width without a share.
    Bandwidth packet_rate(int lanes) const;
    Bandwidth raw_rate(int lanes) const;  // after encoding alone: the figure that is quoted
};

// Throws InputError with all that is missing or impossible, each with its file and field.
PcieSpec read_pcie_spec(const std::string& file);

// One copy of `bytes` from host memory by the copy engine; latency is all of its time.
AccessRate copy_rate(const PcieSpec& spec, int lanes, Bytes bytes);
// The other way: posted writes, no tags.
AccessRate copy_to_host_rate(const PcieSpec& spec, int lanes, Bytes bytes);
// Loads of rows of `row` bytes at random multiples of `row`, as many at once as there are tags; latency is that of a
// row alone.
AccessRate zero_copy_rate(const PcieSpec& spec, int lanes, Bytes row);

enum class PciePath : std::uint8_t { copy_engine, zero_copy };

class PcieReader {
public:
    PcieReader(const PcieSpec& spec, int lanes, PciePath path);

    // When the data of a read that the requester makes at `arrival` is all there. Calls come in order of arrival.
    // Throws InputError for a read of nothing.
    Seconds read(Seconds arrival, Bytes bytes) { return read(arrival, 0, bytes); }
    Seconds read(Seconds arrival, std::uint64_t address, Bytes bytes);

    struct Stats {
        double reads = 0, requests = 0;
        Bytes served, down, up;  // asked for; on the wires, headers included
        Seconds down_busy;
    };
    const Stats& stats() const { return stats_; }

private:
    double request(double ready, std::uint64_t address, std::uint64_t bytes);

    double rate_;  // bytes a second, a direction
    double request_header_, completion_header_, round_trip_, before_, after_;
    std::uint64_t grain_, largest_, payload_;
    std::vector<double> tag_free_;  // a ring: data comes back in the order of requests
    std::size_t next_tag_ = 0;
    double up_free_ = 0, down_free_ = 0;
    Stats stats_;
};

}  // namespace strata
