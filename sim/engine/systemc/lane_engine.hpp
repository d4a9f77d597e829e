// What works through the tasks of one lane: the compute engine, a copy engine, a link's egress. One process with one
// event, no thread: a task costs one event, a fetch one for each of its chunks.
#pragma once

#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <functional>

#include "hwmodels/memory/transfer.hpp"
#include "sim/workload/program.hpp"

namespace strata {

class LaneEngine : public sc_core::sc_module {
public:
    // `done` is called when the lane is free again, with the time at which the last byte has landed.
    using Done = std::function<void(const sc_core::sc_time& landed)>;
    LaneEngine(const sc_core::sc_module_name& name, Done done);

    // `user` is who logs of the parts on its way say it is. In one piece, `share` of what the task says: the lane is
    // occupied so long, or longer where its way serves it later.
    void perform(const Task& task, double share, std::uint64_t user);
    // Chunk by chunk, so that others on the way get their turn. Each is sent when the one before is through; its write
    // into `landing` is posted: the next chunk does not wait for it, the task does. A byte of it costs the memory that
    // it comes from as much as `in_memory` bytes at its peak.
    void fetch(const Task& task, Bytes chunk, double in_memory, std::uint64_t user);

    tlm_utils::simple_initiator_socket<LaneEngine> way{"way"};
    tlm_utils::multi_passthrough_initiator_socket_optional<LaneEngine> landing{"landing"};  // of fetches, one

private:
    void send_chunk();
    void wake();

    Done done_;
    sc_core::sc_event served_{"served"};
    TransferPayload payload_;
    const Task* fetching_ = nullptr;  // null: nothing is left to send
    Bytes chunk_, left_;
    double in_memory_ = 1;
    sc_core::sc_time landed_;
};

}  // namespace strata
