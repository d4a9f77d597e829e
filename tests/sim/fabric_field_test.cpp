#include "sim/scenario/fabric_field.hpp"

#include <gtest/gtest.h>

#include "hwmodels/fabric/properties.hpp"
#include "tests/shipped_catalog.hpp"

namespace strata {
namespace {

struct ReadFabric {
    FabricSpec spec;
    std::string errors;
};
// `text` is what stands under `fabric:`.
ReadFabric read_fabric_field(const std::string& text) {
    Problems problems;
    const YAML::Node document = parse_yaml("fabric: " + text, "s.yaml");
    const Places places = places_of(document, "s.yaml");
    const FabricSpec spec =
        read_fabric_field(YamlField(document["fabric"], "s.yaml", "fabric", problems, &places), shipped_catalog());
    std::string errors;
    for (const std::string& message : problems.messages()) errors += message + "\n";
    return {spec, errors};
}

bool says(const ReadFabric& read_fabric_field, const std::string& text) {
    return read_fabric_field.errors.find(text) != std::string::npos;
}

TEST(FabricField, a_name_is_the_file_of_the_catalogue) {
    const ReadFabric named = read_fabric_field("CloudMatrix384");
    EXPECT_EQ(named.errors, "");
    EXPECT_EQ(named.spec.name, "CloudMatrix384");
    EXPECT_TRUE(says(read_fabric_field("CloudMatrix348"),
                     "s.yaml:1:9: fabric: no fabric 'CloudMatrix348' in the catalogue; did you "
                     "mean 'CloudMatrix384'?"))
        << read_fabric_field("CloudMatrix348").errors;
}

TEST(FabricField, sets_fields_of_a_part_and_leaves_the_others) {
    const ReadFabric four = read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {planes: 4, latency: 3 us}}");
    EXPECT_EQ(four.errors, "");
    EXPECT_EQ(four.spec.name, "DeepSeek_H800_2048 (modified)");
    EXPECT_EQ(four.spec.scale_out->planes, 4);
    EXPECT_EQ(four.spec.scale_out->latency.value, 3.0_us);
    EXPECT_EQ(four.spec.scale_out->latency.kind, "assumed");
    EXPECT_EQ(four.spec.scale_out->hop.value, 0.45_us);
    EXPECT_EQ(four.spec.scale_out->hop.kind, "computed");
    EXPECT_EQ(four.spec.endpoints, 2048);
    const ReadFabric noted = read_fabric_field("{part: DGX_H200, scale_up: {latency: {value: 1 us, note: what if}}}");
    EXPECT_EQ(noted.errors, "");
    EXPECT_EQ(noted.spec.scale_up->latency.source, "what if");
}

TEST(FabricField, planes_are_ports_of_every_endpoint_or_networks_of_rails) {
    const ReadFabric ports = read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {wiring: by_rail, planes: 2}}");
    EXPECT_EQ(std::get<FatTree>(ports.spec.scale_out->shape).planes, 2);
    EXPECT_EQ(ports.spec.scale_out->planes, 1);
    const ReadFabric none = read_fabric_field("{part: TPU_v5p_cube, scale_up: {planes: 2}}");
    EXPECT_TRUE(says(none, "fabric.scale_up.planes: this field belongs to fat trees")) << none.errors;
}

TEST(FabricField, a_bandwidth_set_alone_keeps_the_share_that_was_measured) {
    const ReadFabric twice = read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {bandwidth: 100 GB/s}}");
    EXPECT_NEAR(twice.spec.scale_out->effective_bandwidth.value->si(), 80e9, 1);  // 40 of 50
    const ReadFabric both =
        read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {bandwidth: 100 GB/s, effective_bandwidth: 90 GB/s}}");
    EXPECT_NEAR(both.spec.scale_out->effective_bandwidth.value->si(), 90e9, 1);
}

TEST(FabricField, describes_a_fabric_that_nobody_sells) {
    const ReadFabric invented = read_fabric_field(R"(
  size: {endpoints: 32, domain: 4}
  scale_up:
    shape: {topology: full_mesh, sides: [4]}
    bandwidth: 300 GB/s
    latency: 1 us
  scale_out:
    shape: {topology: dragonfly, routers: 4, endpoints_per_router: 2, global_ports: 1, groups: 4}
    bandwidth: {value: 50 GB/s, note: a card of today}
)");
    EXPECT_EQ(invented.errors, "");
    EXPECT_EQ(build(invented.spec).endpoints(), 32);
    EXPECT_EQ(inventory(build(invented.spec), LinkClass::scale_out).switches, 16);
    EXPECT_FALSE(invented.spec.scale_out->latency.value);  // unknown, not zero
    EXPECT_EQ(invented.spec.scale_up->bandwidth.source, "set in the scenario");
}

TEST(FabricField, another_switch_has_no_price_of_the_parts_own) {
    EXPECT_TRUE(read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {latency: 2 us}}")
                    .spec.scale_out->prices.switch_usd.value);
    const ReadFabric other = read_fabric_field("{part: DeepSeek_H800_2048, scale_out: {shape: {radix: 128}}}");
    EXPECT_EQ(other.errors, "");
    EXPECT_FALSE(other.spec.scale_out->prices.switch_usd.value);
}

TEST(FabricField, another_topology_starts_anew) {
    const ReadFabric torus =
        read_fabric_field("{part: CloudMatrix384, scale_up: {shape: {topology: torus, sides: [8, 6, 8]}}}");
    EXPECT_EQ(torus.errors, "");  // planes were the tree's
    EXPECT_EQ(std::get<Torus>(torus.spec.scale_up->shape).sides, (std::vector<int>{8, 6, 8}));
    EXPECT_EQ(torus.spec.scale_up->shape_kind, "assumed");
    const ReadFabric radix = read_fabric_field("{part: CloudMatrix384, scale_up: {shape: {radix: 64}}}");
    EXPECT_EQ(radix.errors, "");
    EXPECT_EQ(std::get<FatTree>(radix.spec.scale_up->shape).radix, 64);
    EXPECT_EQ(std::get<FatTree>(radix.spec.scale_up->shape).uplinks, 16);
}

TEST(FabricField, says_what_is_wrong_and_where) {
    EXPECT_TRUE(says(read_fabric_field("{part: CloudMatrix384, scale_up: {bandwith: 1 GB/s}}"),
                     "fabric.scale_up.bandwith: unknown field; did you mean 'bandwidth'?"));
    EXPECT_TRUE(says(read_fabric_field("{part: CloudMatrix384, scale_up: {latency: 5}}"),
                     "s.yaml:1:52: fabric.scale_up.latency.value: expected a time such as '1.2 us'"))
        << read_fabric_field("{part: CloudMatrix384, scale_up: {latency: 5}}").errors;
    EXPECT_TRUE(
        says(read_fabric_field("{size: {endpoints: 8, domain: 3}, scale_up: {shape: {topology: torus, sides: [8]}, "
                               "bandwidth: 1 GB/s}}"),
             "fabric.size.domain: expected a divisor of the 8 endpoints, found 3"));
    EXPECT_TRUE(
        says(read_fabric_field("{size: {endpoints: 8, domain: 8}}"), "expected scale_up or scale_out, found neither"));
    EXPECT_TRUE(says(read_fabric_field("{part: CloudMatrix384, scale_up: {latency: {value: 5 us, source: me}}}"),
                     "source: unknown field"));
    EXPECT_TRUE(says(read_fabric_field("[1, 2]"), "fabric"));
}

}  // namespace
}  // namespace strata
