// An NVMe drive in time, without an event per flash command: a request advances the next-free times of the planes that
// it senses, of their channels and of the link, 4 KiB at a time, and says when it is done. Programs of what the write
// buffer holds, and the garbage collection that they cause, keep dies and channels busy; a read suspends a program.
#pragma once

#include <cstdint>
#include <vector>

#include "hwmodels/access_rate.hpp"
#include "hwmodels/latency_histogram.hpp"
#include "hwmodels/storage/nvme_spec.hpp"
#include "hwmodels/storage/slot_calendar.hpp"

namespace strata {

class NvmeDrive {
public:
    explicit NvmeDrive(const NvmeSpec& spec);
    // With at most so many commands in it at once; more wait outside.
    NvmeDrive(const NvmeSpec& spec, int queue_depth);

    // When a command that the host gives at `arrival` is done; a write is when the buffer has it. Calls come in order
    // of arrival. Throws InputError for one that is empty, not in whole blocks of 512 B, or beyond the capacity.
    Seconds read(Seconds arrival, std::uint64_t address, Bytes bytes);
    Seconds write(Seconds arrival, std::uint64_t address, Bytes bytes);

    struct Stats {
        double reads = 0, writes = 0;
        Bytes read, written;                                 // asked for
        Bytes sensed, programmed;                            // of flash, for whatever reason
        Seconds last_admitted;                               // when the drive took the latest command
        LatencyHistogram read_latency_ns, write_latency_ns;  // from being taken to being done
        double iops(Seconds over) const { return (reads + writes) / over.si(); }
    };
    const Stats& stats() const { return stats_; }
    void forget_stats();

private:
    double admitted(double arrival);
    void leave(double done);
    void check(std::uint64_t address, Bytes bytes) const;
    double sensed(double ready, std::uint32_t die, std::uint32_t plane);
    double moved(double ready, std::uint32_t die, double parts);
    void program(double now, double collected);

    NvmeSpec spec_;
    std::uint32_t dies_, planes_, channels_, senses_, page_bits_, granularity_bits_;
    std::uint64_t capacity_;
    double page_, granularity_, sense_, suspend_, part_time_, part_overhead_, wire_rate_, controller_;
    double payload_, write_header_, request_header_, completion_header_;
    double write_latency_, amplification_, program_bytes_, program_time_;
    std::size_t buffered_programs_;

    struct Die {
        double program_until = 0, suspended_until = 0;
    };
    std::vector<Die> die_;
    std::vector<double> sense_free_;  // of a die, or of each of its planes
    std::vector<SlotCalendar> channel_;
    SlotCalendar up_, down_;
    std::vector<double> in_drive_;  // when the commands in it are done: a heap, the earliest on top
    std::size_t queue_depth_;
    bool replace_first_ = false;
    double pending_ = 0;  // bytes of the next program
    double room_at_ = 0;  // when the buffer takes the next write
    std::uint64_t programs_ = 0, sequential_at_ = 0;
    Stats stats_;
};

// Random reads of `bytes` (in whole blocks of 512 B), `queue_depth` of them always under way, on a drive in steady
// state. Deterministic; takes some tens of milliseconds, so keep the answer.
AccessRate nvme_random_read(const NvmeSpec& spec, int queue_depth, Bytes bytes);
// The same where only `read_share` of the requests are reads and the others random writes; the latency is of reads.
AccessRate nvme_random_mixed(const NvmeSpec& spec, int queue_depth, Bytes bytes, double read_share);

}  // namespace strata
