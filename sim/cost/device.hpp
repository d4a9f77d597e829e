// The numbers of an accelerator that costs need, looked up once. One that is null is kept as its error message and
// thrown only by an op that needs it.
#pragma once

#include <string>

#include "hwmodels/units.hpp"

namespace strata {

struct Device {
    std::string name;       // in the catalogue; empty where a scenario has changed its numbers
    std::string cuda_name;  // by which records of measurements know it; empty likewise
    FlopRate bf16, fp8;     // fp8: of products with 8-bit operands; of INT8 ones where those are run (in_int8)
    FlopRate int8;
    Bandwidth memory;
    Bandwidth link;                 // scale-up, a rank's own, per direction
    double cores = 0;               // SMs; 0: unknown
    double compute_capability = 0;  // 0: not NVIDIA's
    std::string bf16_missing, fp8_missing, int8_missing, link_missing;
};

// The device as products of INT8 find it.
inline Device in_int8(Device device) {
    device.fp8 = device.int8;
    device.fp8_missing = device.int8_missing;
    return device;
}

}  // namespace strata
