#include "hwmodels/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace strata {

Sha256 sha256_bytes(const std::string& bytes) {
    static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // looked up once
    Sha256 digest{};
    unsigned int length = 0;
    if (!kAlgorithm || EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, kAlgorithm, nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256");
    return digest;
}

std::string sha256(const std::string& bytes) {
    std::string text;
    for (const unsigned char byte : sha256_bytes(bytes)) text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace strata
