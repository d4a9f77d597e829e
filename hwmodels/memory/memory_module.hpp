// A memory in simulated time: HBM, the host's DRAM, or the drives of a node (which have a rate of reads as well).
// Transactions are chunks, not bursts; what rows and banks cost is in the bandwidth that it is given.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>

#include "hwmodels/memory/service_queue.hpp"
#include "hwmodels/memory/transfer.hpp"

namespace strata {

class MemoryModule : public sc_core::sc_module {
public:
    MemoryModule(const sc_core::sc_module_name& name, const ServiceRate& rate);
    const ServiceQueue& queue() const { return queue_; }
    BusyLog& log() { return queue_.log(); }

    tlm_utils::multi_passthrough_target_socket_optional<MemoryModule> in{"in"};  // any number of users

private:
    void b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

    ServiceQueue queue_;
};

}  // namespace strata
