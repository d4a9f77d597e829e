// A table in memory, far larger than the caches, filled with random data and resting in huge pages or in small ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace strata {

enum class Pages { small, huge };
std::string to_string(Pages pages);

class MappedTable {
public:
    // Throws InputError if there is not that much memory. Each thread fills a slice, so that the slice is near it.
    MappedTable(std::size_t bytes, Pages pages, int threads);
    ~MappedTable();
    MappedTable(const MappedTable&) = delete;
    MappedTable& operator=(const MappedTable&) = delete;

    Pages pages() const { return pages_; }
    std::size_t bytes() const { return bytes_; }
    std::span<std::uint64_t> words() const { return {words_, bytes_ / sizeof(std::uint64_t)}; }
    // How much of it the kernel really put into huge pages, 0 to 1.
    double huge_share() const;

private:
    std::size_t bytes_, mapped_;
    Pages pages_;
    void* mapping_;
    std::uint64_t* words_;
};

}  // namespace strata
