// All-to-all of 64 MiB a rank: 0.5 s are allowed at 384 ranks and 10 s at 2,048.
#include <benchmark/benchmark.h>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"

namespace strata {
namespace {

void all_to_all_of(benchmark::State& state, const std::string& name, Crossing crossing, Routing routing) {
    const Fabric fabric =
        build(read_fabric(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/fabrics/" + name + ".yaml"));
    const std::vector<int> ranks = first_ranks(fabric.endpoints());
    const AllToAll what{.bytes = Bytes(64.0 * (1 << 20) / fabric.endpoints()), .crossing = crossing};
    for (auto _ : state) benchmark::DoNotOptimize(all_to_all(fabric, ranks, what, {.routing = routing}).time);
    state.counters["ranks"] = fabric.endpoints();
}

void cloud_matrix(benchmark::State& state) {
    all_to_all_of(state, "CloudMatrix384", Crossing::direct, Routing::sprayed);
}
void cloud_matrix_hashed(benchmark::State& state) {
    all_to_all_of(state, "CloudMatrix384", Crossing::direct, Routing::hashed);
}
void multi_plane_h800(benchmark::State& state) {
    all_to_all_of(state, "DeepSeek_H800_2048", Crossing::forwarded, Routing::sprayed);
}
// Each of 2,048 ranks to each other over a tree of three levels, without a domain to fold them.
void flat_tree(benchmark::State& state, Routing routing) {
    Fabric fabric("flat tree", 2048, 1);
    fabric.layer(LinkClass::scale_out).latency.value = 2.8_us;
    fabric.layer(LinkClass::scale_out).hop.value = 0.45_us;
    const std::vector<int> ranks = first_ranks(2048);
    join(fabric, ranks, FatTree{.levels = 3, .radix = 32},
         {.link_class = LinkClass::scale_out, .bandwidth = 50.0_GBps});
    for (auto _ : state)
        benchmark::DoNotOptimize(all_to_all(fabric, ranks, {.bytes = Bytes(32768)}, {.routing = routing}).time);
}
void flat_tree_sprayed(benchmark::State& state) { flat_tree(state, Routing::sprayed); }
void flat_tree_hashed(benchmark::State& state) { flat_tree(state, Routing::hashed); }

BENCHMARK(cloud_matrix)->Name("fabric/all_to_all/CloudMatrix384")->Unit(benchmark::kMillisecond);
BENCHMARK(cloud_matrix_hashed)->Name("fabric/all_to_all/CloudMatrix384/hashed")->Unit(benchmark::kMillisecond);
BENCHMARK(multi_plane_h800)->Name("fabric/all_to_all/DeepSeek_H800_2048")->Unit(benchmark::kMillisecond);
BENCHMARK(flat_tree_sprayed)->Name("fabric/all_to_all/three_levels_2048")->Unit(benchmark::kMillisecond);
BENCHMARK(flat_tree_hashed)->Name("fabric/all_to_all/three_levels_2048/hashed")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
