// The cost book held against measurements that it was not made from, as rows of the ledger:
//   cost/H200_SXM/<family>/{median,p90,band}    rows of its own tables, one of five, put aside by a hash
//   cost/<device>/<family>/{transfer,band}      tables of devices that it has only the catalogue's numbers of
#pragma once

#include "sim/study/validation.hpp"

namespace strata {

// `folder` holds <device>/<family>.csv of other devices. Only rows whose id matches the shell pattern `only`.
std::vector<LedgerRow> validate_costs(const std::string& folder, const std::string& root, const std::string& only);

}  // namespace strata
