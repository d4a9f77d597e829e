// Packets on a tree of switches: where they come together, where they part, and the sums that wait for more.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "hwmodels/fabric/packet/packet.hpp"
#include "hwmodels/fabric/traffic.hpp"

namespace strata {

class PacketTree {
public:
    // Throws InputError where anything but a switch would have to add up or copy.
    PacketTree(const Fabric& fabric, std::shared_ptr<const SwitchTree> tree);

    bool multicast() const { return tree_->multicast; }
    std::size_t links() const { return tree_->links.size(); }
    // Links that a packet goes on by from a vertex of the tree: all of them, or the only one.
    const std::vector<int>& out(int vertex) const { return nodes_.at(vertex).out; }

    // The packets of this number are added up in a vertex as they come. Returns when the last part's tail is there,
    // once it is the last; nothing before. assumed: a switch has room for all sums that wait; no vendor says for how
    // many.
    std::optional<Picoseconds> add_part(int vertex, int number, Picoseconds tail);

    std::vector<int> messages{};                // that go by it
    std::unordered_map<int, int> message_to{};  // of each destination (multicast)

private:
    struct Node {
        int inputs = 0;
        std::vector<int> out{};
    };
    struct WaitingSum {
        int come = 0;
        Picoseconds tail = 0;
    };
    std::shared_ptr<const SwitchTree> tree_;
    std::unordered_map<int, Node> nodes_;
    std::unordered_map<std::uint64_t, WaitingSum> sums_;  // by vertex and number
};

}  // namespace strata
