// Links whose packets are whole flits: NVLink, NVLink-C2C, UB (hwmodels/catalog/flit_links/*.yaml).
#pragma once

#include <string>

#include "hwmodels/access_rate.hpp"
#include "hwmodels/specs.hpp"

namespace strata {

struct FlitLinkSpec {
    std::string name, file;
    Sourced<Bandwidth> raw_rate;  // a direction
    Sourced<Bytes> flit;
    Sourced<double> header_flits;  // of a packet
    Sourced<Bytes> max_payload;    // of a packet
    Sourced<double> link_share;    // of flits that carry neither header nor data: credits, replay, training
    Sourced<Seconds> latency;      // of the first byte, one way

    Bandwidth flit_rate() const;  // of flits with headers and data
};

// Throws InputError with all that is missing or impossible, each with its file and field.
FlitLinkSpec read_flit_link_spec(const std::string& file);

// Transfers of `bytes`, back to back; latency is that of one alone.
AccessRate flit_link_rate(const FlitLinkSpec& spec, Bytes bytes);

class FlitLink {
public:
    explicit FlitLink(const FlitLinkSpec& spec);
    // When the last byte of a transfer that starts at `arrival` is there. Calls come in order of arrival.
    Seconds transfer(Seconds arrival, Bytes bytes);
    Bytes on_wire() const { return on_wire_; }
    Seconds busy() const { return busy_; }

private:
    FlitLinkSpec spec_;
    Bandwidth rate_;
    Seconds latency_;
    Bytes on_wire_;
    Seconds free_at_, busy_;
};

}  // namespace strata
