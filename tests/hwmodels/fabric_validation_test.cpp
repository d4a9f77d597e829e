// Published exchanges against what the fabrics predict, printed side by side. Bandwidths and latencies are those of the
// catalogue (arXiv 2505.09343, section 4.3 and table 5); nothing is fitted on the rows judged here. The band of a table
// is how far its worst row may be off; rows that the model does not reach are shown with the reason.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"

namespace strata {
namespace {

FabricSpec h800() {
    return read_fabric(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/fabrics/DeepSeek_H800_2048.yaml");
}

// A token's k experts on n places, evenly spread: distinct places on average.
double distinct(double k, double n) { return n * -std::expm1(k * std::log1p(-1 / n)); }

double shown(const char* table, const std::string& row, double predicted, double published) {
    const double off = predicted / published - 1;
    fmt::print("{:<34} {:<12} predicted {:8.1f}  published {:8.1f}  {:+6.1f} %\n", table, row, predicted, published,
               off * 100);
    return std::abs(off);
}

// DeepEP's logical bandwidth counts every copy of a token for a domain (or, inside one, for a rank), its own included.
TEST(FabricValidation, deepep_normal_kernels_on_h800) {
    // github deepseek-ai/DeepEP README: 4,096 tokens of 7,168, top 8 of at most 4 groups, FP8 with scales; GB/s.
    struct Row {
        int ranks;
        double dispatch, combine;
    };
    const Fabric fabric = build(h800());
    for (const auto& [ranks, dispatched, combined] :
         {Row{8, 153, 158}, Row{16, 43, 43}, Row{32, 58, 57}, Row{64, 51, 50}}) {
        const double domains = ranks / 8.0, reached = std::min(domains, 4.0);
        const Bytes fp8(7168 * (1 + 4.0 / 128)), bf16(7168 * 2);
        ExpertExchange what{
            .tokens = 4096, .token = fp8, .ranks_per_token = distinct(8, 8 * reached), .domains_per_token = reached};
        const double copies = domains == 1 ? what.ranks_per_token : reached;
        const Seconds there = dispatch(fabric, first_ranks(ranks), what).time;
        const double dispatch_off = shown("DeepEP normal dispatch [GB/s]", fmt::format("EP{}", ranks),
                                          (fp8 * (4096 * copies) / there).si() / 1e9, dispatched);
        what.token = bf16;
        const Seconds back = combine(fabric, first_ranks(ranks), what).time;
        const double combine_off = shown("DeepEP normal combine [GB/s]", fmt::format("EP{}", ranks),
                                         (bf16 * (4096 * copies) / back).si() / 1e9, combined);
        // EP16 sends half of its bytes over NVLink and is published slower than either wire alone explains: its two
        // steps seem not to overlap there.
        EXPECT_LT(std::max(dispatch_off, combine_off), ranks == 16 ? 0.4 : 0.2) << "EP" << ranks;
    }
}

TEST(FabricValidation, deepep_low_latency_kernels_on_h800) {
    // github deepseek-ai/DeepEP README: 128 tokens of 7,168, top 8 of 256, FP8 dispatch, BF16 combine; us. Each copy
    // goes straight to its rank. Cards are wired to planes: what is for another one is sent by the card of that plane.
    struct Row {
        int ranks;
        double dispatch, combine;
    };
    FabricSpec spec = h800();
    spec.scale_out->wiring = Wiring::by_rail;
    spec.scale_out->planes = 1;
    const Fabric fabric = build(spec);
    for (const auto& [ranks, dispatched, combined] :
         {Row{8, 77, 114}, Row{16, 118, 195}, Row{32, 155, 273}, Row{128, 192, 369}}) {
        ExpertExchange what{.tokens = 128,
                            .token = Bytes(7168 * (1 + 4.0 / 128)),
                            .ranks_per_token = 8,  // a message for each expert, also where two are on one rank
                            .domains_per_token = 1,
                            .crossing = Crossing::direct};
        const double there = shown("DeepEP low-latency dispatch [us]", fmt::format("EP{}", ranks),
                                   to_us(dispatch(fabric, first_ranks(ranks), what).time), dispatched);
        what.token = Bytes(7168 * 2);
        const double back = shown("DeepEP low-latency combine [us]", fmt::format("EP{}", ranks),
                                  to_us(combine(fabric, first_ranks(ranks), what).time), combined);
        // Inside a node the kernels do not reach the bandwidth of the normal ones, which the catalogue has.
        EXPECT_LT(std::max(there, back), ranks == 8 ? 0.5 : 0.2) << "EP" << ranks;
    }
}

TEST(FabricValidation, alibaba_ratios_of_bus_bandwidth_to_network_cards) {
    // github aliyun/SimAI nic_ratio.csv: all-reduce of nodes of eight, bus bandwidth of a card for its bandwidth. The
    // bandwidth asked for is the whole card's; latencies are those of H800 on InfiniBand.
    struct Row {
        double mebibytes;
        int nodes;
        double ratio;
    };
    FabricSpec spec = h800();
    spec.scale_up->effective_bandwidth.value.reset();
    spec.scale_up->bandwidth.value = 360.0_GBps;  // 2,880 Gb/s, SimAI's template of NVLink
    spec.scale_out->effective_bandwidth.value.reset();
    const Fabric fabric = build(spec);
    for (const auto& [mebibytes, nodes, published] :
         {Row{16, 2, .32}, Row{16, 4, .24}, Row{16, 8, .13}, Row{16, 16, .05}, Row{16, 128, .009}, Row{256, 2, .85},
          Row{256, 4, .77}, Row{256, 8, .69}, Row{256, 16, .57}, Row{256, 128, .10}, Row{1024, 2, .92},
          Row{1024, 4, .93}, Row{1024, 8, .90}, Row{1024, 16, .76}, Row{1024, 128, .31}, Row{16384, 2, .96},
          Row{16384, 16, .96}, Row{16384, 128, .92}}) {
        const double n = 8 * nodes;
        const Bytes bytes(mebibytes * (1 << 20));
        const Seconds time =
            reduction(fabric, first_ranks(8 * nodes), {Operation::all_reduce, Algorithm::ring, bytes}).time;
        const double ratio = (bytes * (2 * (n - 1) / n / 8) / time) / 50.0_GBps;
        const double off = shown("Alibaba all-reduce [% of the card]", fmt::format("{} MiB {}n", mebibytes, nodes),
                                 100 * ratio, 100 * published);
        // Rings of other latencies than ours: small messages at scale are nothing but latency.
        EXPECT_LT(off, ratio > 0.7 ? 0.2 : 1.0) << mebibytes << " MiB on " << nodes;
    }
}

}  // namespace
}  // namespace strata
