#include "app/measure/mapped_table.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "app/measure/timing.hpp"
#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr std::size_t kHugePage = 2 << 20;

void fill(std::span<std::uint64_t> words, int threads) {
    std::vector<std::jthread> filling;
    const std::size_t slice = words.size() / static_cast<std::size_t>(threads) + 1;
    for (std::size_t from = 0; from < words.size(); from += slice)
        filling.emplace_back([part = words.subspan(from, std::min(slice, words.size() - from)), from] {
            FastRandom random(from);
            for (std::uint64_t& word : part) word = random();
        });
}

}  // namespace

std::string to_string(Pages pages) { return pages == Pages::huge ? "huge" : "small"; }

MappedTable::MappedTable(std::size_t bytes, Pages pages, int threads)
    : bytes_(bytes), mapped_(bytes + kHugePage), pages_(pages) {
    mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping_ == MAP_FAILED)
        throw InputError(
            fmt::format("no memory for a table of {:.1f} GB: {}", double(bytes) / 1e9, std::strerror(errno)));
    const auto address = reinterpret_cast<std::uintptr_t>(mapping_);
    words_ = reinterpret_cast<std::uint64_t*>((address + kHugePage - 1) / kHugePage * kHugePage);
    // Refused where the kernel knows no huge pages; huge_share() tells what came of it.
    madvise(mapping_, mapped_, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    fill(words(), threads);
}

MappedTable::~MappedTable() { munmap(mapping_, mapped_); }

double MappedTable::huge_share() const {
    std::ifstream maps("/proc/self/smaps");
    const auto from = reinterpret_cast<std::uintptr_t>(words_), to = from + bytes_;
    bool inside = false;
    double huge = 0;
    for (std::string line; std::getline(maps, line);) {
        // "7f0a00000000-7f0b00000000 rw-p ..." opens an area, "AnonHugePages:   2048 kB" tells of it.
        std::uintptr_t begin = 0, end = 0;
        const char* const last = line.data() + line.size();
        const auto [dash, status] = std::from_chars(line.data(), last, begin, 16);
        if (status == std::errc() && dash != last && *dash == '-') {
            std::from_chars(dash + 1, last, end, 16);
            inside = begin < to && end > from;
        } else if (inside && line.rfind("AnonHugePages:", 0) == 0) {
            huge += 1024 * std::stod(line.substr(14));
        }
    }
    return huge / double(bytes_);
}

}  // namespace strata
