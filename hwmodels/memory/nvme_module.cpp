#include "hwmodels/memory/nvme_module.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

NvmeModule::NvmeModule(const sc_core::sc_module_name& module_name, const NvmeSpec& spec)
    : sc_module(module_name),
      drive_(spec),
      page_(static_cast<std::uint64_t>(spec.page.get().si())),
      pages_(static_cast<std::uint64_t>(std::floor(spec.capacity.get() / spec.page.get()))) {
    in.register_b_transport(this, &NvmeModule::b_transport);
}

void NvmeModule::b_transport(int /*user*/, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    const Seconds arrival = to_seconds(now + delay);
    const Reads reads = reads_of(payload);
    Seconds through;
    if (payload.get_command() == tlm::TLM_WRITE_COMMAND) {
        through = drive_.write(arrival, payload.get_address(), reads.bytes * double(reads.count));
    } else if (reads.count == 1) {
        through = drive_.read(arrival, payload.get_address(), reads.bytes);
    } else {
        // Rows lie anywhere: a page of flash each, in whole blocks, die after die.
        const Bytes blocks(std::ceil(reads.bytes.si() / 512) * 512);
        const std::uint64_t first = payload.get_address() / page_;
        for (std::uint64_t i = 0; i < reads.count; ++i)
            through = std::max(through, drive_.read(arrival, (first + i) % pages_ * page_, blocks));
    }
    delay = to_sc_time(through) - now;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace strata
