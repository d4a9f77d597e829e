// A study builds and drops a Program of some hundred kilobytes at each point. glibc gives memory of that size back to
// the kernel every time, and faulting it in again takes as long as the point itself. Called once, at the start of a
// program.
#pragma once

#include <malloc.h>

namespace strata {

inline void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

}  // namespace strata
