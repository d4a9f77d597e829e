#include "hwmodels/link/pcie_module.hpp"

#include <algorithm>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

PcieModule::PcieModule(const sc_core::sc_module_name& module_name, const PcieSpec& spec, int lanes, PciePath path)
    : sc_module(module_name), reader_(spec, lanes, path) {
    in.register_b_transport(this, &PcieModule::b_transport);
}

void PcieModule::b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    const Seconds arrival = to_seconds(now + delay);
    sc_core::sc_time behind = delay;
    if (static_cast<unsigned>(user) < out.size()) out[user]->b_transport(payload, behind);
    const Reads reads = reads_of(payload);
    Seconds through;
    for (std::uint64_t i = 0; i < reads.count; ++i)
        through = reader_.read(arrival, payload.get_address() + i * reads.apart(), reads.bytes);
    delay = std::max(to_sc_time(through) - now, behind);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace strata
