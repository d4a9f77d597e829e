// What a DRAM controller says to its devices. The model can emit every command it issues; a checker that shares
// nothing with the model but this file holds them against the standard's table.
#pragma once

#include <cstdint>

namespace strata {

enum class DramCommand : std::uint8_t { activate, precharge, read, write, refresh_bank, refresh_all };

struct IssuedCommand {
    std::int64_t cycle = 0;        // of the standard's clock
    std::uint32_t channel = 0;     // pseudo-channel, counted over the whole memory: each has buses of its own
    std::uint32_t row = 0;         // of activate, read and write
    std::uint16_t rank = 0;        // or stack ID
    std::uint16_t bank_group = 0;  // of its rank; refresh_all: 0
    std::uint16_t bank = 0;        // of its bank group; refresh_all: 0
    DramCommand command = DramCommand::activate;
};

}  // namespace strata
