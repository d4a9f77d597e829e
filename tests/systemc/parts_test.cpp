#include <gtest/gtest.h>

#include <tlm_utils/simple_initiator_socket.h>

#include "hwmodels/link/link_module.hpp"
#include "hwmodels/memory/memory_module.hpp"
#include "hwmodels/memory/simulated_time.hpp"

namespace strata {
namespace {

// Sends transfers through its socket, all now; says when each is through.
struct PartSender : sc_core::sc_module {
    explicit PartSender(const sc_core::sc_module_name& module_name) : sc_module(module_name) {}
    double through_us(Bytes bytes, double requests = 0) {
        payload.transfer().bytes = payload.transfer().on_link = bytes;
        payload.transfer().requests = requests;
        return to_us(to_seconds(payload.send(socket)));
    }
    tlm_utils::simple_initiator_socket<PartSender> socket{"socket"};
    TransferPayload payload;
};

const ServiceRate kTenGBps{.bandwidth = 10.0_GBps, .requests_per_s = 0, .latency = 2.0_us};

TEST(MemoryModule, serves_in_order_of_arrival_and_overlaps_latency_with_the_next) {
    MemoryModule memory("memory", kTenGBps);
    PartSender first("first"), second("second");
    first.socket.bind(memory.in);
    second.socket.bind(memory.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(first.through_us(Bytes(1e5)), 12, 1e-6);   // 10 us and 2 of latency
    EXPECT_NEAR(second.through_us(Bytes(1e5)), 22, 1e-6);  // 10 waiting, 10 served, 2 of latency
    EXPECT_NEAR(to_us(memory.queue().busy()), 20, 1e-6);
    EXPECT_NEAR(to_us(memory.queue().queued()), 10, 1e-6);
    EXPECT_EQ(memory.queue().served(), Bytes(2e5));
}

TEST(MemoryModule, of_drives_counts_reads_where_they_take_longer_than_bytes) {
    MemoryModule drives("drives", {.bandwidth = 10.0_GBps, .requests_per_s = 1e6, .latency = {}});
    PartSender sender("sender");
    sender.socket.bind(drives.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(sender.through_us(Bytes(1e5), 5), 10, 1e-6);        // bytes: 10 us, reads: 5 us
    EXPECT_NEAR(sender.through_us(Bytes(1e5), 30), 10 + 30, 1e-6);  // reads: 30 us
}

TEST(MemoryModule, serves_more_than_the_32_bits_of_a_payload_length) {
    MemoryModule memory("memory", {.bandwidth = 1000.0_GBps, .requests_per_s = 0, .latency = {}});
    PartSender sender("sender");
    sender.socket.bind(memory.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(sender.through_us(10.0_GB), 1e4, 1e-6);
}

TEST(LinkModule, cuts_through_to_the_memory_behind_it) {
    LinkModule link("link", kTenGBps);
    MemoryModule fast("fast", {.bandwidth = 100.0_GBps, .requests_per_s = 0, .latency = {}});
    MemoryModule slow("slow", {.bandwidth = 5.0_GBps, .requests_per_s = 0, .latency = {}});
    PartSender to_fast("to_fast"), to_slow("to_slow");
    to_fast.socket.bind(link.in);
    to_slow.socket.bind(link.in);
    link.out.bind(fast.in);
    link.out.bind(slow.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(to_fast.through_us(Bytes(1e5)), 12, 1e-6);  // the link decides: 10 us and 2 of latency
    EXPECT_NEAR(to_slow.through_us(Bytes(2e5)), 40, 1e-6);  // the memory: 40 us; the link 10 waiting, 20, and 2
    EXPECT_EQ(fast.queue().served(), Bytes(1e5));
    EXPECT_EQ(slow.queue().served(), Bytes(2e5));
    EXPECT_EQ(link.queue().served(), Bytes(3e5));
}

}  // namespace
}  // namespace strata
