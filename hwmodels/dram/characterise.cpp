#include "hwmodels/dram/characterise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <queue>
#include <random>

#include "hwmodels/dram/dram_memory.hpp"

namespace strata {

namespace {

constexpr std::uint64_t kPage = 2 << 20;  // what is contiguous for a program is so in a memory by pages of 2 MiB

// Ascending addresses through pages that lie anywhere, as an array's do.
class Stream {
public:
    Stream(std::uint64_t capacity, std::uint64_t seed)
        : pages_(std::max<std::uint64_t>(1, capacity / kPage)), random_(seed) {
        next_page();
    }
    DramRequest next(std::uint64_t bytes, bool write) {
        if (offset_ + bytes > kPage) next_page();
        const DramRequest request{.address = page_ * kPage + offset_, .bytes = bytes, .write = write};
        offset_ += bytes;
        return request;
    }

private:
    void next_page() {
        page_ = random_() % pages_;
        offset_ = 0;
    }
    std::uint64_t pages_, page_ = 0, offset_ = 0;
    std::mt19937_64 random_;
};

// The requests of a pattern, one after the other, each of whole accesses.
class Requests {
public:
    Requests(const AccessPattern& pattern, const AddressMapping& mapping, int rows)
        : pattern_(pattern),
          mapping_(mapping),
          access_(static_cast<std::uint64_t>(mapping.access_bytes())),
          row_(static_cast<std::uint64_t>(pattern.row.si())),
          rows_(static_cast<std::uint32_t>(rows)),
          read_(mapping.capacity(), pattern.seed),
          written_(mapping.capacity(), pattern.seed + 1),
          random_(pattern.seed) {}

    DramRequest next() {
        const std::uint64_t whole = (row_ + access_ - 1) / access_ * access_;
        switch (pattern_.kind) {
            case AccessKind::stream: return read_.next(whole, false);
            case AccessKind::copy:
                write_ = !write_;
                return write_ ? written_.next(whole, true) : read_.next(whole, false);
            case AccessKind::bank_conflict: {
                DramCoordinates at;
                at.row = conflicts_++ % rows_;
                return {.address = mapping_.address_of(at), .bytes = access_};
            }
            case AccessKind::random_rows: break;
        }
        const std::uint64_t from = random_() % (mapping_.capacity() / row_ - 1) * row_;
        const std::uint64_t first = from / access_ * access_;
        const std::uint64_t end = (from + row_ + access_ - 1) / access_ * access_;
        const bool write = pattern_.write_share > 0 && double(random_() >> 11) * 0x1p-53 < pattern_.write_share;
        return {.address = first, .bytes = end - first, .write = write};
    }

private:
    const AccessPattern& pattern_;
    const AddressMapping& mapping_;
    std::uint64_t access_, row_;
    std::uint32_t rows_;
    Stream read_, written_;
    std::mt19937_64 random_;
    bool write_ = true;
    std::uint32_t conflicts_ = 0;
};

// What counts of one request: of a scattered row its own bytes; a stream uses all that it fetches.
Bytes asked_for(const AccessPattern& pattern, const DramSpec& spec) {
    const double access = spec.organisation.access_bytes();
    if (pattern.kind == AccessKind::random_rows) return pattern.row;
    return Bytes(pattern.kind == AccessKind::bank_conflict ? access : std::ceil(pattern.row.si() / access) * access);
}

// Eight refresh intervals of all banks, and enough requests for a 99th percentile that holds still.
std::uint64_t requests_of(const DramMemory& memory, const AccessPattern& pattern, Bytes asked) {
    constexpr double kIntervals = 8, kLeast = 20000;
    const DramSpec& spec = memory.spec();
    const Seconds time = memory.time_of(spec.refresh.REFI) * kIntervals;
    const double load = pattern.load > 0 ? pattern.load : 1;
    const double access = std::max<double>(spec.organisation.access_bytes(), asked.si());
    return static_cast<std::uint64_t>(std::max(memory.peak() * time * load / Bytes(access), kLeast));
}

// As fast as the windows take them.
void run_backlog(DramMemory& memory, Requests& requests, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) memory.push(requests.next());
    memory.drain();
}

// At a rate, at random times: nobody waits for anybody.
void run_offered(DramMemory& memory, Requests& requests, std::uint64_t count, const AccessPattern& pattern,
                 Bytes asked) {
    std::mt19937_64 random(pattern.seed + 2);
    std::exponential_distribution<double> gap(1 / (asked / (memory.peak() * pattern.load) / memory.time_of(1)));
    double now = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        now += gap(random);
        memory.post(requests.next(), static_cast<Cycle>(now));
    }
    memory.drain();
}

// So many in flight: each that is through lets another one go.
void run_closed(DramMemory& memory, Requests& requests, std::uint64_t count, std::uint64_t outstanding) {
    std::priority_queue<Cycle, std::vector<Cycle>, std::greater<>> through;
    memory.tell([&](Cycle end) { through.push(end); });
    for (std::uint64_t i = 0; i < std::min(outstanding, count); ++i) through.push(0);
    for (std::uint64_t i = 0; i < count; ++i) {
        while (through.empty()) memory.step();
        const Cycle now = through.top();
        through.pop();
        memory.post(requests.next(), now);
    }
    memory.tell({});
    memory.drain();
}

void check(const AccessPattern& pattern, const DramSpec& spec) {
    const auto wrong = [&](const char* field, const std::string& expected, double found) {
        throw InputError(fmt::format("{}: {}", spec.name, field), expected, fmt::format("{}", found));
    };
    if (!(pattern.row >= Bytes(1)) || pattern.row > Bytes(double(kPage)))
        wrong("row", "1 B to 2 MiB", pattern.row.si());
    if (!(pattern.write_share >= 0 && pattern.write_share <= 1)) wrong("write_share", "0 to 1", pattern.write_share);
    if (!(pattern.load >= 0 && pattern.load <= 1)) wrong("load", "a share of the peak, 0 to 1", pattern.load);
    if (!(pattern.outstanding >= 0)) wrong("outstanding", "a number of requests", pattern.outstanding);
    if (pattern.load > 0 && pattern.outstanding > 0)
        wrong("outstanding", "either a load or a number in flight", pattern.outstanding);
}

}  // namespace

AccessProfile characterise(const DramSpec& spec, int units, const AccessPattern& pattern) {
    check(pattern, spec);
    // Units are interleaved and alike, so one of them with its share of what is in flight stands for all.
    DramMemory memory(spec, 1);
    Requests requests(pattern, memory.mapping(), spec.organisation.rows);
    const Bytes of_a_request = asked_for(pattern, spec);
    const std::uint64_t count = requests_of(memory, pattern, of_a_request);
    const double in_flight = pattern.outstanding > 0 ? std::max(1.0, std::round(pattern.outstanding / units)) : 0;
    if (in_flight > 0)
        run_closed(memory, requests, count, static_cast<std::uint64_t>(in_flight));
    else if (pattern.load > 0)
        run_offered(memory, requests, count, pattern, of_a_request);
    else
        run_backlog(memory, requests, count);

    const DramCounts counts = memory.counts();
    const Cycle end = counts.last_data;
    const Bytes asked = of_a_request * double(count);
    // Fewer in flight than units leave the others idle.
    const double alike = in_flight > 0 ? pattern.outstanding / in_flight : double(units);
    const LatencyHistogram latencies = memory.latencies();
    const auto time = [&](double cycles) { return spec.clock.get() * cycles; };
    AccessProfile profile;
    profile.bandwidth = asked / memory.time_of(end) * alike;
    profile.efficiency = profile.bandwidth / (spec.peak() * double(units));
    profile.row_hits = double(counts.row_hits) / double(counts.reads + counts.writes);
    profile.latency_mean = time(latencies.mean());
    profile.latency_p50 = time(latencies.quantile(0.5));
    profile.latency_p99 = time(latencies.quantile(0.99));
    if (const auto energy = memory.energy_pJ(counts, end)) profile.picojoules_per_bit = *energy / (asked.si() * 8);
    profile.requests = double(count);
    return profile;
}

}  // namespace strata
