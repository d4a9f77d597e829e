#include "hwmodels/dram/dram_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strata {

DramMemory::DramMemory(const DramSpec& spec, int units) : spec_(spec), units_(units), mapping_(spec_, units) {
    const auto count = static_cast<std::uint32_t>(spec_.organisation.buses() * units);
    channels_.reserve(count);
    DramChannel::Listener& listener = *this;
    for (std::uint32_t i = 0; i < count; ++i) channels_.emplace_back(spec_, i, listener);
    latencies_.resize(count);
}

Cycle DramMemory::cycle_of(Seconds time) const {
    return static_cast<Cycle>(std::ceil(time / spec_.clock.get() - 1e-6));
}

void DramMemory::check(const DramRequest& request) const {
    const auto access = static_cast<std::uint64_t>(mapping_.access_bytes());
    const auto wrong = [&](const std::string& expected, const std::string& found) {
        throw InputError(
            fmt::format("{} ({}): request of {} B at {:#x}", spec_.name, spec_.file, request.bytes, request.address),
            expected, found);
    };
    if (request.bytes == 0) wrong("at least one access (organisation: width_bits x burst_length)", "no bytes");
    if (request.address % access != 0 || request.bytes % access != 0)
        wrong(fmt::format("address and bytes in whole accesses of {} B (organisation: width_bits x burst_length)",
                          access),
              "a part of one");
    if (request.address >= mapping_.capacity() || request.bytes > mapping_.capacity() - request.address)
        wrong(fmt::format("a place within {} units of {} B (organisation)", units_, mapping_.capacity() / units_),
              "one beyond");
}

std::uint32_t DramMemory::open_request(std::uint64_t bytes, bool write, Cycle arrival) {
    std::uint32_t id = free_request_;
    if (id == kNone) {
        id = static_cast<std::uint32_t>(outstanding_.size());
        outstanding_.emplace_back();
    } else {
        free_request_ = outstanding_[id].next_free;
    }
    Outstanding& opened = outstanding_[id];
    opened.arrival = arrival;
    opened.end = 0;
    opened.accesses = static_cast<std::uint32_t>(bytes / static_cast<unsigned>(mapping_.access_bytes())) & 0x7fffffff;
    opened.write = write;
    return id;
}

Cycle DramMemory::enqueue_all(const DramRequest& request, Cycle arrival, std::uint32_t id) {
    const auto access = static_cast<unsigned>(mapping_.access_bytes());
    Cycle accepted = arrival;
    for (std::uint64_t at = request.address; at < request.address + request.bytes; at += access) {
        const DramCoordinates coordinates = mapping_.at(at);
        deciding_in_ = coordinates.channel;
        const Cycle room =
            channels_[coordinates.channel].enqueue({.at = coordinates, .write = request.write, .request = id}, arrival);
        accepted = std::max(accepted, room);
    }
    return accepted;
}

Cycle DramMemory::post(const DramRequest& request, Cycle arrival) {
    check(request);
    return enqueue_all(request, arrival, open_request(request.bytes, request.write, arrival));
}

Cycle DramMemory::push(const DramRequest& request) {
    check(request);
    const std::uint32_t id = open_request(request.bytes, request.write, 0);
    const Cycle accepted = enqueue_all(request, 0, id);
    outstanding_[id].arrival = accepted;  // its last access waits still, so it is not through
    return accepted;
}

Cycle DramMemory::finish(const DramRequest& request, Cycle arrival) {
    check(request);
    watched_ = open_request(request.bytes, request.write, arrival);
    const std::uint32_t id = watched_;
    enqueue_all(request, arrival, id);
    const auto access = static_cast<unsigned>(mapping_.access_bytes());
    for (std::uint64_t at = request.address; watched_ != kNone && at < request.address + request.bytes; at += access) {
        deciding_in_ = mapping_.at(at).channel;
        // Other accesses of the request may be decided with this one; serving the channel empty would be too much.
        const std::uint32_t before = outstanding_[id].accesses;
        while (watched_ != kNone && outstanding_[id].accesses == before && channels_[deciding_in_].serve_one()) {
        }
    }
    return watched_end_;
}

Cycle DramMemory::finish(const std::vector<DramRequest>& together, Cycle arrival) {
    std::uint64_t bytes = 0;
    for (const DramRequest& request : together) {
        check(request);
        bytes += request.bytes;
    }
    if (bytes == 0) return arrival;
    watched_ = open_request(bytes, false, arrival);
    for (const DramRequest& request : together) enqueue_all(request, arrival, watched_);
    while (watched_ != kNone) step();
    return watched_end_;
}

bool DramMemory::step() {
    const auto behind = std::min_element(channels_.begin(), channels_.end(),
                                         [](const auto& a, const auto& b) { return a.next_turn() < b.next_turn(); });
    deciding_in_ = static_cast<std::uint32_t>(behind - channels_.begin());
    return behind->serve_one();
}

Cycle DramMemory::drain() {
    for (std::uint32_t i = 0; i < channels_.size(); ++i) {
        deciding_in_ = i;
        while (channels_[i].serve_one()) {
        }
    }
    return counts().last_data;
}

void DramMemory::decided(std::uint32_t id, Cycle data_end) {
    Outstanding& request = outstanding_[id];
    request.end = std::max(request.end, data_end);
    if (--request.accesses > 0) return;
    if (!request.write) latencies_[deciding_in_].add(request.end - request.arrival);
    if (done_) done_(request.end);
    if (id == watched_) {
        watched_ = kNone;
        watched_end_ = request.end;
    }
    request.next_free = free_request_;
    free_request_ = id;
}

DramCounts DramMemory::counts() const {
    DramCounts all;
    for (const DramChannel& channel : channels_) all += channel.counts();
    return all;
}

LatencyHistogram DramMemory::latencies() const {
    LatencyHistogram all;
    for (const LatencyHistogram& of_one : latencies_) all.add(of_one);
    return all;
}

std::optional<double> DramMemory::energy_pJ(const DramCounts& counts, Cycle until) const {
    const DramEnergy& of = spec_.energy;
    if (!of.activate_pJ.value || !of.read_pJ_per_bit.value || !of.write_pJ_per_bit.value) return std::nullopt;
    const double bits = 8.0 * mapping_.access_bytes();
    double sum = double(counts.activates) * *of.activate_pJ.value +
                 double(counts.reads) * bits * *of.read_pJ_per_bit.value +
                 double(counts.writes) * bits * *of.write_pJ_per_bit.value;
    if (of.refresh_pJ.value) sum += double(counts.refreshes) * *of.refresh_pJ.value;
    if (of.background_W.value) sum += *of.background_W.value * units_ * time_of(until).si() * 1e12;
    return sum;
}

void DramMemory::emit_to(CommandSink sink) {
    sink_ = std::move(sink);
    for (DramChannel& channel : channels_) channel.emit_to(sink_ ? &sink_ : nullptr);
}

}  // namespace strata
