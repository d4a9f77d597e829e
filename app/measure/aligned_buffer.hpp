// Memory as direct reads and writes want it: at whole pages.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace strata {

class AlignedBuffer {
public:
    static constexpr std::size_t kPage = 4096;

    // `bytes` are whole pages.
    explicit AlignedBuffer(std::size_t bytes)
        : memory_(static_cast<std::uint64_t*>(std::aligned_alloc(kPage, bytes)), std::free), bytes_(bytes) {
        if (!memory_) throw std::bad_alloc();
    }
    std::byte* data() const { return reinterpret_cast<std::byte*>(memory_.get()); }
    std::span<std::uint64_t> words() const { return {memory_.get(), bytes_ / sizeof(std::uint64_t)}; }

private:
    std::unique_ptr<std::uint64_t, void (*)(void*)> memory_;
    std::size_t bytes_;
};

}  // namespace strata
