#include "sim/engine/systemc/lane_engine.hpp"

#include <algorithm>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

LaneEngine::LaneEngine(const sc_core::sc_module_name& module_name, Done done)
    : sc_module(module_name), done_(std::move(done)) {
    SC_HAS_PROCESS(LaneEngine);
    SC_METHOD(wake);
    sensitive << served_;
    dont_initialize();
}

void LaneEngine::perform(const Task& task, double share, std::uint64_t user) {
    Transfer& transfer = payload_.transfer();
    transfer.user = user;
    transfer.bytes = task.moved * share;
    transfer.on_link = task.on_link * share;
    transfer.requests = 0;
    transfer.cost = 1;
    landed_ = sc_core::SC_ZERO_TIME;
    served_.notify(std::max(to_sc_time((task.duration - task.latency) * share), payload_.send(way)));
}

void LaneEngine::fetch(const Task& task, Bytes chunk, double in_memory, std::uint64_t user) {
    payload_.transfer().user = user;
    fetching_ = &task;
    in_memory_ = in_memory;
    chunk_ = chunk;
    left_ = task.moved;
    landed_ = sc_core::SC_ZERO_TIME;
    send_chunk();
}

void LaneEngine::send_chunk() {
    const Bytes now = std::min(chunk_, left_);
    const double share = fetching_->moved > Bytes(0) ? now / fetching_->moved : 0;
    Transfer& transfer = payload_.transfer();
    transfer.bytes = now;
    transfer.cost = in_memory_;
    transfer.on_link = fetching_->on_link * share;
    transfer.requests = fetching_->requests * share;
    transfer.row = fetching_->row;
    left_ = left_ - now;
    if (left_ <= Bytes(0)) fetching_ = nullptr;
    served_.notify(payload_.send(way));
    transfer.cost = 1;
    if (landing.size() > 0) landed_ = sc_core::sc_time_stamp() + payload_.send(landing);
}

void LaneEngine::wake() {
    if (fetching_)
        send_chunk();
    else
        done_(std::max(landed_, sc_core::sc_time_stamp()));
}

}  // namespace strata
