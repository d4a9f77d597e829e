#include "hwmodels/file_fingerprint.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "hwmodels/input_error.hpp"
#include "hwmodels/sha256.hpp"

namespace strata {

namespace fs = std::filesystem;

namespace {

std::string sha256_of_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw InputError("cannot read " + file.string());
    return sha256({std::istreambuf_iterator<char>(stream), {}});
}

}  // namespace

std::string sha256_of_files(const fs::path& file_or_folder) {
    if (!fs::is_directory(file_or_folder)) return sha256_of_file(file_or_folder);
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(file_or_folder))
        if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), file_or_folder));
    std::sort(files.begin(), files.end());
    std::string lines;  // one "digest name" a file, so that a moved byte cannot pass from one file to the next
    for (const fs::path& file : files)
        lines += sha256_of_file(file_or_folder / file) + " " + file.generic_string() + "\n";
    return sha256(lines);
}

}  // namespace strata
