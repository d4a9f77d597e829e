// A file of random data to read from past the page cache. It has no name from the moment that it is open, so nothing
// stays behind however the program ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "hwmodels/units.hpp"

namespace strata {

class ScratchFile {
public:
    // Throws InputError if `folder` cannot be written to. Filling ends early after `patience`.
    ScratchFile(const std::filesystem::path& folder, Bytes size, Seconds patience);
    ~ScratchFile();
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;

    int descriptor() const { return descriptor_; }
    std::uint64_t bytes() const { return bytes_; }
    // Why reads would not reach a drive; empty if they do.
    const std::string& obstacle() const { return obstacle_; }

private:
    int descriptor_;
    std::uint64_t bytes_ = 0;
    std::string obstacle_;
};

}  // namespace strata
