#include "reports/file_fingerprint.hpp"

#include <algorithm>
#include <vector>

#include "hwmodels/sha256.hpp"
#include "reports/files.hpp"

namespace strata {

namespace fs = std::filesystem;

std::string sha256_of_files(const fs::path& file_or_folder) {
    if (!fs::is_directory(file_or_folder)) return sha256(whole_file(file_or_folder));
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(file_or_folder))
        if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), file_or_folder));
    std::sort(files.begin(), files.end());
    std::string lines;  // one "digest name" a file, so that a moved byte cannot pass from one file to the next
    for (const fs::path& file : files)
        lines += sha256(whole_file(file_or_folder / file)) + " " + file.generic_string() + "\n";
    return sha256(lines);
}

}  // namespace strata
