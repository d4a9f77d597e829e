#include "sim/workload/program.hpp"

#include <algorithm>

namespace strata {

TaskGraph graph_of(const Program& program) {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    edges.reserve(program.edges.size());
    for (const Edge& edge : program.edges) edges.emplace_back(edge.before, edge.after);
    TaskGraph graph(boost::edges_are_sorted, edges.begin(), edges.end(), program.tasks.size());
    for (std::size_t i = 0; i < program.tasks.size(); ++i) graph[i] = program.tasks[i];
    return graph;
}

Seconds evenly_shared_fetch(const Task& fetch, const Machine& machine, double sharing) {
    const Seconds on_link = fetch.on_link / machine.host_link;
    if (fetch.lane == Lane::host_fetch) {
        const Bandwidth memory = machine.host_memory * machine.host_efficiency(fetch.row);
        return std::max(on_link, fetch.moved / memory * sharing);
    }
    if (fetch.lane == Lane::cxl_fetch) return std::max(on_link, fetch.moved / machine.cxl * sharing);
    return std::max(
        {on_link, fetch.moved / machine.nvme * sharing, Seconds(fetch.requests / machine.nvme_iops * sharing)});
}

}  // namespace strata
