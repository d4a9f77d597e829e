#include "hwmodels/data_root.hpp"

#include <cstdlib>
#include <filesystem>

namespace strata {

namespace fs = std::filesystem;

std::string data_root(const std::string& source_tree) {
    if (const char* given = std::getenv("STRATA_ROOT")) return given;
    const fs::path installed = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "share" / "strata";
    return fs::is_directory(installed / "hwmodels" / "catalog") ? installed.string() : source_tree;
}

}  // namespace strata
