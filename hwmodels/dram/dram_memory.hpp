// A memory of several units (stacks, channels, packages) of one standard, interleaved by its mapping: requests in,
// times out. The work for a request depends neither on how many pseudo-channels there are (their state outgrows caches,
// though) nor on how much time passes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "hwmodels/dram/dram_channel.hpp"
#include "hwmodels/latency_histogram.hpp"

namespace strata {

struct DramRequest {
    std::uint64_t address = 0;  // of the first byte, and...
    std::uint64_t bytes = 0;    // ...how many: both whole accesses
    bool write = false;
};

class DramMemory : private DramChannel::Listener {
public:
    // Throws InputError if the mapping does not fit.
    DramMemory(const DramSpec& spec, int units);
    DramMemory(const DramMemory&) = delete;
    DramMemory& operator=(const DramMemory&) = delete;

    // The request waits in the windows from now on; returns when they all had room for it. What it waits for is decided
    // as later requests push it on, or by drain(). Throws InputError for a request of no bytes, of parts of an access
    // or beyond the capacity.
    Cycle post(const DramRequest& request, Cycle arrival);
    // The same, and decides it: returns when its last byte is through.
    Cycle finish(const DramRequest& request, Cycle arrival);
    // Several requests that arrive together: returns when the last byte of all is through.
    Cycle finish(const std::vector<DramRequest>& together, Cycle arrival);
    // The next of a backlog: it arrives, and its latency begins, when there is room for it.
    Cycle push(const DramRequest& request);
    // Decides one access of the pseudo-channel that is furthest behind; false if nothing waits.
    bool step();
    // Decides all that waits; returns when the last data is through.
    Cycle drain();
    // Is told when each request is through.
    void tell(std::function<void(Cycle end)> done) { done_ = std::move(done); }

    const DramSpec& spec() const { return spec_; }
    const AddressMapping& mapping() const { return mapping_; }
    Bandwidth peak() const { return spec_.peak() * double(units_); }
    Seconds time_of(Cycle cycles) const { return spec_.clock.get() * double(cycles); }
    Cycle cycle_of(Seconds time) const;  // the first that does not begin before it

    // Of each pseudo-channel, by DramCoordinates::channel, and of all.
    std::size_t channels() const { return channels_.size(); }
    const DramCounts& counts(std::size_t channel) const { return channels_[channel].counts(); }
    DramCounts counts() const;
    // Reads that ended there.
    const LatencyHistogram& latencies(std::size_t channel) const { return latencies_[channel]; }
    LatencyHistogram latencies() const;
    // Of what was counted, up to `until`; null if the standard's figures are not published.
    std::optional<double> energy_pJ(const DramCounts& counts, Cycle until) const;

    // Every command from now on; null: none.
    void emit_to(CommandSink sink);

private:
    struct Outstanding {
        Cycle arrival = 0, end = 0;
        std::uint32_t accesses : 31 = 0;  // undecided
        std::uint32_t write : 1 = 0;
        std::uint32_t next_free = 0;
    };

    void decided(std::uint32_t request, Cycle data_end) override;
    std::uint32_t open_request(std::uint64_t bytes, bool write, Cycle arrival);
    void check(const DramRequest& request) const;
    Cycle enqueue_all(const DramRequest& request, Cycle arrival, std::uint32_t id);

    const DramSpec spec_;
    const int units_;
    const AddressMapping mapping_;
    std::vector<DramChannel> channels_;
    std::vector<LatencyHistogram> latencies_;
    std::vector<Outstanding> outstanding_;
    std::uint32_t free_request_ = kNone;
    std::uint32_t deciding_in_ = 0;  // channel
    std::uint32_t watched_ = kNone;
    Cycle watched_end_ = 0;
    std::function<void(Cycle)> done_;
    CommandSink sink_;

    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
};

}  // namespace strata
