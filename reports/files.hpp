// Reading and writing whole files. Nobody ever sees half of one.
#pragma once

#include <filesystem>
#include <string>

namespace strata {

// Throws InputError if it cannot be read.
std::string whole_file(const std::filesystem::path& file);

// To a temporary beside the target, then renamed. Throws InputError if that cannot be written.
void write_whole(const std::filesystem::path& target, const std::string& text);

// Makes the folder and tries that a file can be written there, so that a long study does not end in an error.
void prepare_folder(const std::filesystem::path& folder);

}  // namespace strata
