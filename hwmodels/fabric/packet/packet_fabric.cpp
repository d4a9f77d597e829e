#include "hwmodels/fabric/packet/packet_fabric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "kernels/mixed_bits.hpp"

namespace strata {

namespace {

Picoseconds to_ps(Seconds time) { return static_cast<Picoseconds>(std::llround(time.si() * 1e12)); }
Seconds from_ps(Picoseconds time) { return Seconds(static_cast<double>(time) * 1e-12); }
std::size_t at(int index) { return static_cast<std::size_t>(index); }

// More would take hours: some 10^6 are simulated a second.
constexpr double kMostHops = 2e9;
// assumed: packets of a channel, 256 KiB of 4 KiB ones. A quarter of it costs a full, tapered tree 6 % of its
// throughput where all begin with the same rank; more gains nothing (tests/systemc/packet_fabric_test.cpp).
constexpr int kLeastBuffer = 64;

}  // namespace

PacketFabric::PacketFabric(const sc_core::sc_module_name& module_name, const Fabric& fabric, const PacketSpec& spec,
                           const std::vector<Message>& messages)
    : sc_module(module_name),
      fabric_(fabric),
      spec_(spec),
      routers_{Router(fabric, LinkClass::scale_up), Router(fabric, LinkClass::scale_out)} {
    add_messages(messages);
    add_links();
    SC_HAS_PROCESS(PacketFabric);
    SC_METHOD(release);
    sensitive << release_;
    dont_initialize();
}

// Latencies are published between whole endpoints: what is left of them beside the flights is spent in the endpoints,
// without holding up anybody else.
Picoseconds PacketFabric::flight_of(const FabricLink& link) const {
    const FabricLayer& layer = fabric_.layer(link.link_class);
    const Seconds nearest = layer.latency.get() / (layer.direct ? 1 : 2);
    if (fabric_.is_switch(link.from) && fabric_.is_switch(link.to)) return to_ps(layer.hop.get());
    return to_ps(layer.hop.value ? std::min(*layer.hop.value, nearest) : nearest);
}

int PacketFabric::buffer_of(double bytes_per_ps, Picoseconds flight) const {
    if (spec_.buffer_packets > 0) return spec_.buffer_packets;
    const double round_trip = 2 * static_cast<double>(flight) * bytes_per_ps / spec_.packet.si();
    return std::max(kLeastBuffer, static_cast<int>(std::ceil(2 * round_trip)));
}

void PacketFabric::add_messages(const std::vector<Message>& messages) {
    double hops = 0;
    int longest = 1;
    arrival_.resize(messages.size());
    for (std::size_t m = 0; m < messages.size(); ++m) {
        const Message& what = messages[m];
        messages_.push_back({.what = what});
        if (at(what.stage) >= of_stage_.size()) of_stage_.resize(at(what.stage) + 1);
        of_stage_[at(what.stage)].push_back(static_cast<int>(m));
        if (what.from == what.to || !(what.bytes > Bytes(0))) continue;
        Sending& sending = messages_.back();
        const RoutesTo& routes = routes_to(what.to, what.link_class).to;
        if (!routes.from(what.from)) throw no_route(fabric_, what.link_class, what.from, what.to);
        const int links = routes.hops_from(what.from);
        const FabricLayer& layer = fabric_.layer(what.link_class);
        (void)layer.latency_over(links);  // throws where it is unknown
        const Seconds nearest = layer.latency.get() / (layer.direct ? 1 : 2);
        const Seconds flight = layer.hop.value ? std::min(*layer.hop.value, nearest) : nearest;
        sending.overhead = to_ps((nearest - flight) * (layer.direct ? 1 : 2));
        sending.packets = static_cast<int>(std::ceil(what.bytes / spec_.packet));
        sending.packet_bytes = what.bytes.si() / sending.packets;
        hops += double(sending.packets) * links;
        longest = std::max(longest, links);
        if (what.tree) add_to_tree(static_cast<int>(m));
    }
    for (std::size_t m = 0; m < messages.size(); ++m) {
        const auto wait = [&](int other, auto&& note) {
            if (other < 0) return;
            note(messages_.at(at(other)));
            ++messages_[m].waits_for;
        };
        for (const int other : messages[m].after)
            wait(other, [&](Sending& first) { first.next.push_back(static_cast<int>(m)); });
        wait(messages[m].behind, [&](Sending& first) { first.followed_by = static_cast<int>(m); });
    }
    for (const std::vector<int>& stage : of_stage_) missing_.push_back(static_cast<int>(stage.size()));
    if (hops > kMostHops)
        throw InputError(fabric_.name(), fmt::format("at most {:.0e} packet-hops", kMostHops),
                         fmt::format("{:.2e}: send fewer bytes or larger packets, or use the flow level", hops));
    if (spec_.virtual_channels == 0) spec_.virtual_channels = longest;
}

void PacketFabric::add_to_tree(int message) {
    Sending& sending = messages_[at(message)];
    if (spec_.queueing == Queueing::fifo)
        throw InputError(fabric_.name(), "a queue for each output, for packets that switches copy or add up", "fifo");
    const auto [known, is_new] = tree_numbers_.emplace(sending.what.tree.get(), static_cast<int>(trees_.size()));
    if (is_new) trees_.emplace_back(fabric_, sending.what.tree);
    sending.tree = known->second;
    PacketTree& tree = trees_[at(sending.tree)];
    tree.messages.push_back(message);
    tree.message_to[sending.what.to] = message;
}

void PacketFabric::add_links() {
    std::vector<int> inputs(at(fabric_.vertices()));
    for (const FabricLink& link : fabric_.links()) input_at_far_end_.push_back(inputs[at(link.to)]++);
    std::array<bool, 2> used{};
    for (const Sending& sending : messages_) used[static_cast<std::size_t>(sending.what.link_class)] = true;
    for (std::size_t l = 0; l < fabric_.links().size(); ++l) {
        const FabricLink& link = fabric_.links()[l];
        if (!used[static_cast<std::size_t>(link.link_class)]) {
            links_.push_back(nullptr);
            continue;
        }
        const double bytes_per_ps = link.bandwidth.si() * 1e-12;
        const Picoseconds flight = flight_of(link);
        const PacketLink::Spec spec{.index = static_cast<int>(l),
                                    .bytes_per_ps = bytes_per_ps,
                                    .flight = flight,
                                    .channels = spec_.virtual_channels,
                                    .buffer_packets = buffer_of(bytes_per_ps, flight),
                                    .inputs = inputs[at(link.from)]};
        links_.push_back(std::make_unique<PacketLink>(fmt::format("link{}", l).c_str(), spec, *this));
    }
    if (spec_.queueing == Queueing::fifo) lines_.assign(links_.size(), std::vector<Line>(at(spec_.virtual_channels)));
}

PacketFabric::Routes& PacketFabric::routes_to(int endpoint, LinkClass link_class) {
    const auto c = static_cast<std::size_t>(link_class);
    const auto known = routes_[c].find(endpoint);
    if (known != routes_[c].end()) return known->second;
    Routes routes{routers_[c].routes_to(endpoint), {}};
    routes.sent.resize(routes.to.next_of.size());
    return routes_[c].emplace(endpoint, std::move(routes)).first->second;
}

int PacketFabric::next_link(int vertex, const Packet& packet) {
    const Message& what = messages_[at(packet.message)].what;
    Routes& routes = routes_to(packet.to, what.link_class);
    const std::span<const int> next = routes.to.next(vertex);
    if (next.size() == 1) return next[0];
    if (spec_.routing == PacketRouting::hashed)
        return routers_[static_cast<std::size_t>(what.link_class)].hashed_next(routes.to, vertex, what.from);
    // Ties: another link first for each vertex and destination, or each time.
    const bool adaptive = spec_.routing == PacketRouting::adaptive;
    const std::size_t first =
        (adaptive ? ties_++ : mixed_bits((std::uint64_t(vertex) << 32) | std::uint64_t(packet.to))) % next.size();
    double* sent = &routes.sent[static_cast<std::size_t>(next.data() - routes.to.next_of.data())];
    std::size_t best = first;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < next.size(); ++i) {
        const std::size_t n = (first + i) % next.size();
        const PacketLink& link = *links_[at(next[n])];
        const double before = (adaptive ? double(link.occupied()) : sent[n]) / link.spec().bytes_per_ps;
        if (before < least) {
            least = before;
            best = n;
        }
    }
    sent[best] += packet.bytes;
    return next[best];
}

// A message starts on all first links of its routes: on each its part, or on whichever is free.
void PacketFabric::start(int message) {
    Sending& sending = messages_[at(message)];
    const Message& what = sending.what;
    if (sending.packets == 0) {
        const Picoseconds now = sc_core::sc_time_stamp().value();
        if (sending.followed_by >= 0) wait_is_over(sending.followed_by, now);
        return arrived(message, now);
    }
    if (sending.tree >= 0) return start_on_tree(message);
    const Routes& routes = routes_to(what.to, what.link_class);
    const std::span<const int> next = routes.to.next(what.from);
    if (spec_.routing == PacketRouting::hashed) {
        const int link =
            routers_[static_cast<std::size_t>(what.link_class)].hashed_next(routes.to, what.from, what.from);
        return links_[at(link)]->offer({message, sending.packets});
    }
    if (spec_.routing == PacketRouting::adaptive) {
        for (const int link : next) links_[at(link)]->offer({message, PacketStream::kShared});
        return;
    }
    double bandwidth = 0, up_to = 0;
    for (const int link : next) bandwidth += links_[at(link)]->spec().bytes_per_ps;
    const std::size_t first = mixed_bits((std::uint64_t(what.from) << 32) | std::uint64_t(what.to)) % next.size();
    for (std::size_t i = 0; i < next.size(); ++i) {
        PacketLink& link = *links_[at(next[(first + i) % next.size()])];
        const double from = std::round(up_to * sending.packets);
        up_to += link.spec().bytes_per_ps / bandwidth;
        const int part = static_cast<int>(std::round(up_to * sending.packets) - from);
        if (part > 0) link.offer({message, part});
    }
}

// The vector of each source, or of the only one.
void PacketFabric::start_on_tree(int message) {
    const Sending& sending = messages_[at(message)];
    const PacketTree& tree = trees_[at(sending.tree)];
    if (!tree.multicast() || tree.messages[0] == message)
        links_[at(tree.out(sending.what.from)[0])]->offer({message, sending.packets});
}

PacketId PacketFabric::make_packet(int message) {
    Sending& sending = messages_[at(message)];
    if (sending.made == sending.packets) return kNoPacket;
    ++made_;
    bytes_made_ += sending.packet_bytes;
    const int number = sending.made++;
    if (sending.made == sending.packets && sending.followed_by >= 0)
        wait_is_over(sending.followed_by, sc_core::sc_time_stamp().value());
    return pool_.take({.message = message,
                       .number = number,
                       .to = sending.what.to,
                       .bytes = sending.packet_bytes,
                       .tail_in = sc_core::sc_time_stamp().value()});
}

void PacketFabric::has_left(const Packet& packet, Picoseconds tail) {
    if (packet.came_by < 0) return;
    PacketLink& link = *links_[at(packet.came_by)];
    const int channel = link.channel_of(packet.hops - 1);
    link.give_back_room(channel, tail);
    if (spec_.queueing == Queueing::per_output) return;
    Line& line = lines_[at(packet.came_by)][at(channel)];
    line.has_head = !line.behind.empty();
    if (line.has_head) pass_on(packet.came_by, line.behind.pop(pool_));
}

void PacketFabric::pass_on(int link, PacketId id) {
    const Packet& packet = pool_[id];
    links_[at(next_link(fabric_.link(link).to, packet))]->request(input_at_far_end_[at(link)], id);
}

void PacketFabric::has_come(int link, PacketId id) {
    ++hops_;
    const Packet& packet = pool_[id];
    if (messages_[at(packet.message)].tree >= 0) return pass_on_by_tree(link, id);
    if (packet.to == fabric_.link(link).to) return take_in(link, id);
    if (spec_.queueing == Queueing::per_output) return pass_on(link, id);
    Line& line = lines_[at(link)][at(links_[at(link)]->channel_of(packet.hops - 1))];
    if (line.has_head) return line.behind.push(pool_, id);
    line.has_head = true;
    pass_on(link, id);
}

// Copies are made, and parts added up, outside the buffer that they came into: its room is free when the copy for the
// first output leaves, or when a part has been added.
void PacketFabric::pass_on_by_tree(int link, PacketId id) {
    const Packet packet = pool_[id];
    const int here = fabric_.link(link).to, input = input_at_far_end_[at(link)];
    PacketTree& tree = trees_[at(messages_[at(packet.message)].tree)];
    if (tree.multicast() && !fabric_.is_switch(here)) {
        pool_[id].message = tree.message_to.at(here);
        return take_in(link, id);
    }
    if (!tree.multicast()) {
        const std::optional<Picoseconds> whole = tree.add_part(here, packet.number, packet.tail_in);
        if (!whole) {
            ++come_;
            bytes_come_ += packet.bytes;
            links_[at(link)]->give_back_room(links_[at(link)]->channel_of(packet.hops - 1), packet.tail_in);
            return pool_.give_back(id);
        }
        pool_[id].tail_in = *whole;
        pool_[id].message = tree.messages[0];
        if (here == packet.to) return take_in(link, id);
    }
    const std::vector<int>& out = tree.out(here);
    for (std::size_t copy = 1; copy < out.size(); ++copy) {
        ++made_;
        bytes_made_ += packet.bytes;
        Packet another = packet;
        another.came_by = -1;
        links_[at(out[copy])]->request(input, pool_.take(another));
    }
    links_[at(out[0])]->request(input, id);
}

// At its destination; a sum is there for all messages that it is made of.
void PacketFabric::take_in(int link, PacketId id) {
    const Packet packet = pool_[id];
    Sending& sending = messages_[at(packet.message)];
    ++come_;
    bytes_come_ += packet.bytes;
    if (packet.number < sending.latest) ++overtaken_;
    sending.latest = std::max(sending.latest, packet.number);
    Picoseconds& arrival = arrival_[at(packet.message)];
    arrival = std::max(arrival, packet.tail_in + sending.overhead);
    PacketLink& by = *links_[at(link)];
    by.give_back_room(by.channel_of(packet.hops - 1), packet.tail_in);
    pool_.give_back(id);
    if (++sending.come < sending.packets) return;
    const Picoseconds whole = arrival;
    if (sending.tree < 0 || trees_[at(sending.tree)].multicast()) return arrived(packet.message, whole);
    for (const int message : trees_[at(sending.tree)].messages) arrived(message, whole);
}

void PacketFabric::arrived(int message, Picoseconds when) {
    arrival_[at(message)] = when;
    for (const int next : messages_[at(message)].next) wait_is_over(next, when);
    auto stage = at(messages_[at(message)].what.stage);
    --missing_[stage];
    // What waits for no message waits for the stages before it; the last message to arrive opens the next.
    Picoseconds last = 0;
    for (; stage + 1 < of_stage_.size() && missing_[stage] == 0; ++stage) {
        for (const int m : of_stage_[stage]) last = std::max(last, arrival_[at(m)]);
        for (const int m : of_stage_[stage + 1])
            if (messages_[at(m)].what.waits_for_none()) release_at(m, last);
        if (missing_[stage + 1] != 0) break;
    }
}

void PacketFabric::wait_is_over(int message, Picoseconds when) {
    Sending& sending = messages_[at(message)];
    sending.released = std::max(sending.released, when);
    if (--sending.waits_for == 0) release_at(message, sending.released);
}

void PacketFabric::release_at(int message, Picoseconds when) {
    releases_.push({when, message});
    const Picoseconds now = sc_core::sc_time_stamp().value();
    release_.notify(sc_core::sc_time::from_value(when > now ? when - now : 0));
}

void PacketFabric::release() {
    const Picoseconds now = sc_core::sc_time_stamp().value();
    while (!releases_.empty() && releases_.top().first <= now) {
        const int message = releases_.top().second;
        releases_.pop();
        start(message);
    }
    if (!releases_.empty()) release_.notify(sc_core::sc_time::from_value(releases_.top().first - now));
}

void PacketFabric::check_all_came() const {
    if (std::all_of(missing_.begin(), missing_.end(), [](int missing) { return missing == 0; })) {
        if (made_ != come_ || std::abs(bytes_made_ - bytes_come_) > 1e-9 * bytes_made_)
            throw std::logic_error("bytes were lost on the way");
        return;
    }
    std::string where;
    int blocked = 0;
    for (const auto& link : links_)
        if (link && link->is_blocked() && ++blocked <= 3)
            where += fmt::format("{}{}", where.empty() ? "" : "; ", fabric_.describe(link->spec().index));
    throw InputError(fmt::format(
        "{}: deadlock: {} packets wait in a circle for room behind each other, with {} virtual channels; {} links are "
        "blocked ({}{}). Give it as many channels as its longest route has links",
        fabric_.name(), made_ - come_, spec_.virtual_channels, blocked, where, blocked > 3 ? "; ..." : ""));
}

PacketTimes PacketFabric::run() {
    if (!of_stage_.empty())
        for (const int m : of_stage_[0])
            if (messages_[at(m)].what.waits_for_none()) release_at(m, 0);
    sc_core::sc_start();  // until nothing happens any more
    check_all_came();
    return times();
}

PacketTimes PacketFabric::times() const {
    PacketTimes times{.packets = made_, .hops = hops_, .overtaken = overtaken_};
    for (const Picoseconds arrival : arrival_) {
        times.arrival.push_back(from_ps(arrival));
        times.time = std::max(times.time, times.arrival.back());
    }
    Seconds longest;
    for (std::size_t l = 0; l < links_.size(); ++l) {
        times.carried.push_back(links_[l] ? Bytes(links_[l]->carried()) : Bytes(0));
        times.busy.push_back(links_[l] ? from_ps(links_[l]->busy()) : Seconds(0));
        if (times.busy.back() > longest) {
            longest = times.busy.back();
            times.bottleneck = static_cast<int>(l);
        }
    }
    if (longest > times.time * (1 + 1e-9)) throw std::logic_error("a link was used beyond its bandwidth");
    return times;
}

}  // namespace strata
