#include "hwmodels/memory/dram_module.hpp"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {
namespace {

// HBM3 with nothing but powers of two in its clock: 625 ps a cycle.
DramSpec hbm3() { return read_dram_spec(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/dram/HBM3.yaml"); }

struct Sender : sc_core::sc_module {
    explicit Sender(const sc_core::sc_module_name& module_name) : sc_module(module_name) {}
    // In how much time from now it is back.
    sc_core::sc_time send(tlm::tlm_command command, std::uint64_t address, unsigned bytes, bool posted = false) {
        tlm::tlm_generic_payload payload;
        Posted mark;
        if (posted) payload.set_extension(&mark);
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_length(bytes);
        sc_core::sc_time delay;
        try {
            socket->b_transport(payload, delay);
        } catch (const InputError& error) {
            words = error.what();
        }
        payload.clear_extension(&mark);
        status = payload.get_response_status();
        return delay;
    }
    tlm_utils::simple_initiator_socket<Sender> socket{"socket"};
    tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
    std::string words;
};

struct Board {
    DramModule memory{"memory", hbm3(), 1};
    Sender sender{"sender"};
    Board() {
        sender.socket.bind(memory.in);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
};

// ACT, RCD 31, READ, CL 20, the burst 2: 53 cycles of 625 ps. The row is open then: 22.
TEST(DramModule, annotates_the_time_of_a_read) {
    Board board;
    const auto read = [&] { return to_seconds(board.sender.send(tlm::TLM_READ_COMMAND, 0, 32)).si() * 1e9; };
    EXPECT_NEAR(read(), 53 * 0.625, 0.001);
    EXPECT_EQ(board.sender.status, tlm::TLM_OK_RESPONSE);
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_US));
    EXPECT_NEAR(read(), 22 * 0.625, 0.626);  // arrivals wait for the next cycle
}

// Posted, they only need room; the fence waits for the last. 64 rows of one bank take a row cycle each, 72 cycles.
TEST(DramModule, lets_posted_reads_overlap_and_waits_for_them_at_a_fence) {
    Board board;
    DramCoordinates at;
    for (int i = 0; i < 64; ++i) {
        at.row = static_cast<std::uint32_t>(i);
        const auto address = board.memory.memory().mapping().address_of(at);
        EXPECT_EQ(board.sender.send(tlm::TLM_READ_COMMAND, address, 32, true), sc_core::SC_ZERO_TIME) << i;
    }
    at.row = 64;  // one more than the window holds
    const auto address = board.memory.memory().mapping().address_of(at);
    EXPECT_GT(board.sender.send(tlm::TLM_READ_COMMAND, address, 32, true), sc_core::SC_ZERO_TIME);
    const double all_ns = to_seconds(board.sender.send(tlm::TLM_IGNORE_COMMAND, 0, 0)).si() * 1e9;
    EXPECT_NEAR(all_ns, (64 * 72 + 53) * 0.625, 500);  // a refresh of that bank may come between
}

TEST(DramModule, takes_a_transfer_as_rows_at_random_places) {
    Board board;
    TransferPayload payload;
    payload.transfer().bytes = Bytes(264 * 1000);
    payload.transfer().row = Bytes(264);
    const Seconds time = to_seconds(payload.send(board.sender.socket));
    EXPECT_GT(time, Bytes(264 * 1000) / board.memory.memory().peak());
    const DramCounts counts = board.memory.memory().counts();
    EXPECT_EQ(counts.reads, 9000u);                            // 264 B at a multiple of 264 B: nine accesses of 32 B
    EXPECT_EQ(board.memory.memory().latencies().count(), 1u);  // one request
    // Rows that do not fill a transfer: two and a half of 64 KiB are not three.
    payload.transfer().bytes = Bytes(163840);
    payload.transfer().row = Bytes(65536);
    payload.send(board.sender.socket);
    EXPECT_EQ(board.memory.memory().counts().reads - counts.reads, 163840u / 32);
}

TEST(DramModule, refuses_what_is_beyond_it_with_a_response_and_words) {
    Board board;
    const std::uint64_t capacity = board.memory.memory().mapping().capacity();
    for (const auto& [address, bytes] : {std::pair{capacity, 32u}, {std::uint64_t{8}, 32u}, {std::uint64_t{0}, 0u}}) {
        board.sender.words.clear();
        board.sender.send(tlm::TLM_READ_COMMAND, address, bytes);
        EXPECT_EQ(board.sender.status, tlm::TLM_ADDRESS_ERROR_RESPONSE) << address;
        EXPECT_NE(board.sender.words.find("HBM3.yaml): request of"), std::string::npos) << board.sender.words;
    }
}

}  // namespace
}  // namespace strata
