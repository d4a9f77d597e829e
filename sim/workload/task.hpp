// One thing that a rank does in a step: what it asks for, of which part of the machine, and how long that takes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "hwmodels/units.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/model/op.hpp"

namespace strata {

// What a task occupies. One task at a time on each lane of a rank.
enum class Lane : std::uint8_t { compute, host_fetch, nvme_fetch, scale_up, scale_out, cxl_fetch, host_compute };
constexpr int kLanes = 7;
constexpr std::array<std::string_view, kLanes> kLaneNames{"compute",   "host_fetch", "nvme_fetch",  "scale_up",
                                                          "scale_out", "cxl_fetch",  "host_compute"};
constexpr bool is_fetch(Lane lane) {
    return lane == Lane::host_fetch || lane == Lane::nvme_fetch || lane == Lane::cxl_fetch;
}

// How a task's time follows from what it asks for.
enum class Pricing : std::uint8_t {
    kernel,       // by the family's curve, from flops and bytes
    exchange,     // by the family's curve, from bytes over the link
    overlapped,   // an exchange inside a kernel: the curve's efficiency without its overhead
    wire,         // bytes at the link's effective bandwidth, and its latency
    fetch,        // the slowest part of the way to host memory, expanders or drives, shared evenly, and its latency
    host_kernel,  // on the host's cores: the slower of its arithmetic and of reading its memory, shared evenly
    fabric,       // by flows on a fabric, when the Program is built
    given         // a wait whose time is set by the Program as a whole
};

struct Task {
    std::string_view name;  // a literal
    Slot slot = Slot::attention;
    Lane lane = Lane::compute;

    // What it asks for.
    Pricing pricing = Pricing::given;
    Family family = Family::gemm_bf16;
    bool fp8 = false;
    Flops flops{};
    Bytes moved{};        // through the lane; of compute: accelerator memory traffic
    Bytes on_link{};      // what `moved` costs on its link at the link's effective rate: packets of short rows, an
                          // exchange's own efficiency
    Bytes row{};          // what stands together in memory: of fetches, and of kernels that gather
    int peers = 0;        // exchanges: ranks among which the bytes go, the own one included
    bool joins = false;   // of an exchange: it ends when all its peers have sent
    double requests = 0;  // fetches from drives: reads, each of which counts against the drives' IOPS
    Bytes spared{};       // of kernels: what the format of their weights spares the point's memory traffic
    Seconds issued{};     // of kernels: they come no faster one after the other than the host launches them
    std::optional<OpPoint> point{};  // the same as a point of its family's table, where that measured such an op

    // What that takes (pricing.hpp).
    Origin origin = Origin::modelled;
    int variation = -1;         // index in Program::variations: ranks differ in this task, which is the busiest one's
    bool outside = false;       // of the lengths that the family's table holds: a guess, and shown as one
    bool memory_bound = false;  // of a kernel: bytes, not FLOPs, set its time beyond the overhead
    Seconds overhead{};         // of a kernel: launch and whatever work does not explain
    Seconds duration{};         // alone on an idle machine, latency included
    double low = 1, high = 1;   // the 10th and 90th percentile of `duration`, over it; both 1: not known, or exact
    Seconds latency{};          // the part of `duration` that does not occupy the lane's wire (0 for compute)
};

// What its time on a platform follows from, where its pricing says how.
inline auto asked_of(const Task& t) {
    return std::tie(t.pricing, t.family, t.fp8, t.lane, t.flops, t.moved, t.on_link, t.row, t.requests, t.point,
                    t.spared, t.issued);
}

}  // namespace strata
