#include "sim/workload/program.hpp"

namespace strata {

TaskGraph graph_of(const Program& program) {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    edges.reserve(program.edges.size());
    for (const Edge& edge : program.edges) edges.emplace_back(edge.before, edge.after);
    TaskGraph graph(boost::edges_are_sorted, edges.begin(), edges.end(), program.tasks.size());
    for (std::size_t i = 0; i < program.tasks.size(); ++i) graph[i] = program.tasks[i];
    return graph;
}

}  // namespace strata
