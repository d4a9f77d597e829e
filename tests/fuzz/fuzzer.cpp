// One target under libFuzzer: its name is given when this is compiled.
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const strata::FuzzTarget& target = [&]() -> const strata::FuzzTarget& {
        for (const strata::FuzzTarget& one : strata::fuzz_targets())
            if (one.name == STRATA_FUZZ_TARGET) return one;
        throw std::logic_error("no target " STRATA_FUZZ_TARGET);
    }();
    target.feed(std::string(reinterpret_cast<const char*>(data), size));
    return 0;
}
