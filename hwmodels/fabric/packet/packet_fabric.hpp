// A fabric in simulated time, packet by packet: what the flow level takes for granted (that links are shared fairly and
// kept busy, that routes are balanced, that nobody waits for what has come before) is what comes out here. Endpoints
// put the packets of their messages on their first links in turn, in the order given, and take in whatever comes;
// switches, and endpoints that are wired to each other, pass on.
#pragma once

#include <map>
#include <memory>
#include <queue>

#include "hwmodels/fabric/packet/packet_link.hpp"
#include "hwmodels/fabric/packet/packet_spec.hpp"
#include "hwmodels/fabric/packet/packet_tree.hpp"
#include "hwmodels/fabric/router.hpp"

namespace strata {

class PacketFabric : public sc_core::sc_module {
public:
    // The fabric must outlive it. Throws InputError for a message without a route and for an unknown latency.
    PacketFabric(const sc_core::sc_module_name& name, const Fabric& fabric, const PacketSpec& spec,
                 const std::vector<Message>& messages);

    // Simulates until all is there: once in a process. Throws InputError where packets wait for each other in a circle,
    // std::logic_error if bytes were lost or a link was used beyond its bandwidth.
    PacketTimes run();

    // What links call.
    PacketPool& packets() { return pool_; }
    PacketId make_packet(int message);                      // kNoPacket: none is left
    void has_left(const Packet& packet, Picoseconds tail);  // the buffer that it was in
    void has_come(int link, PacketId packet);               // its head, at the link's far end

private:
    // Routes to an endpoint on a layer, and what has been sent by each of their links (sprayed).
    struct Routes {
        RoutesTo to;
        std::vector<double> sent;
    };
    struct Sending {
        Message what;
        double packet_bytes = 0;
        int packets = 0, made = 0, come = 0;
        int latest = -1;           // number of the packet that came last
        int waits_for = 0;         // messages
        Picoseconds released = 0;  // by the latest of them so far
        std::vector<int> next{};   // messages that wait for this one to arrive,
        int followed_by = -1;      // and for its last packet to leave
        int tree = -1;             // in `trees_`
        Picoseconds overhead = 0;  // of the endpoints, at the end
    };

    void add_links();
    void add_messages(const std::vector<Message>& messages);
    void add_to_tree(int message);
    Picoseconds flight_of(const FabricLink& link) const;
    int buffer_of(double bytes_per_ps, Picoseconds flight) const;
    Routes& routes_to(int endpoint, LinkClass link_class);
    int next_link(int vertex, const Packet& packet);
    void pass_on(int link, PacketId id);
    void pass_on_by_tree(int link, PacketId id);
    void take_in(int link, PacketId id);
    void start(int message);
    void start_on_tree(int message);
    void arrived(int message, Picoseconds at);
    void wait_is_over(int message, Picoseconds at);
    void release();  // method process: messages whose time has come
    void release_at(int message, Picoseconds at);
    void check_all_came() const;
    PacketTimes times() const;

    const Fabric& fabric_;
    PacketSpec spec_;
    std::array<Router, 2> routers_;
    std::array<std::map<int, Routes>, 2> routes_;
    std::vector<std::unique_ptr<PacketLink>> links_;
    std::vector<int> input_at_far_end_;  // of each link: its number there
    // Of each link and channel, where queues are first in, first out: what waits behind the head, which asks for its
    // output.
    struct Line {
        PacketQueue behind{};
        bool has_head = false;
    };
    std::vector<std::vector<Line>> lines_;
    PacketPool pool_;
    std::vector<Sending> messages_;
    std::vector<PacketTree> trees_;
    std::map<const SwitchTree*, int> tree_numbers_;
    std::vector<Picoseconds> arrival_;
    std::vector<int> missing_;  // messages of each stage that have not arrived
    std::vector<std::vector<int>> of_stage_;
    using Release = std::pair<Picoseconds, int>;
    std::priority_queue<Release, std::vector<Release>, std::greater<>> releases_;
    sc_core::sc_event release_;
    long hops_ = 0, overtaken_ = 0, made_ = 0, come_ = 0;
    double bytes_made_ = 0, bytes_come_ = 0;
    unsigned ties_ = 0;
};

}  // namespace strata
