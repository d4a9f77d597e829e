// One step of one rank class as a DAG: what must be computed, fetched and sent, and what waits for what. Every rank of
// the class runs the same Program; what they share (host DRAM, drives) is said by the Machine.
#pragma once

#include <boost/graph/compressed_sparse_row_graph.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/quality/optical_law.hpp"
#include "sim/workload/row_efficiency.hpp"
#include "sim/workload/task_list.hpp"

namespace strata {

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
    TaskList tasks;
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
