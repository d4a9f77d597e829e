#include "sim/engine/systemc/packet_engine.hpp"

#include "hwmodels/fabric/packet/packet_fabric.hpp"
#include "hwmodels/fabric/packet/stage_messages.hpp"
#include "hwmodels/memory/one_simulation.hpp"
#include "sim/collective/collective_engine.hpp"

namespace strata {

namespace {

PacketRouting routing_of(WayFinding way) {
    if (way == WayFinding::valiant)
        throw InputError("workload.routing", "hashed, sprayed or adaptive with packets",
                         "valiant: use engines: [flow]");
    return way == WayFinding::hashed    ? PacketRouting::hashed
           : way == WayFinding::sprayed ? PacketRouting::sprayed
                                        : PacketRouting::adaptive;
}

}  // namespace

Run run_packets(const CollectiveWorkload& what) {
    const PlannedCollective planned = plan(what);
    const OneSimulation context;
    PacketFabric packets("fabric", planned.fabric,
                         {.packet = what.packet,
                          .virtual_channels = what.virtual_channels,
                          .buffer_packets = what.buffer_packets,
                          .routing = routing_of(what.routing)},
                         messages_of(planned.fabric, planned.stages, what.terms.pipelined));
    const PacketTimes times = packets.run();
    CollectiveTime time{.bottleneck = times.bottleneck};
    if (times.bottleneck >= 0) time.wire = times.busy[static_cast<std::size_t>(times.bottleneck)];
    time.latency = times.time - time.wire;  // with all waiting in queues
    return run_of(what, planned, with_terms(time, what.ranks, what.terms), "packet");
}

}  // namespace strata
