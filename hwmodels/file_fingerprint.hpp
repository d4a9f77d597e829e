// Fingerprints of the files that a result was made from.
#pragma once

#include <filesystem>
#include <string>

namespace strata {

// SHA-256 of a file; of a folder: over the names and contents of all files in it, in the order of their names.
std::string sha256_of_files(const std::filesystem::path& file_or_folder);

}  // namespace strata
