// Measures this machine's memory and drive: what a scenario can use in place of the catalogue's numbers.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hwmodels/measurement.hpp"

namespace strata {

struct HostMeasuring {
    std::vector<std::string> only;  // of host_measurements(); none: all
    std::filesystem::path scratch = ".";
    Bytes file_size{0}, table_size{0};  // 0: by the room that there is
    int threads = 1;
    bool quick = false;                                      // a look, not a measurement: small tables, short samples
    bool io_uring = true;                                    // false: pread, as where the kernel refuses it
    std::function<void(const std::string& now)> progress{};  // called before each measurement
};

const std::vector<std::string>& host_measurements();  // stream_read, random_gather, ...

// Under two minutes; `quick`, under ten seconds. Throws InputError before anything is measured if there is no room.
std::vector<Measurement> measure_host(const HostMeasuring& asked);

}  // namespace strata
