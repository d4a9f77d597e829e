// Where catalogue, presets, cost tables and scenarios lie: found from the program's own place, so that a tree can be
// installed or unpacked anywhere.
#pragma once

#include <string>

namespace strata {

// STRATA_ROOT of the environment, else share/strata beside the bin/ that the running program lies in, else
// `source_tree`, which it was built from.
std::string data_root(const std::string& source_tree);

}  // namespace strata
