#include "hwmodels/link/link_module.hpp"

#include <algorithm>

namespace strata {

LinkModule::LinkModule(const sc_core::sc_module_name& module_name, const ServiceRate& rate)
    : sc_module(module_name), queue_(rate) {
    in.register_b_transport(this, &LinkModule::b_transport);
}

void LinkModule::b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    sc_core::sc_time behind = delay;
    if (static_cast<unsigned>(user) < out.size()) out[user]->b_transport(payload, behind);
    const Transfer& transfer = transfer_of(payload);
    const sc_core::sc_time here = queue_.serve(now + delay, transfer.on_link, 0, 1, transfer.user) - now;
    delay = std::max(here, behind);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace strata
