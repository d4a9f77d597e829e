// Row ids of Engram by n-gram hash, for all Engram layers at once: they depend on the tokens alone.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct EngramHash {
    double tokens = 0;
    double layers = 2;
    double rows_per_token = 24;  // of a layer

    // The map of the vocabulary stays in L2 and integer arithmetic is not counted as FLOPs.
    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(tokens * 4), .written = Bytes(tokens * layers * rows_per_token * 4)};
    }
};

}  // namespace strata
