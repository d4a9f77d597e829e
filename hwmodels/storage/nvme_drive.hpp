// An NVMe drive in time, without an event per flash command: a request of 4 KiB advances the next-free times of the
// plane that it senses, of a channel and of the link.
#pragma once

#include <cstdint>

#include "hwmodels/access_rate.hpp"
#include "hwmodels/storage/nvme_spec.hpp"

namespace strata {

// Random reads, `queue_depth` of them always under way, on a drive in steady state. Deterministic; costs some
// milliseconds, so keep the answer.
AccessRate nvme_random_read(const NvmeSpec& spec, int queue_depth, Bytes bytes);
// The same where only `read_share` of the requests are reads and the others random writes; the latency is of reads.
AccessRate nvme_random_mixed(const NvmeSpec& spec, int queue_depth, Bytes bytes, double read_share);

}  // namespace strata
