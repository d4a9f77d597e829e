#include "sim/failure/published_failures.hpp"

#include "sim/failure/hours.hpp"

namespace strata {

namespace {

constexpr int kAcceleratorsOfNode = 8;

struct Cause {
    const char* name;
    int interruptions;
    bool breaks_node;  // assumed from the name: hardware does, software does not
};

// The counts sum to 419; the report's percentages do not all follow from them and are not used.
constexpr Cause kLlama3[] = {{"GPU", 148, true},
                             {"HBM3", 72, true},
                             {"software", 54, false},
                             {"network switch or cable", 35, false},
                             {"host maintenance", 32, true},
                             {"GPU SRAM", 19, true},
                             {"GPU system processor", 17, true},
                             {"NIC", 7, true},
                             {"NCCL watchdog", 7, false},
                             {"silent data corruption", 6, true},
                             {"GPU thermal interface or sensor", 6, true},
                             {"SSD", 3, true},
                             {"power supply", 3, true},
                             {"server chassis", 2, true},
                             {"IO board", 2, true},
                             {"dependency", 2, false},
                             {"CPU", 2, true},
                             {"system memory", 2, true}};

}  // namespace

std::vector<FailureSource> llama3_failures(double accelerators) {
    std::vector<FailureSource> sources;
    for (const Cause& cause : kLlama3)
        sources.push_back({.name = cause.name,
                           .parts = accelerators,
                           .mtbf = Seconds(16384 * 54 * kDay / cause.interruptions),
                           .breaks_node = cause.breaks_node});
    return sources;
}

std::vector<FailureSource> rsc1_failures(double accelerators) {
    return {{.name = "node", .parts = accelerators / kAcceleratorsOfNode, .mtbf = Seconds(1000 * kDay / 6.50)}};
}

}  // namespace strata
