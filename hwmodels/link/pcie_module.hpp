// PCI Express in simulated time, request by request: tags, headers and both wires, by way of one path of the
// requester. What comes in by in[i] goes on by out[i], if that is bound: the memory behind it, whose time a read of
// host memory spends while its tag is held, so a transaction is through when the slower of both is. A payload is one
// read of its address and length; one with a Transfer is that chunk, as so many reads of equal size as it counts.
#pragma once

#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>

#include "hwmodels/memory/transfer.hpp"
#include "hwmodels/protocol/pcie.hpp"

namespace strata {

class PcieModule : public sc_core::sc_module {
public:
    PcieModule(const sc_core::sc_module_name& name, const PcieSpec& spec, int lanes, PciePath path);
    const PcieReader& reader() const { return reader_; }

    tlm_utils::multi_passthrough_target_socket_optional<PcieModule> in{"in"};
    tlm_utils::multi_passthrough_initiator_socket_optional<PcieModule> out{"out"};

private:
    void b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

    PcieReader reader_;
};

}  // namespace strata
