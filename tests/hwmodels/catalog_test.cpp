#include "hwmodels/catalog.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;

const fs::path kShipped = fs::path(STRATA_SOURCE_DIR) / "hwmodels" / "catalog";

// A copy of the shipped catalogue that a test may spoil.
class SpoiledCatalog {
public:
    SpoiledCatalog() { fs::copy(kShipped, folder_.path(), fs::copy_options::recursive); }
    void write(const std::string& file, const std::string& text) const { folder_.write(file, text); }
    std::string error() const {
        try {
            const Catalog catalog{folder_.path()};
        } catch (const InputError& error) {
            return error.what();
        }
        return "no error";
    }

private:
    ScratchFolder folder_;
};

constexpr const char* kLink =
    "name: L\nbandwidth: {value: 64 GB/s, kind: measured, source: here}\n"
    "effective_bandwidth: {value: null, kind: unknown, source: null}\n";

TEST(Catalog, loads_every_shipped_part_with_the_numbers_of_its_file) {
    const Catalog catalog(kShipped);
    EXPECT_GE(catalog.accelerators().size(), 16u);
    EXPECT_DOUBLE_EQ(catalog.accelerator("H200_SXM").memory_bandwidth.get().si(), 4.8e12);
    EXPECT_DOUBLE_EQ(catalog.link("PCIe5_x16").effective_bandwidth.get().si(), 52e9);
    EXPECT_EQ(catalog.system("HGX_H200").accelerator, "H200_SXM");
}

TEST(Catalog, has_the_parts_and_systems_that_studies_start_from) {
    const Catalog catalog(kShipped);
    for (const char* name : {"A100_SXM_80G", "H100_SXM", "H800_SXM", "H20_96G", "H200_SXM", "B200_SXM", "GB200",
                             "Ascend_910B", "Ascend_910C", "MI300X", "Apple_M3_Ultra", "AMD_Strix_Halo_395",
                             "GB10_DGX_Spark", "RTX_4090", "RTX_5090", "EPYC_9005_2P_DDR5_6000"})
        EXPECT_NO_THROW(catalog.accelerator(name)) << name;
    for (const char* name : {"HGX_H200", "HGX_H800", "GB200_NVL72", "CloudMatrix384", "Consumer_PC", "Mac_Studio"})
        EXPECT_NO_THROW(catalog.system(name)) << name;
}

TEST(Catalog, names_part_and_field_when_an_unknown_number_is_used) {
    const Catalog catalog(kShipped);
    try {
        catalog.accelerator("Ascend_910B").bf16.get();
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("Ascend_910B.peak.bf16 is null"), std::string::npos) << error.what();
    }
}

TEST(Catalog, offers_the_nearest_name_for_an_unknown_part) {
    try {
        Catalog(kShipped).accelerator("H20O_SXM");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("did you mean 'H200_SXM'?"), std::string::npos) << error.what();
    }
}

TEST(Catalog, refuses_a_number_without_a_source) {
    const SpoiledCatalog catalog;
    catalog.write("links/L.yaml", std::string(kLink) + "latency: {value: 1 us, kind: measured, source: null}\n");
    EXPECT_NE(catalog.error().find("L.yaml:4:10: latency: expected a source"), std::string::npos) << catalog.error();
}

TEST(Catalog, refuses_a_wrong_unit_an_unknown_kind_and_an_unknown_field_in_one_go) {
    const SpoiledCatalog catalog;
    catalog.write("links/L.yaml", std::string(kLink) + "latency: {value: 1 GB, kind: heard, source: x}\nlatenzy: 3\n");
    EXPECT_NE(catalog.error().find("latency.value: expected a time such as '1.2 us', found '1 GB'"), std::string::npos);
    EXPECT_NE(catalog.error().find("latency.kind: expected one of"), std::string::npos) << catalog.error();
    EXPECT_NE(catalog.error().find("latenzy: unknown field; did you mean 'latency'?"), std::string::npos);
}

TEST(Catalog, refuses_a_system_of_parts_that_are_not_there) {
    const SpoiledCatalog catalog;
    std::ifstream shipped(kShipped / "systems" / "HGX_H200.yaml");
    std::string text((std::istreambuf_iterator<char>(shipped)), {});
    text.replace(text.find("name: HGX_H200"), 14, "name: Mine");
    text.replace(text.find("H200_SXM"), 8, "H300_SXM");
    catalog.write("systems/Mine.yaml", text);
    EXPECT_NE(catalog.error().find("system Mine: no accelerator 'H300_SXM'"), std::string::npos) << catalog.error();
}

}  // namespace
}  // namespace strata
