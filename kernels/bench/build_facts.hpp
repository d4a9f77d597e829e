// What this program was built from: written by build_facts.cmake whenever a source changes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace strata {

// {"commit", "dirty", "nvcc", "flags"}; commit is "unknown" outside a repository.
nlohmann::ordered_json build_facts();

// SHA-256 over the kernels and headers of the folder that the file is in, and over what all of them share. A record
// whose hash is another one was made by another kernel.
std::string source_hash_of(const std::string& file);

}  // namespace strata
