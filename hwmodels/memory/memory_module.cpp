#include "hwmodels/memory/memory_module.hpp"

namespace strata {

MemoryModule::MemoryModule(const sc_core::sc_module_name& module_name, const ServiceRate& rate)
    : sc_module(module_name), queue_(rate) {
    in.register_b_transport(this, &MemoryModule::b_transport);
}

void MemoryModule::b_transport(int /*user*/, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const Transfer& transfer = transfer_of(payload);
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    delay = queue_.serve(now + delay, transfer.bytes, transfer.requests, transfer.cost, transfer.user) - now;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace strata
