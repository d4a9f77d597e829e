#include "hwmodels/memory/dram_module.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

DramModule::DramModule(const sc_core::sc_module_name& module_name, const DramSpec& spec, int units)
    : sc_module(module_name),
      memory_(spec, units),
      cycles_per_ps_(1e-12 / spec.clock.get().si()),
      ps_per_cycle_(spec.clock.get().si() * 1e12) {
    in.register_b_transport(this, &DramModule::b_transport);
}

sc_core::sc_time DramModule::time_of(Cycle cycle) const {
    return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(std::ceil(double(cycle) * ps_per_cycle_)));
}

const std::vector<DramRequest>& DramModule::rows_of(const Transfer& transfer) {
    const auto access = static_cast<std::uint64_t>(memory_.mapping().access_bytes());
    const double all = transfer.bytes.si(), row = transfer.row > Bytes(0) ? std::min(all, transfer.row.si()) : all;
    rows_.clear();
    if (all < 1) return rows_;
    const auto bytes = static_cast<std::uint64_t>(std::max(1.0, std::round(row)));
    const std::uint64_t places = memory_.mapping().capacity() / bytes;
    if (places == 0)
        throw InputError(std::string(name()) + ": a row", "at most the memory's capacity",
                         std::to_string(bytes) + " B");
    for (double left = std::round(all); left > 0; left -= double(bytes)) {  // the last one may be a part of a row
        const auto here = static_cast<std::uint64_t>(std::min(left, double(bytes)));
        const std::uint64_t from = places_() % places * bytes;
        const std::uint64_t first = from / access * access;
        rows_.push_back({.address = first, .bytes = (from + here + access - 1) / access * access - first});
    }
    return rows_;
}

void DramModule::b_transport(int /*user*/, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    const sc_core::sc_time arrival = now + delay;
    const auto cycle = static_cast<Cycle>(std::ceil(double(arrival.value()) * cycles_per_ps_ - 1e-6));
    const DramRequest request{
        .address = payload.get_address(), .bytes = payload.get_data_length(), .write = payload.is_write()};
    Cycle done = 0;
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (const auto* transfer = payload.get_extension<Transfer>(); transfer != nullptr)
        done = memory_.finish(rows_of(*transfer), cycle);
    else if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
        done = memory_.drain();
    else if (payload.get_extension<Posted>() != nullptr)
        done = memory_.post(request, cycle);
    else
        done = memory_.finish(request, cycle);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    delay = std::max(time_of(done), arrival) - now;
}

}  // namespace strata
