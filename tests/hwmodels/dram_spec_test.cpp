#include "hwmodels/dram/dram_spec.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "hwmodels/dram/address_mapping.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

std::string shipped(const std::string& standard) {
    std::ifstream stream(kParts + "dram/" + standard + ".yaml");
    return {std::istreambuf_iterator<char>(stream), {}};
}

// What reading HBM3 says when `from` is replaced by `to` in its file.
std::string error_with(const std::string& from, const std::string& to) {
    std::string text = shipped("HBM3");
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return "the test replaces what is not there: " + from;
    const ScratchFolder folder;
    try {
        read_dram_spec(folder.write("HBM3.yaml", text.replace(at, from.size(), to)));
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

void expect_in(const std::string& error, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_NE(error.find(part), std::string::npos) << part << "\n" << error;
}

TEST(DramSpec, of_every_shipped_standard_has_its_published_peak) {
    const std::pair<const char*, double> peaks_GBps[] = {{"HBM2E", 461},     {"HBM3", 819},       {"HBM3E", 1229},
                                                         {"HBM4", 2048},     {"DDR5_4800", 38.4}, {"DDR5_5600", 44.8},
                                                         {"DDR5_6400", 51.2}};
    for (const auto& [name, peak] : peaks_GBps)
        EXPECT_NEAR(read_dram_spec(kParts + "dram/" + name + ".yaml").peak().si() / 1e9, peak, peak * 1e-3) << name;
    for (const auto& entry : std::filesystem::directory_iterator(kParts + "dram"))
        EXPECT_EQ(read_dram_spec(entry.path().string()).name, entry.path().stem().string());
}

TEST(DramSpec, refuses_a_timing_that_is_missing) {
    expect_in(error_with("  RAS: 45\n", ""), {"HBM3.yaml", "timings.RAS", "expected a whole number"});
}
TEST(DramSpec, refuses_a_timing_that_is_not_a_number) {
    expect_in(error_with("RAS: 45", "RAS: soon"), {"HBM3.yaml:", "timings.RAS", "'soon'"});
}
TEST(DramSpec, refuses_a_timing_that_is_negative) {
    expect_in(error_with("RP: 26", "RP: -26"), {"HBM3.yaml:", "timings.RP", "at least 1", "-26"});
}
TEST(DramSpec, refuses_a_row_cycle_shorter_than_its_row_is_open) {
    expect_in(error_with("RAS: 45", "RAS: 80"), {"HBM3.yaml:", "timings.RC", "at least 80 (RAS)", "72"});
}
TEST(DramSpec, refuses_a_turn_of_the_bus_in_which_data_would_collide) {
    expect_in(error_with("RTW: 20", "RTW: 11"), {"timings.RTW", "at least 12 (CL + a burst - CWL"});
}
TEST(DramSpec, refuses_refreshes_that_leave_no_time) {
    expect_in(error_with("REFI: 6240", "REFI: 320"), {"HBM3.yaml:", "refresh.REFI", "more than what refreshes take"});
}
TEST(DramSpec, refuses_an_unknown_field_and_names_the_nearest) {
    expect_in(error_with("  RTP: 9", "  RTTP: 9"), {"timings.RTTP: unknown field", "did you mean 'RTP'?"});
}
TEST(DramSpec, refuses_numbers_without_a_source) {
    expect_in(error_with("  source: \"Ramulator 2.1 preset HBM3_16Gb_8hi at", "  note: \"Ramulator"),
              {"timings.source", "where the numbers come from"});
}
TEST(DramSpec, refuses_a_write_queue_that_never_drains) {
    expect_in(error_with("high: 56", "high: 20"), {"controller.write_queue", "low < high", "low 32, high 20"});
}
TEST(DramSpec, refuses_a_mapping_that_forgets_a_part_or_does_not_fit) {
    expect_in(error_with("mapping: \"row rank", "mapping: \"row"), {"controller.mapping", "'rank' for 2 values"});
    expect_in(error_with("column:4 bank_group", "column:3 bank_group"),
              {"controller.mapping", "'column' for 32 values"});
    expect_in(error_with("mapping: \"row rank", "mapping: \"rows rank"),
              {"controller.mapping", "parts of row", "'rows'"});
}
TEST(DramSpec, collects_all_that_is_wrong) {
    expect_in(error_with("RP: 26\n  RAS: 45", "RP: 0\n  RAS: no"), {"timings.RP", "timings.RAS"});
}

// At half the clock the array's 26 cycles of RP are 13, and a burst's 2 cycles are 2 still.
TEST(DramSpec, at_another_peak_keeps_the_arrays_nanoseconds) {
    const DramSpec spec = read_dram_spec(kParts + "dram/HBM3.yaml");
    const DramSpec half = spec.at_peak(spec.peak() / 2.0);
    EXPECT_NEAR(half.peak() / spec.peak(), 0.5, 1e-12);
    EXPECT_EQ(half.timings.RP, 13);
    EXPECT_EQ(half.timings.RAS, 23);  // 22.5
    EXPECT_EQ(half.timings.CCD_S, 2);
    EXPECT_EQ(half.refresh.REFI, 3120);
    EXPECT_EQ(half.burst_cycles(), 2);
}

// At a hundredth of its speed a refresh would take longer than the time to the next one, and nothing would be served.
TEST(DramSpec, refuses_a_peak_at_which_its_cells_could_not_be_refreshed) {
    const DramSpec spec = read_dram_spec(kParts + "dram/HBM3E.yaml");
    try {
        (void)spec.at_peak(spec.peak() / 500.0);
        FAIL();
    } catch (const InputError& error) {
        expect_in(error.what(), {"HBM3E", "at 2.458 GB/s a unit", "near the standard's 1229 GB/s"});
    }
    EXPECT_THROW((void)spec.at_peak(spec.peak() * 1000.0), InputError);
}

// Five stacks, 32 pseudo-channels each: every access of a stretch goes somewhere else and comes back as itself.
TEST(AddressMapping, is_one_to_one_and_inverts) {
    const DramSpec spec = read_dram_spec(kParts + "dram/HBM3E.yaml");
    const AddressMapping mapping(spec, 5);
    EXPECT_EQ(mapping.capacity(), static_cast<std::uint64_t>(spec.capacity().si()) * 5);
    const std::uint64_t stride = mapping.capacity() / 1000003 / 32 * 32;
    for (std::uint64_t address = 0; address < mapping.capacity(); address += stride) {
        const DramCoordinates at = mapping.at(address);
        ASSERT_EQ(mapping.address_of(at), address);
        ASSERT_LT(at.channel, 160u);
        ASSERT_LT(at.row, 24576u);
    }
    const DramCoordinates last = mapping.at(mapping.capacity() - 32);
    EXPECT_EQ(mapping.address_of(last), mapping.capacity() - 32);
}

// "row rank bank bank_group column": the first line of digits by hand. 32 B accesses, 8 columns, then 2 channels.
TEST(AddressMapping, reads_its_line_from_most_to_least_significant) {
    DramSpec spec = read_dram_spec(kParts + "dram/HBM3.yaml");
    spec.controller.mapping = "row rank bank unit channel column:4 bank_group pseudo_channel column:8";
    const AddressMapping mapping(spec, 1);
    EXPECT_EQ(mapping.at(7 * 32).column, 7);
    EXPECT_EQ(mapping.at(8 * 32).channel, 1u);
    EXPECT_EQ(mapping.at(16 * 32).bank_group, 1);
    EXPECT_EQ(mapping.at(64 * 32).column, 8);
    EXPECT_EQ(mapping.at(256 * 32).channel, 2u);
    EXPECT_EQ(mapping.at(256 * 32 * 16).bank, 1);
}

TEST(AddressMapping, mixes_the_row_into_the_bank) {
    DramSpec spec = read_dram_spec(kParts + "dram/HBM3.yaml");
    spec.controller.mapping = "row rank bank^row column bank_group unit channel pseudo_channel";
    const AddressMapping mapping(spec, 1);
    const std::uint64_t row = mapping.capacity() / 16384;
    EXPECT_EQ(mapping.at(0).bank, 0);
    EXPECT_EQ(mapping.at(row).bank, 1);
    EXPECT_EQ(mapping.at(3 * row).bank, 3);
}

}  // namespace
}  // namespace strata
