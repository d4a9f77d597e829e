#include "hwmodels/protocol/cxl_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hwmodels/positive_field.hpp"

namespace strata {

namespace {

std::uint64_t whole(Bytes bytes) { return static_cast<std::uint64_t>(std::ceil(bytes.si())); }

std::uint64_t lines_of(std::uint64_t address, std::uint64_t bytes, std::uint64_t line) {
    return (address + bytes - 1) / line - address / line + 1;
}

}  // namespace

Bandwidth CxlMemorySpec::read_rate() const {
    const Bandwidth flits = lane_rate.get() * encoding.get() * lanes.get();
    const double slots_of_a_line = std::ceil(line.get() / slot.get()) + header_slots.get();
    const Bandwidth on_wire = flits * (slots.get() / slots_of_a_line) * (line.get() / flit.get());
    return std::min(on_wire, memory_rate.get());
}

Seconds CxlMemorySpec::read_latency() const { return memory_latency.get() + added_latency.get(); }

CxlMemorySpec read_cxl_memory_spec(const std::string& file) {
    Problems problems;
    const YAML::Node document = load_yaml(file);
    const YamlField root(document, file, "", problems);
    const PositiveFields read(file);
    CxlMemorySpec spec;
    spec.file = file;
    root.allow_only({"name", "capacity", "link", "flit", "memory", "added_latency"});
    spec.name = root["name"].text();
    read.required(spec.capacity, root["capacity"]);
    const YamlField link = root["link"], flit = root["flit"], memory = root["memory"];
    link.allow_only({"lane_rate", "encoding", "lanes"});
    read.required(spec.lane_rate, link["lane_rate"]);
    read.required(spec.encoding, link["encoding"]);
    read.required(spec.lanes, link["lanes"]);
    flit.allow_only({"bytes", "slots", "slot", "line", "header_slots"});
    read.required(spec.flit, flit["bytes"]);
    read.required(spec.slots, flit["slots"]);
    read.required(spec.slot, flit["slot"]);
    read.required(spec.line, flit["line"]);
    read.required(spec.header_slots, flit["header_slots"]);
    memory.allow_only({"bandwidth", "latency"});
    read.required(spec.memory_rate, memory["bandwidth"]);
    read.required(spec.memory_latency, memory["latency"]);
    read.required(spec.added_latency, root["added_latency"]);
    if (problems.empty()) {
        if (spec.encoding.get() > 1) link["encoding"]["value"].problem("a share, at most 1", "more");
        if (spec.slots.get() * spec.slot.get() > spec.flit.get())
            flit["slots"]["value"].problem(fmt::format("slots that fit a flit of {} B", spec.flit.get().si()),
                                           fmt::format("{}", spec.slots.get()));
    }
    problems.throw_if_any();
    return spec;
}

AccessRate cxl_read_rate(const CxlMemorySpec& spec, Bytes bytes) {
    if (!(bytes.si() >= 1)) throw InputError(spec.name, "a read of at least one byte", fmt::format("{} B", bytes.si()));
    const std::uint64_t row = whole(bytes), line = whole(spec.line.get()), positions = line / std::gcd(line, row);
    double lines = 0;  // of a row, over where it can lie
    for (std::uint64_t i = 0; i < positions; ++i) lines += double(lines_of(i * row, row, line)) / double(positions);
    const Seconds each = lines * (spec.line.get() / spec.read_rate());
    const Seconds alone = spec.read_latency() + each;
    return {1 / each.si(), bytes / each, alone, alone};
}

CxlMemory::CxlMemory(const CxlMemorySpec& spec)
    : name_(spec.name),
      capacity_(whole(spec.capacity.get())),
      line_(whole(spec.line.get())),
      line_time_(spec.line.get() / spec.read_rate()),
      latency_(spec.read_latency()) {}

Seconds CxlMemory::read(Seconds arrival, std::uint64_t address, Bytes bytes) {
    if (!(bytes.si() >= 1)) throw InputError(name_, "a read of at least one byte", fmt::format("{} B", bytes.si()));
    if (bytes.si() > double(capacity_) || address > capacity_ - whole(bytes))
        throw InputError(name_, fmt::format("a read within its {} B", capacity_),
                         fmt::format("{} B at address {}", bytes.si(), address));
    free_at_ = std::max(free_at_, arrival) + double(lines_of(address, whole(bytes), line_)) * line_time_;
    served_ += bytes;
    return free_at_ + latency_;
}

}  // namespace strata
