// To a temporary beside the target, then renamed: a reader never sees half a file.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace strata {

inline void write_whole(const std::filesystem::path& target, const std::string& text) {
    const std::filesystem::path temporary = target.string() + ".partial";
    {
        std::ofstream file(temporary, std::ios::binary);
        file << text;
        file.flush();
        if (!file) throw std::runtime_error("cannot write " + temporary.string());
    }
    std::filesystem::rename(temporary, target);
}

}  // namespace strata
