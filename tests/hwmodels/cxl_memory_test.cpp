#include "hwmodels/protocol/cxl_memory.hpp"

#include <gtest/gtest.h>

#include "hwmodels/catalog.hpp"

#include "tests/hwmodels/spoiled_table.hpp"

namespace strata {
namespace {

const std::string kExpander = std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/cxl/CXL_expander.yaml";

TEST(CxlMemory, a_line_of_64_bytes_takes_five_slots_of_17_bytes) {
    // x8 at 32 GT/s after 128/130 are 31.508 GB/s; a flit of 68 B has four slots: 64 / (5 x 17) of it are data.
    const CxlMemorySpec spec = read_cxl_memory_spec(kExpander);
    EXPECT_NEAR(spec.read_rate().si() / 1e9, 31.508 * 64 / 85, 0.01);
}

TEST(CxlMemory, a_read_takes_the_latency_of_its_dram_and_of_the_way_and_lines_follow_each_other) {
    const CxlMemorySpec spec = read_cxl_memory_spec(kExpander);
    CxlMemory memory(spec);
    const double line_ns = 64 / spec.read_rate().si() * 1e9;
    EXPECT_NEAR(memory.read(Seconds(0), 0, Bytes(64)).si() * 1e9, 250 + line_ns, 1e-6);
    EXPECT_NEAR(memory.read(Seconds(0), 32, Bytes(64)).si() * 1e9, 250 + 3 * line_ns, 1e-6);  // across two lines
    EXPECT_EQ(memory.served(), Bytes(128));
}

TEST(CxlMemory, is_what_the_catalogue_says_of_the_part) {
    const CxlMemorySpec spec = read_cxl_memory_spec(kExpander);
    const MemorySpec part = Catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog").memory("CXL_expander");
    EXPECT_NEAR(part.bandwidth.get() / spec.read_rate(), 1, 1e-5);
    EXPECT_EQ(part.capacity.get(), spec.capacity.get());
    EXPECT_NEAR(part.read_latency.get() / spec.read_latency(), 1, 1e-12);
    EXPECT_EQ(part.granularity.get(), spec.line.get());
}

TEST(CxlMemory, slow_dram_behind_it_is_the_limit) {
    CxlMemorySpec spec = read_cxl_memory_spec(kExpander);
    spec.memory_rate.value = 10.0_GBps;
    EXPECT_EQ(spec.read_rate(), 10.0_GBps);
}

TEST(CxlMemory, rows_that_are_no_multiple_of_a_line_bring_more_than_was_asked_for) {
    const CxlMemorySpec spec = read_cxl_memory_spec(kExpander);
    EXPECT_NEAR(cxl_read_rate(spec, Bytes(64)).bandwidth / spec.read_rate(), 1, 1e-9);
    EXPECT_NEAR(cxl_read_rate(spec, Bytes(32)).bandwidth / spec.read_rate(), 0.5, 1e-9);
    // 96 B at multiples of 96: from 0 and from 96 alternately in lines of 64: two lines each.
    EXPECT_NEAR(cxl_read_rate(spec, Bytes(96)).bandwidth / spec.read_rate(), 96.0 / 128, 1e-9);
    for (const double row : {32.0, 96.0, 264.0}) {
        CxlMemory memory(spec);
        Seconds end;
        for (std::uint64_t i = 0; i < 6400; ++i)
            end = memory.read(Seconds(0), i * static_cast<std::uint64_t>(row), Bytes(row));
        EXPECT_NEAR(6400 / (end - spec.read_latency()).si() / cxl_read_rate(spec, Bytes(row)).requests_per_s, 1, 1e-9);
    }
}

TEST(CxlMemory, two_reads_for_each_write_are_near_what_was_measured) {
    // Writes go the other way, so reads are the limit: 36 GB/s in all (Micron CZ120, tomshardware.com 2023-08).
    EXPECT_NEAR(1.5 * read_cxl_memory_spec(kExpander).read_rate().si() / 36e9, 1, 0.06);
}

TEST(CxlMemory, refuses_what_is_empty_or_beyond_its_end_and_impossible_tables) {
    CxlMemory memory(read_cxl_memory_spec(kExpander));
    EXPECT_THROW(memory.read(Seconds(0), 0, Bytes(0)), InputError);
    EXPECT_NO_THROW(memory.read(Seconds(0), 256000000000 - 64, Bytes(64)));
    EXPECT_THROW(memory.read(Seconds(0), 256000000000 - 63, Bytes(64)), InputError);
    const auto error = [](const std::string& from, const std::string& to) {
        return error_of_spoiled(kExpander, from, to, read_cxl_memory_spec);
    };
    EXPECT_NE(error("slots: {value: 4,", "slots: {value: 5,").find("flit.slots.value: expected slots that fit"),
              std::string::npos);
    EXPECT_NE(error("lanes: {value: 8,", "lanes: {value: 0,").find("link.lanes.value: expected a number above zero"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
