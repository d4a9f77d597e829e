#include "reports/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "reports/files.hpp"

namespace strata {

namespace fs = std::filesystem;

std::string sha256(const std::string& bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256");
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

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
