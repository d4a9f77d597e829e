// Drives and PCIe in simulated time: the same request-by-request models as without SystemC, asked by payloads.
#include <gtest/gtest.h>

#include <tlm_utils/simple_initiator_socket.h>

#include "hwmodels/link/pcie_module.hpp"
#include "hwmodels/memory/memory_module.hpp"
#include "hwmodels/memory/nvme_module.hpp"
#include "hwmodels/memory/simulated_time.hpp"

namespace strata {
namespace {

const std::string kCatalog = std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/";

// Sends plain payloads (address and length) or chunks through its socket, all now; says when each is through.
struct Asker : sc_core::sc_module {
    explicit Asker(const sc_core::sc_module_name& module_name) : sc_module(module_name) {}
    double through_us(std::uint64_t address, unsigned length, tlm::tlm_command command = tlm::TLM_READ_COMMAND) {
        tlm::tlm_generic_payload payload;
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_length(length);
        sc_core::sc_time delay;
        socket->b_transport(payload, delay);
        EXPECT_TRUE(payload.is_response_ok());
        return to_us(to_seconds(delay));
    }
    double chunk_us(Bytes bytes, double requests) {
        chunk.transfer().bytes = chunk.transfer().on_link = bytes;
        chunk.transfer().requests = requests;
        return to_us(to_seconds(chunk.send(socket)));
    }
    tlm_utils::simple_initiator_socket<Asker> socket{"socket"};
    TransferPayload chunk;
};

TEST(NvmeModule, answers_as_its_drive_does_reads_and_writes) {
    const NvmeSpec spec = read_nvme_spec(kCatalog + "nvme/NVMe_Gen5.yaml");
    NvmeModule module("drive", spec);
    Asker asker("asker");
    asker.socket.bind(module.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(asker.through_us(0, 4096), 60, 1e-3);
    EXPECT_NEAR(asker.through_us(4096, 4096, tlm::TLM_WRITE_COMMAND), 15, 1e-3);
    EXPECT_EQ(module.drive().stats().reads, 1);
    EXPECT_EQ(module.drive().stats().writes, 1);
    EXPECT_THROW(asker.through_us(0, 0), InputError);
    EXPECT_THROW(asker.through_us(100, 512), InputError);
    EXPECT_THROW(asker.through_us(8000000000000, 512), InputError);
}

TEST(NvmeModule, a_chunk_of_many_rows_takes_the_time_of_as_many_random_reads) {
    const NvmeSpec spec = read_nvme_spec(kCatalog + "nvme/NVMe_Gen5.yaml");
    NvmeModule module("drive", spec);
    Asker asker("asker");
    asker.socket.bind(module.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    const double us = asker.chunk_us(Bytes(1e5 * 4096), 1e5);
    const AccessRate rate = nvme_random_read(spec, 4096, Bytes(4096));
    EXPECT_NEAR(us / (1e5 / rate.requests_per_s * 1e6), 1, 0.02);
    EXPECT_EQ(module.drive().stats().reads, 1e5);
}

TEST(NvmeModule, time_goes_on_between_transactions) {
    const NvmeSpec spec = read_nvme_spec(kCatalog + "nvme/NVMe_Gen5.yaml");
    NvmeModule module("drive", spec);
    Asker asker("asker");
    asker.socket.bind(module.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(asker.through_us(0, 4096), 60, 1e-3);
    EXPECT_NEAR(asker.through_us(0, 4096), 100, 3);  // the plane is sensing: 40 us more
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_MS));
    EXPECT_NEAR(asker.through_us(0, 4096), 60, 1e-3);
}

TEST(PcieModule, a_load_waits_for_a_tag_and_a_chunk_of_rows_takes_the_time_of_as_many_loads) {
    const PcieSpec spec = read_pcie_spec(kCatalog + "pcie/PCIe5.yaml");
    PcieModule pcie("pcie", spec, 16, PciePath::zero_copy);
    Asker direct("direct"), chunked("chunked");
    direct.socket.bind(pcie.in);
    chunked.socket.bind(pcie.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    const double first = direct.through_us(0, 128);
    EXPECT_NEAR(first, 1.3, 0.01);  // 1.03 us and 0.27 on the chip; headers and data 3 ns
    for (int i = 1; i < 256; ++i) direct.through_us(0, 128);
    EXPECT_NEAR(direct.through_us(0, 128), first + 1.03, 0.01);  // the 257th waits for the first tag
    EXPECT_THROW(direct.through_us(0, 0), InputError);
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_MS));
    const double us = chunked.chunk_us(Bytes(1e5 * 64), 1e5);
    EXPECT_NEAR(us / (1e5 / zero_copy_rate(spec, 16, Bytes(64)).requests_per_s * 1e6), 1, 0.01);
}

TEST(PcieModule, is_through_when_slower_memory_behind_it_is) {
    const PcieSpec spec = read_pcie_spec(kCatalog + "pcie/PCIe5.yaml");
    PcieModule pcie("pcie", spec, 16, PciePath::copy_engine);
    MemoryModule slow("slow", {.bandwidth = 1.0_GBps, .requests_per_s = 0, .latency = {}});
    Asker asker("asker");
    asker.socket.bind(pcie.in);
    pcie.out.bind(slow.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    EXPECT_NEAR(asker.chunk_us(Bytes(1e6), 0), 1000, 1e-3);
    EXPECT_EQ(pcie.reader().stats().served, Bytes(1e6));
}

}  // namespace
}  // namespace strata
