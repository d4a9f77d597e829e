#include "hwmodels/protocol/pcie.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hwmodels/positive_field.hpp"

namespace strata {

namespace {

bool is_power_of_two_within(Bytes value, double least, double most) {
    return value.si() >= least && value.si() <= most && std::exp2(std::round(std::log2(value.si()))) == value.si();
}

void check(const YamlField& field, bool possible, const std::string& expected) {
    if (!field["value"].is_null() && !possible)
        field["value"].problem(expected, "'" + field["value"].node().Scalar() + "'");
}

void read_link_layer(PcieSpec& spec, const YamlField& field) {
    field.allow_only({"x1", "x2", "x4", "x8", "x16", "kind", "source", "note"});
    for (const int lanes : {1, 2, 4, 8, 16}) {
        const YamlField share = field[fmt::format("x{}", lanes)];
        if (share.is_null()) continue;
        const double value = share.number(-1);
        if (!(value >= 0 && value < 1)) share.problem("a share from 0 to below 1", "'" + share.node().Scalar() + "'");
        spec.link_layer_share[lanes] = value;
    }
    if (spec.link_layer_share.empty()) field.problem("a share for at least one width, such as 'x16: 0.03'", "none");
    spec.link_layer_source = field["source"].text();
}

// One copy or load, request by request: how many, and what they are in all.
struct PerRow {
    double count = 0, completions = 0, bytes = 0;
};

std::uint64_t whole(const Sourced<Bytes>& bytes) { return static_cast<std::uint64_t>(bytes.get().si()); }

std::uint64_t chunks(std::uint64_t address, std::uint64_t bytes, std::uint64_t of) {
    return (address + bytes - 1) / of - address / of + 1;
}

// The sectors of each line that [address, address + bytes) touches, one request a line; all lines but the first and the
// last are asked for whole.
PerRow requests_of_row(const PcieSpec& spec, std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t line = whole(spec.line), sector = whole(spec.sector), payload = whole(spec.completion_payload);
    PerRow all;
    const auto ask = [&](std::uint64_t at, std::uint64_t end, double times) {
        const std::uint64_t first = at / sector * sector, asked = (end + sector - 1) / sector * sector - first;
        all.count += times;
        all.completions += times * double(chunks(first, asked, payload));
        all.bytes += times * double(asked);
    };
    const std::uint64_t end = address + bytes, lines = chunks(address, bytes, line), start = address / line * line;
    ask(address, std::min(end, start + line), 1);
    if (lines > 2) ask(start + line, start + 2 * line, double(lines - 2));
    if (lines > 1) ask(start + (lines - 1) * line, end, 1);
    return all;
}

double in_flight(const PcieSpec& spec, Bytes largest) {
    const double tags = spec.tags.get();
    if (!spec.completion_buffer.value) return tags;
    return std::max(1.0, std::min(tags, std::floor(*spec.completion_buffer.value / largest)));
}

void refuse_nothing(Bytes bytes) {
    if (!(bytes.si() >= 1)) throw InputError("a PCIe transfer", "at least one byte", fmt::format("{} B", bytes.si()));
}

}  // namespace

Bandwidth PcieSpec::raw_rate(int lanes) const { return lane_rate.get() * encoding.get() * double(lanes); }

Bandwidth PcieSpec::packet_rate(int lanes) const {
    const auto share = link_layer_share.find(lanes);
    if (share == link_layer_share.end())
        throw InputError(file + ": link_layer_share", "a share for this link's width",
                         fmt::format("none for x{}", lanes));
    return raw_rate(lanes) * (1 - share->second);
}

PcieSpec read_pcie_spec(const std::string& file) {
    Problems problems;
    const YAML::Node document = load_yaml(file);
    const YamlField root(document, file, "", problems);
    const PositiveFields read(file);
    PcieSpec spec;
    spec.file = file;
    root.allow_only({"name", "lane_rate", "encoding", "link_layer_share", "headers", "max_payload", "max_read_request",
                     "read_completion_boundary", "completion_payload", "tags", "completion_buffer", "round_trip",
                     "zero_copy", "copy_engine"});
    spec.name = root["name"].text();
    read.required(spec.lane_rate, root["lane_rate"]);
    read.required(spec.encoding, root["encoding"]);
    read_link_layer(spec, root["link_layer_share"]);
    root["headers"].allow_only({"request", "completion", "write"});
    read.required(spec.request_header, root["headers"]["request"]);
    read.required(spec.completion_header, root["headers"]["completion"]);
    read.required(spec.write_header, root["headers"]["write"]);
    read.required(spec.max_payload, root["max_payload"]);
    read.required(spec.max_read_request, root["max_read_request"]);
    read.required(spec.read_completion_boundary, root["read_completion_boundary"]);
    read.required(spec.completion_payload, root["completion_payload"]);
    read.required(spec.tags, root["tags"]);
    read.optional(spec.completion_buffer, root["completion_buffer"]);
    read.required(spec.round_trip, root["round_trip"]);
    root["zero_copy"].allow_only({"line", "sector", "load_path"});
    read.required(spec.line, root["zero_copy"]["line"]);
    read.required(spec.sector, root["zero_copy"]["sector"]);
    read.required(spec.load_path, root["zero_copy"]["load_path"]);
    root["copy_engine"].allow_only({"setup"});
    read.required(spec.copy_setup, root["copy_engine"]["setup"]);
    if (problems.empty()) {
        const double boundary = spec.read_completion_boundary.get().si(), most = spec.max_payload.get().si();
        const double payload = spec.completion_payload.get().si(), tags = spec.tags.get();
        check(root["encoding"], spec.encoding.get() <= 1, "a share of the signalling rate, at most 1");
        check(root["max_payload"], is_power_of_two_within(spec.max_payload.get(), 128, 4096),
              "a power of two from 128 to 4096 B");
        check(root["max_read_request"], is_power_of_two_within(spec.max_read_request.get(), 128, 4096),
              "a power of two from 128 to 4096 B");
        check(root["read_completion_boundary"], boundary == 64 || boundary == 128, "64 B or 128 B");
        check(root["completion_payload"], payload >= boundary && payload <= most && std::fmod(payload, boundary) == 0,
              "a multiple of read_completion_boundary up to max_payload");
        check(root["tags"], tags == std::floor(tags) && tags <= 15360, "a whole number up to 15360 (14-bit tags)");
        check(root["zero_copy"]["line"],
              std::fmod(spec.line.get().si(), spec.sector.get().si()) == 0 &&
                  spec.line.get() <= spec.max_read_request.get(),
              "a multiple of the sector that one read request can ask for");
    }
    problems.throw_if_any();
    return spec;
}

AccessRate copy_rate(const PcieSpec& spec, int lanes, Bytes bytes) {
    refuse_nothing(bytes);
    const double rate = spec.packet_rate(lanes).si(), most = spec.max_read_request.get().si();
    const double payload = spec.completion_payload.get().si(), header = spec.completion_header.get().si();
    const auto down = [&](double part) { return (std::ceil(part / payload) * header + part) / rate; };
    const double up = spec.request_header.get().si() / rate;
    const double total = std::ceil(bytes.si() / 4) * 4;  // lengths are in words of 4 bytes
    const double count = std::ceil(total / most), last = total - (count - 1) * most;
    const double held = up + spec.round_trip.get().si() + down(std::min(total, most));
    const double apart = std::max(up, down(std::min(total, most)));  // of two requests on the busier wire
    const double window = in_flight(spec, spec.max_read_request.get());
    // A window of requests, then the next when the first of it is back.
    const double windows = std::floor((count - 1) / window), within = count - 1 - windows * window;
    const double time = spec.copy_setup.get().si() + windows * std::max(held, window * apart) + within * apart + held -
                        (count > 1 ? down(most) - down(last) : 0);
    return {1 / time, Bandwidth(bytes.si() / time), Seconds(time), Seconds(time)};
}

AccessRate copy_to_host_rate(const PcieSpec& spec, int lanes, Bytes bytes) {
    refuse_nothing(bytes);
    const double packets = std::ceil(bytes / spec.max_payload.get());
    const Bytes on_wire = bytes + packets * spec.write_header.get();
    const Seconds time = spec.copy_setup.get() + spec.round_trip.get() / 2 + on_wire / spec.packet_rate(lanes);
    return {1 / time.si(), bytes / time, time, time};
}

AccessRate zero_copy_rate(const PcieSpec& spec, int lanes, Bytes row) {
    refuse_nothing(row);
    const double rate = spec.packet_rate(lanes).si();
    const auto bytes = static_cast<std::uint64_t>(std::ceil(row.si()));
    const std::uint64_t line = whole(spec.line), positions = line / std::gcd(line, bytes);
    PerRow mean;  // of a row, over where it can lie in a line
    for (std::uint64_t i = 0; i < positions; ++i) {
        const PerRow one = requests_of_row(spec, i * bytes, bytes);
        mean.count += one.count / double(positions);
        mean.completions += one.completions / double(positions);
        mean.bytes += one.bytes / double(positions);
    }
    const double up = mean.count * spec.request_header.get().si() / rate;
    const double down = (mean.completions * spec.completion_header.get().si() + mean.bytes) / rate;
    const double held = up + mean.count * spec.round_trip.get().si() + down;  // tag-seconds
    const double rows = 1 / std::max({up, down, held / in_flight(spec, spec.line.get())});
    const Seconds alone = row <= Bytes(65536) ? PcieReader(spec, lanes, PciePath::zero_copy).read(Seconds(0), row)
                                              : spec.load_path.get() + spec.round_trip.get() + Seconds(1 / rows);
    return {rows, Bandwidth(rows * double(bytes)), alone, alone};
}

PcieReader::PcieReader(const PcieSpec& spec, int lanes, PciePath path)
    : rate_(spec.packet_rate(lanes).si()),
      request_header_(spec.request_header.get().si()),
      completion_header_(spec.completion_header.get().si()),
      round_trip_(spec.round_trip.get().si()),
      before_(path == PciePath::zero_copy ? spec.load_path.get().si() / 2 : spec.copy_setup.get().si()),
      after_(path == PciePath::zero_copy ? spec.load_path.get().si() / 2 : 0),
      grain_(path == PciePath::zero_copy ? whole(spec.sector) : 4),
      largest_(path == PciePath::zero_copy ? whole(spec.line) : whole(spec.max_read_request)),
      payload_(whole(spec.completion_payload)),
      tag_free_(static_cast<std::size_t>(in_flight(spec, Bytes(double(largest_))))) {}

double PcieReader::request(double ready, std::uint64_t address, std::uint64_t bytes) {
    const double completions = double((address + bytes - 1) / payload_ - address / payload_ + 1);
    const double down = (completions * completion_header_ + double(bytes)) / rate_;
    const double start = std::max({ready, tag_free_[next_tag_], up_free_});
    up_free_ = start + request_header_ / rate_;
    const double back = std::max(up_free_ + round_trip_, down_free_) + down;
    down_free_ = tag_free_[next_tag_] = back;
    next_tag_ = next_tag_ + 1 == tag_free_.size() ? 0 : next_tag_ + 1;
    ++stats_.requests;
    stats_.up += Bytes(request_header_);
    stats_.down += Bytes(completions * completion_header_ + double(bytes));
    stats_.down_busy += Seconds(down);
    return back;
}

Seconds PcieReader::read(Seconds arrival, std::uint64_t address, Bytes bytes) {
    refuse_nothing(bytes);
    const std::uint64_t end = address + static_cast<std::uint64_t>(std::ceil(bytes.si()));
    const double ready = arrival.si() + before_;
    double back = 0;
    for (std::uint64_t at = address; at < end;) {
        const std::uint64_t stop = std::min(end, (at / largest_ + 1) * largest_);
        const std::uint64_t first = at / grain_ * grain_;
        back = request(ready, first, (stop + grain_ - 1) / grain_ * grain_ - first);
        at = stop;
    }
    ++stats_.reads;
    stats_.served += bytes;
    return Seconds(back + after_);
}

}  // namespace strata
