#include "hwmodels/fabric/packet/packet_tree.hpp"

#include <algorithm>

namespace strata {

PacketTree::PacketTree(const Fabric& fabric, std::shared_ptr<const SwitchTree> tree) : tree_(std::move(tree)) {
    for (const int l : tree_->links) {
        const FabricLink& link = fabric.link(l);
        nodes_[link.from].out.push_back(l);
        ++nodes_[link.to].inputs;
    }
    for (const auto& [vertex, node] : nodes_)
        if (!fabric.is_switch(vertex) && node.out.size() + (node.inputs > 0 ? 1 : 0) > 1)
            throw InputError(fabric.name(),
                             "switches between all ranks of an in-network collective, each rank with one way in",
                             "a rank that would add up, copy or pass on");
}

std::optional<Picoseconds> PacketTree::add_part(int vertex, int number, Picoseconds tail) {
    const std::uint64_t key = (std::uint64_t(static_cast<std::uint32_t>(vertex)) << 32) | std::uint32_t(number);
    WaitingSum& sum = sums_[key];
    sum.tail = std::max(sum.tail, tail);
    if (++sum.come < nodes_.at(vertex).inputs) return std::nullopt;
    const Picoseconds whole = sum.tail;
    sums_.erase(key);
    return whole;
}

}  // namespace strata
