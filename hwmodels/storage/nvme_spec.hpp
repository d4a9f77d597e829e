// An NVMe drive as one file has it (hwmodels/catalog/nvme/*.yaml): flash dies behind channels, a controller, a write
// buffer and a PCIe link. No rate of I/O operations is in it: that is what the model is for.
#pragma once

#include <string>

#include "hwmodels/protocol/pcie.hpp"
#include "hwmodels/specs.hpp"

namespace strata {

struct NvmeSpec {
    std::string name, file;
    Sourced<Bytes> capacity;
    Sourced<Bytes> granularity;  // what one read of flash brings to the controller: 4 KiB and its parity
    // Flash.
    Sourced<double> channels;
    Sourced<double> dies;
    Sourced<double> planes;          // of a die
    Sourced<double> reads_of_a_die;  // pages that a die can sense at once for unrelated reads: 1, or its planes
    Sourced<Seconds> sense_time;     // tR, of a page into its register
    Sourced<Bandwidth> channel_rate;
    Sourced<double> parity;             // bytes on a channel over bytes of data
    Sourced<Seconds> channel_overhead;  // commands, addresses and status of one transfer
    Sourced<Bytes> page;                // of a plane
    Sourced<double> bits_per_cell;
    Sourced<Bandwidth> program_rate;  // of a die, all planes at once
    Sourced<Seconds> suspend_time;    // until a program makes way for a read
    // Controller.
    Sourced<Seconds> read_latency;   // of one 4 KiB read alone, as its datasheet has it
    Sourced<Seconds> write_latency;  // into the buffer
    Sourced<double> queue_depth;     // commands in the drive
    Sourced<Bytes> write_buffer;
    Sourced<double> write_amplification;  // flash bytes written for a byte of random writes, steady state
    // Link.
    PcieSpec link;
    Sourced<double> lanes;

    Bytes program_bytes() const;                     // of one program of a die
    Seconds channel_time(double pages_parts) const;  // of parts of 4 KiB of one page, moved together
    Bytes up_bytes(Bytes data) const;                // on the link towards the host, of one read
    Seconds controller_time() const;  // what is left of read_latency: firmware, translation, error correction
};

// Throws InputError with all that is missing or impossible, each with its file and field. The link is read from
// `pcie/NAME.yaml` beside the folder of the file.
NvmeSpec read_nvme_spec(const std::string& file);

}  // namespace strata
