// The GPU that is measured, and what its management library says of it while it works.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace strata {

struct Gpu {
    std::string name{}, uuid{};
    int major = 0, minor = 0;  // compute capability
    int multiprocessors = 0;
    std::int64_t l2_bytes = 0, memory_bytes = 0;
    double memory_peak_gbs = 0;  // from its clock and bus width: the datasheet's number; 0 where the driver hides it
    bool ecc = false;
    int driver = 0, runtime = 0;  // 13000
};

// The current device, or none where there is no driver or no card. Throws CudaError for anything else.
std::optional<Gpu> find_gpu();

// NVML, loaded when asked for; without it every question has no answer.
class Management {
public:
    explicit Management(const std::string& uuid);
    ~Management();
    std::optional<double> power_watts() const;
    std::optional<double> sm_clock_mhz() const;
    // Reasons for a lower clock that were active at this moment, "none", or no answer.
    std::optional<std::string> throttle() const;

private:
    struct Library;
    std::unique_ptr<Library> library_;
};

}  // namespace strata
