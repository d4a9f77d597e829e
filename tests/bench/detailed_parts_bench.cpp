// How many requests a second the request-by-request models of drives and PCIe serve on one core.
#include <benchmark/benchmark.h>

#include "hwmodels/protocol/pcie.hpp"
#include "hwmodels/storage/nvme_drive.hpp"

namespace strata {
namespace {

const std::string kCatalog = std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/";

// A cheap sequence of places: what is measured is the model.
struct Places {
    std::uint64_t state = 1;
    std::uint64_t next() { return state = state * 6364136223846793005 + 1442695040888963407; }
};

void nvme(benchmark::State& state) {
    NvmeDrive drive(read_nvme_spec(kCatalog + "nvme/NVMe_Gen5.yaml"), 256);
    Places places;
    for (auto _ : state) benchmark::DoNotOptimize(drive.read(Seconds(0), (places.next() >> 34) * 4096, Bytes(4096)));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(nvme)->Name("nvme/random-4k");

void zero_copy(benchmark::State& state) {
    PcieReader reader(read_pcie_spec(kCatalog + "pcie/PCIe5.yaml"), 16, PciePath::zero_copy);
    Places places;
    for (auto _ : state) benchmark::DoNotOptimize(reader.read(Seconds(0), (places.next() >> 30) * 64, Bytes(64)));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(zero_copy)->Name("pcie/zero-copy-64");

}  // namespace
}  // namespace strata
