// One step of one rank class as a DAG: what must be computed, fetched and sent, and what waits for what. Every rank of
// the class runs the same Program; what they share (host DRAM, drives) is said by the Machine.
#pragma once

#include <boost/graph/compressed_sparse_row_graph.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "hwmodels/units.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/model/op.hpp"
#include "sim/quality/optical_law.hpp"
#include "sim/workload/row_efficiency.hpp"

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
    int layer = 0;
    int batch = 0;  // micro-batch
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

// Tasks stand in topological order: an edge always goes from a lower to a higher index.
using TaskGraph = boost::compressed_sparse_row_graph<boost::directedS, Task>;

struct Edge {
    std::uint32_t before, after;
    friend auto operator<=>(const Edge&, const Edge&) = default;
};

// How the ranks of an expert group differ in a task, for what the Task says: all are at most 1.
struct Variation {
    std::vector<double> done;      // [ranks], time on the lane and bytes
    std::vector<double> received;  // [ranks], of exchanges: bytes that arrive
};

// How evenly tokens are spread over the ranks of an expert group; means over layers.
struct ExpertBalance {
    double load_max_over_mean = 1;
    double ranks_of_a_token = 0, nodes_of_a_token = 0;  // distinct ones that its experts are on
};

// What pages as pictures make of the context of one sequence.
struct OpticalSummary {
    double text_tokens = 0;    // of prompt and context, before any became a picture
    double pictured_text = 0;  // of these
    double pages = 0, vision_tokens = 0;
    PrecisionEstimate precision{};  // of the pictured text
};

struct Program {
    std::vector<Task> tasks;
    std::vector<Edge> edges;  // sorted by `before`
    // So many times must a micro-batch pass before the first task: task 0 then is that wait (a pipeline that fills).
    int turns_waited = 0;
    // Where tokens do not spread evenly: tasks are then those of the busiest rank of each layer, for which all wait.
    int differing_ranks = 1;  // of an expert group
    std::vector<Variation> variations{};
    std::optional<ExpertBalance> balance{};
    std::optional<OpticalSummary> optical{};
};

TaskGraph graph_of(const Program& program);

// What the ranks of one node share and own, as bandwidth, for the engine that models contention.
struct Machine {
    int ranks = 1;          // on one node, all running the Program
    Bandwidth memory;       // a rank's own
    Bandwidth host_link;    // a rank's own, effective
    Bandwidth host_memory;  // shared by the node's ranks
    Bandwidth nvme;         // shared, all drives of the node
    double nvme_iops = 0;   // shared, all drives of the node
    Bandwidth cxl;          // shared, all expanders of the node
    FlopRate host_compute;  // shared, BF16 peak of all sockets
    Bandwidth scale_up;     // a rank's own, effective
    Bandwidth scale_out;    // a rank's own, effective
    // How much of its peak a memory gives to scattered rows; null: all of it, as far as is known.
    std::shared_ptr<const RowEfficiency> memory_rows, host_rows;

    double host_efficiency(Bytes row) const { return host_rows && row > Bytes(0) ? host_rows->of(row) : 1; }
};

// How long a fetch occupies its lane when `sharing` ranks of the node fetch at the same time and each gets an even
// share of what they have in common: the slowest part of the way decides. Bytes and requests come from the task.
Seconds evenly_shared_fetch(const Task& fetch, const Machine& machine, double sharing);

// A task in time. All ranks of the class are alike, so one timeline stands for all; with contention it is the slowest.
struct Interval {
    Seconds begin, end;
};

struct Timeline {
    Seconds makespan;
    std::array<Seconds, kLanes> busy;  // of the rank shown
    std::vector<Interval> tasks;       // same index as Program::tasks
};

}  // namespace strata
