// A bank-accurate DRAM behind a TLM-2.0 socket: each transaction moves the banks' state on, inside b_transport, and
// comes back with an annotated delay. There is no process, no event and no clock; whoever sends keeps its own time.
//
// A read or write as TLM has it returns when its data is through. A payload with the Posted extension only enters the
// windows and returns when they had room for it: a stream of those is how many requests are in flight at once. A
// payload of TLM_IGNORE_COMMAND is a fence: it returns when all before it is through. One with a Transfer is that many
// rows at random places, read together. No data is carried, only time.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>

#include <random>

#include "hwmodels/dram/dram_memory.hpp"
#include "hwmodels/memory/transfer.hpp"

namespace strata {

struct Posted : tlm::tlm_extension<Posted> {
    tlm::tlm_extension_base* clone() const override { return new Posted(*this); }
    void copy_from(const tlm::tlm_extension_base&) override {}
};

class DramModule : public sc_core::sc_module {
public:
    DramModule(const sc_core::sc_module_name& name, const DramSpec& spec, int units);
    DramMemory& memory() { return memory_; }
    const DramMemory& memory() const { return memory_; }

    tlm_utils::multi_passthrough_target_socket_optional<DramModule> in{"in"};  // any number of users

private:
    // Throws InputError, with the response status set, for a request that is empty, unaligned or beyond the capacity.
    void b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    sc_core::sc_time time_of(Cycle cycle) const;
    const std::vector<DramRequest>& rows_of(const Transfer& transfer);

    DramMemory memory_;
    std::mt19937_64 places_{1};
    std::vector<DramRequest> rows_;
    double cycles_per_ps_, ps_per_cycle_;
};

}  // namespace strata
