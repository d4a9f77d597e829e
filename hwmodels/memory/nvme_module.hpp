// An NVMe drive in simulated time: reads and writes of a payload's address and length, in whole blocks; a payload with
// a Transfer is that chunk, as so many reads of equal size as it counts, spread over the dies.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>

#include "hwmodels/memory/transfer.hpp"
#include "hwmodels/storage/nvme_drive.hpp"

namespace strata {

class NvmeModule : public sc_core::sc_module {
public:
    NvmeModule(const sc_core::sc_module_name& name, const NvmeSpec& spec);
    const NvmeDrive& drive() const { return drive_; }

    tlm_utils::multi_passthrough_target_socket_optional<NvmeModule> in{"in"};  // any number of users

private:
    void b_transport(int user, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

    NvmeDrive drive_;
    std::uint64_t page_, pages_;
};

}  // namespace strata
