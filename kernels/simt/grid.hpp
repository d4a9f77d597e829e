// The shape of a launch: computed once for a problem, used by the GPU launch and by the emulator alike.
#pragma once

#include <cstddef>

namespace strata {

struct Grid {
    int blocks = 1;
    int rows = 1;                  // second dimension
    int threads = 32;              // a block: a multiple of 32
    int cluster = 1;               // neighbouring blocks that run together and see each other's shared memory
    std::size_t shared_bytes = 0;  // dynamic, a block
};

}  // namespace strata
