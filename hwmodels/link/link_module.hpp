// A link in simulated time: the host's (PCIe, NVLink-C2C), between accelerators (scale-up) or between nodes
// (scale-out). What comes in by in[i] goes on by out[i], if that is bound. Cut-through: a chunk occupies the link and
// what lies behind it at the same time and is through when the slower of them is, so a path without contention takes
// the time of its slowest part, not the sum.
#pragma once

#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>

#include "hwmodels/memory/service_queue.hpp"
#include "hwmodels/memory/transfer.hpp"

namespace strata {

class LinkModule : public sc_core::sc_module {
public:
    LinkModule(const sc_core::sc_module_name& name, const ServiceRate& rate);
    const ServiceQueue& queue() const { return queue_; }
    BusyLog& log() { return queue_.log(); }

    tlm_utils::multi_passthrough_target_socket_optional<LinkModule> in{"in"};
    tlm_utils::multi_passthrough_initiator_socket_optional<LinkModule> out{"out"};

private:
    void b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

    ServiceQueue queue_;
};

}  // namespace strata
