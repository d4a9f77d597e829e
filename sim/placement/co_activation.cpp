#include "sim/placement/co_activation.hpp"

namespace strata {

TokenSample sample_tokens(RoutingSource& source, int layer, std::int64_t first_step, int steps, int tokens) {
    TokenSample sample;
    for (std::int64_t step = first_step; step < first_step + steps; ++step)
        for (int token = 0; token < tokens; ++token) sample.push_back(source.experts_of(layer, step, token));
    return sample;
}

CoActivationGraph co_activation(const TokenSample& sample, int experts) {
    const auto n = std::size_t(experts);
    CoActivationGraph graph(n);
    std::vector<double> together(n * n);
    for (const std::vector<int>& chosen : sample)
        for (const int a : chosen) {
            ++graph[std::size_t(a)].tokens;
            for (const int b : chosen) ++together[std::size_t(a) * n + std::size_t(b)];
        }
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = a + 1; b < n; ++b)
            if (together[a * n + b] > 0) boost::add_edge(a, b, Together{together[a * n + b]}, graph);
    return graph;
}

CoActivationGraph among_slots(const CoActivationGraph& experts, std::span<const int> expert_of_slot) {
    std::vector<std::vector<std::size_t>> slots(boost::num_vertices(experts));
    for (std::size_t slot = 0; slot < expert_of_slot.size(); ++slot)
        slots.at(std::size_t(expert_of_slot[slot])).push_back(slot);
    CoActivationGraph graph(expert_of_slot.size());
    for (std::size_t expert = 0; expert < slots.size(); ++expert)
        for (const std::size_t slot : slots[expert])
            graph[slot].tokens = experts[expert].tokens / double(slots[expert].size());
    for (auto [edge, end] = boost::edges(experts); edge != end; ++edge) {
        const auto &from = slots[boost::source(*edge, experts)], &to = slots[boost::target(*edge, experts)];
        for (const std::size_t a : from)
            for (const std::size_t b : to)
                boost::add_edge(a, b, Together{experts[*edge].tokens / double(from.size() * to.size())}, graph);
    }
    return graph;
}

}  // namespace strata
