#include "hwmodels/fabric/fabric_spec.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "hwmodels/fabric/collectives.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Fabric fabric_named(const std::string& name) { return build(read_fabric(kParts + "fabrics/" + name + ".yaml")); }

std::string fabric_error(const std::string& text) {
    const ScratchFolder folder;
    try {
        read_fabric(folder.write("f.yaml", text));
        return "no error";
    } catch (const InputError& error) {
        return error.what();
    }
}

const std::string kSize = "name: F\nsize: {endpoints: 8, domain: 4, kind: assumed, source: a test}\n";
const std::string kNumbers =
    "  bandwidth: {value: 1 GB/s, kind: assumed, source: a test}\n"
    "  latency: {value: 1 us, kind: assumed, source: a test}\n";
std::string with_shape(const std::string& shape) {
    return kSize + "scale_out:\n  shape: {" + shape + ", kind: assumed, source: a test}\n" + kNumbers;
}

TEST(FabricSpec, every_shipped_fabric_is_built) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kParts + "fabrics")) {
        const FabricSpec spec = read_fabric(entry.path());
        EXPECT_EQ(spec.name, entry.path().stem());
        EXPECT_EQ(build(spec).endpoints(), spec.endpoints);
        EXPECT_FALSE(spec.size_source.empty());
        ++files;
    }
    EXPECT_GE(files, 7);
}

TEST(FabricSpec, has_the_switches_and_bisections_that_are_published) {
    const Fabric nvl72 = fabric_named("GB200_NVL72");  // 18 chips; half of 72 at what is reached of 900 GB/s
    EXPECT_EQ(inventory(nvl72, LinkClass::scale_up).switches, 18);
    EXPECT_NEAR(bisection(nvl72, {LinkClass::scale_up}).si(), 36 * 682.2e9, 1e6);
    const Fabric matrix = fabric_named("CloudMatrix384");  // 336 + 112 chips, non-blocking; 5,376 cables between them
    EXPECT_EQ(inventory(matrix, LinkClass::scale_up).switches, 336 + 112);
    EXPECT_EQ(inventory(matrix, LinkClass::scale_up).inter_switch_links, 384 * 14);
    EXPECT_NEAR(bisection(matrix, {LinkClass::scale_up}).si(), 192 * 392e9, 1e6);
    EXPECT_EQ(diameter(matrix, LinkClass::scale_up), 4);
    const Fabric h800 = fabric_named("DeepSeek_H800_2048");  // 8 planes of 256 cards: 8 leaves and 4 spines
    EXPECT_EQ(inventory(h800, LinkClass::scale_out).switches, 8 * (8 + 4));
    EXPECT_EQ(inventory(h800, LinkClass::scale_out).inter_switch_links, 2048);
    EXPECT_NEAR(bisection(h800, {LinkClass::scale_out}).si(), 1024 * 40e9, 1e6);
    const Fabric cube = fabric_named("TPU_v5p_cube");  // 16 rings cut twice, 90 GB/s each
    EXPECT_NEAR(bisection(cube, {LinkClass::scale_up}).si(), 32 * 90e9, 1e6);
    EXPECT_EQ(diameter(cube, LinkClass::scale_up), 6);
}

TEST(FabricSpec, prices_what_it_knows) {
    const FabricSpec h800 = read_fabric(kParts + "fabrics/DeepSeek_H800_2048.yaml");
    const Inventory counted = inventory(build(h800), LinkClass::scale_out);
    const FabricBill cost = bill(counted, h800.endpoints, h800.scale_out->prices);
    EXPECT_NEAR(*cost.usd, 96 * 82946 + 2048 * 481, 1);  // as the two-level tree of as many endpoints
    EXPECT_FALSE(cost.power_w);
    const FabricSpec nvl72 = read_fabric(kParts + "fabrics/GB200_NVL72.yaml");
    EXPECT_FALSE(bill(inventory(build(nvl72), LinkClass::scale_up), 72, nvl72.scale_up->prices).usd);
}

TEST(FabricSpec, an_unknown_latency_is_an_error_only_when_a_time_needs_it) {
    const Fabric cube = fabric_named("TPU_v5p_cube");
    try {
        all_to_all(cube, first_ranks(64), {.bytes = Bytes(1e6)});
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("TPU_v5p_cube.yaml: scale_up.latency is null"), std::string::npos)
            << error.what();
    }
}

TEST(FabricSpec, every_shape_can_be_described) {
    for (const char* shape : {"topology: fat_tree, levels: 2, radix: 8",
                              "topology: dragonfly, routers: 2, endpoints_per_router: 1, "
                              "global_ports: 2, groups: 4",
                              "topology: slim_fly, q: 5, endpoints_per_router: 1",
                              "topology: hyperx, sides: [2, 2], endpoints_per_router: 2",
                              "topology: full_mesh, sides: [2, 4]", "topology: torus, sides: [2, 2, 2]"})
        EXPECT_EQ(fabric_error(with_shape(shape)), "no error") << shape;
}

TEST(FabricSpec, says_what_is_wrong_and_where) {
    EXPECT_NE(fabric_error(with_shape("topology: fat_treee"))
                  .find("f.yaml:4:21: scale_out.shape.topology: expected one of "
                        "dragonfly, fat_tree, full_mesh, hyperx, slim_fly, torus"),
              std::string::npos)
        << fabric_error(with_shape("topology: fat_treee"));
    EXPECT_NE(fabric_error(with_shape("topology: torus, side: [8]")).find("side: unknown field; did you mean 'sides'?"),
              std::string::npos);
    EXPECT_NE(
        fabric_error(with_shape("topology: torus, sides: [3, 3]")).find("expected as many endpoints as places: 9"),
        std::string::npos);
    EXPECT_NE(fabric_error(with_shape("topology: fat_tree, radix: 0")).find("expected a whole number from 1"),
              std::string::npos);
    EXPECT_NE(fabric_error(with_shape("topology: hyperx, sides: [30000, 30000, 30000], endpoints_per_router: 1"))
                  .find("expected a fabric that fits in memory"),
              std::string::npos);
    EXPECT_NE(fabric_error(with_shape("topology: fat_tree") + "  wiring: rail_planes\n  planes: 5\n")
                  .find("scale_out.planes: expected at most the 4 endpoints of a domain, found 5"),
              std::string::npos);
    EXPECT_NE(fabric_error(with_shape("topology: torus, sides: [8]") + "  planes: 2\n")
                  .find("scale_out.planes: this field belongs to fat trees, and to wiring rail_planes"),
              std::string::npos);
    EXPECT_NE(fabric_error(kSize).find("expected scale_up or scale_out, found neither"), std::string::npos);
    EXPECT_NE(fabric_error(kSize + "scale_up: {bandwidth: {value: 1 GB/s, kind: assumed, source: a}}\n")
                  .find("scale_up.shape: expected a map with a topology"),
              std::string::npos);
    const std::string uneven = fabric_error("name: F\nsize: {endpoints: 8, domain: 3, kind: assumed, source: a}\n" +
                                            with_shape("topology: torus, sides: [8]").substr(kSize.size()));
    EXPECT_NE(uneven.find("f.yaml:2:30: size.domain: expected a divisor of the 8 endpoints, found 3"),
              std::string::npos)
        << uneven;
    EXPECT_NE(fabric_error(with_shape("topology: torus, sides: [8]") +
                           "  effective_bandwidth: {value: 2 GB/s, kind: assumed, source: a}\n")
                  .find("expected at most the bandwidth"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
