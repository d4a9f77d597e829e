#include "hwmodels/protocol/flit_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/positive_field.hpp"

namespace strata {

namespace {

// Whole packets, and a last one that is shorter; each takes whole flits.
Bytes flits_of(const FlitLinkSpec& spec, Bytes bytes) {
    if (!(bytes.si() >= 1))
        throw InputError(spec.file, "a transfer of at least one byte", fmt::format("{} B", bytes.si()));
    const Bytes most = spec.max_payload.get(), flit = spec.flit.get();
    const double full = std::floor(bytes / most);
    const Bytes rest = bytes - full * most;
    double flits = full * (spec.header_flits.get() + std::ceil(most / flit));
    if (rest > Bytes(0)) flits += spec.header_flits.get() + std::ceil(rest / flit);
    return flits * flit;
}

}  // namespace

Bandwidth FlitLinkSpec::flit_rate() const { return raw_rate.get() * (1 - link_share.get()); }

FlitLinkSpec read_flit_link_spec(const std::string& file) {
    Problems problems;
    const YAML::Node document = load_yaml(file);
    const YamlField root(document, file, "", problems);
    const PositiveFields read(file);
    FlitLinkSpec spec;
    spec.file = file;
    root.allow_only({"name", "raw_rate", "flit", "header_flits", "max_payload", "link_share", "latency"});
    spec.name = root["name"].text();
    read.required(spec.raw_rate, root["raw_rate"]);
    read.required(spec.flit, root["flit"]);
    read.required(spec.header_flits, root["header_flits"]);
    read.required(spec.max_payload, root["max_payload"]);
    read.required(spec.link_share, root["link_share"]);
    read.required(spec.latency, root["latency"]);
    if (problems.empty()) {
        if (spec.link_share.get() >= 1) root["link_share"]["value"].problem("a share below 1", "1 or more");
        if (std::fmod(spec.max_payload.get().si(), spec.flit.get().si()) != 0)
            root["max_payload"]["value"].problem("a multiple of the flit",
                                                 fmt::format("{} B", spec.max_payload.get().si()));
    }
    problems.throw_if_any();
    return spec;
}

AccessRate flit_link_rate(const FlitLinkSpec& spec, Bytes bytes) {
    const Seconds each = flits_of(spec, bytes) / spec.flit_rate();
    const Seconds alone = spec.latency.get() + each;
    return {1 / each.si(), bytes / each, alone, alone};
}

FlitLink::FlitLink(const FlitLinkSpec& spec) : spec_(spec), rate_(spec.flit_rate()), latency_(spec.latency.get()) {}

Seconds FlitLink::transfer(Seconds arrival, Bytes bytes) {
    const Bytes flits = flits_of(spec_, bytes);
    const Seconds occupied = flits / rate_;
    free_at_ = std::max(free_at_, arrival) + occupied;
    busy_ += occupied;
    on_wire_ += flits;
    return free_at_ + latency_;
}

}  // namespace strata
