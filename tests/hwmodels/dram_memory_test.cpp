// The bank model against what can be worked out with a pencil, and against the laws. Whether every single command is
// legal is another program's question: strata-dram-check.
#include "hwmodels/dram/dram_memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "hwmodels/dram/characterise.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

DramSpec standard(const std::string& name) { return read_dram_spec(kParts + "dram/" + name + ".yaml"); }

std::vector<DramSpec> all_standards() {
    std::vector<DramSpec> found;
    for (const auto& entry : std::filesystem::directory_iterator(kParts + "dram"))
        found.push_back(read_dram_spec(entry.path().string()));
    return found;
}

DramSpec without_refresh(DramSpec spec) {
    spec.refresh.REFI = 1 << 24;
    return spec;
}

// Cycles that `count` accesses take, the i-th at coordinates(i), all there from the start.
template <class Coordinates>
double cycles_of(const DramSpec& spec, std::uint64_t count, Coordinates coordinates) {
    DramMemory memory(spec, 1);
    const auto bytes = static_cast<std::uint64_t>(memory.mapping().access_bytes());
    for (std::uint64_t i = 0; i < count; ++i)
        memory.push({.address = memory.mapping().address_of(coordinates(i)), .bytes = bytes});
    return double(memory.drain());
}

// A closed bank: ACT, RCD, READ, CL, the burst. An open row: CL and the burst. Another row: PRE and RP before, but not
// before RAS is over, nor ACT before RC.
TEST(DramMemory, one_read_takes_the_standards_latency) {
    const DramSpec spec = without_refresh(standard("HBM3"));
    const DramTimings& t = spec.timings;
    DramMemory memory(spec, 1);
    DramCoordinates at;
    const auto read = [&](Cycle arrival) {
        return memory.finish({.address = memory.mapping().address_of(at), .bytes = 32}, arrival);
    };
    EXPECT_EQ(read(1000), 1000 + t.RCDRD + t.CL + 2);
    EXPECT_EQ(read(2000), 2000 + t.CL + 2);
    at.row = 1;
    EXPECT_EQ(read(3000), 3000 + t.RP + t.RCDRD + t.CL + 2);
    at.row = 2;  // at once: RTP after the last read would allow it, RAS and RC would not
    EXPECT_EQ(read(3001), 3000 + t.RP + t.RC + t.RCDRD + t.CL + 2);
}

// A burst each CCD_S, where the bank groups take turns and no refresh comes between.
TEST(DramMemory, a_stream_fills_the_bus) {
    for (const DramSpec& shipped : all_standards()) {
        DramSpec spec = without_refresh(shipped);
        spec.controller.mapping = "row rank bank column bank_group unit channel pseudo_channel";
        DramMemory memory(spec, 1);
        const auto bytes = static_cast<std::uint64_t>(memory.mapping().access_bytes());
        const std::uint64_t count = static_cast<std::uint64_t>(memory.channels()) * 5000;
        for (std::uint64_t i = 0; i < count; ++i) memory.push({.address = i * bytes, .bytes = bytes});
        const double least = 5000.0 * spec.timings.CCD_S;
        const double taken = double(memory.drain());
        EXPECT_GE(taken, least) << spec.name;
        EXPECT_LE(taken, least * 1.03) << spec.name;
    }
}

// All banks of a rank stop for RFC in every REFI, and a stream cannot go around them.
TEST(DramMemory, a_stream_loses_what_refreshes_of_all_banks_take) {
    const DramSpec spec = standard("DDR5_4800");
    const AccessProfile profile = characterise(spec, 1, {.kind = AccessKind::stream});
    EXPECT_NEAR(profile.efficiency, 1 - double(spec.refresh.RFC) / spec.refresh.REFI, 0.03 * profile.efficiency);
}

// One bank, every access another row: an activate each RC.
TEST(DramMemory, conflicts_in_one_bank_take_a_row_cycle_each) {
    for (const DramSpec& shipped : all_standards()) {
        const DramSpec spec = without_refresh(shipped);
        const double taken = cycles_of(spec, 5000, [&](std::uint64_t i) {
            DramCoordinates at;
            at.row = static_cast<std::uint32_t>(i) % static_cast<std::uint32_t>(spec.organisation.rows);
            return at;
        });
        // Of a read: RCD, RTP and RP may be longer than RC.
        const double cycle = std::max(spec.timings.RC, spec.timings.RCDRD + spec.timings.RTP + spec.timings.RP);
        EXPECT_GE(taken, 4999 * cycle) << spec.name;
        EXPECT_LE(taken, 5000 * cycle * 1.03) << spec.name;
    }
}

// New rows in all banks of one rank by turns: four activates in each FAW, or one in each RRD_S if that is longer.
TEST(DramMemory, activates_of_one_rank_keep_to_four_in_a_window) {
    for (const DramSpec& shipped : all_standards()) {
        DramSpec spec = without_refresh(shipped);
        spec.timings.FAW = 4 * spec.timings.RRD_S + 8;  // so that it binds in every standard
        const DramOrganisation& of = spec.organisation;
        const double step = std::max(
            {spec.timings.FAW / 4.0, double(spec.timings.CCD_S), double(spec.timings.RC) / of.banks_of_a_rank()});
        const double taken = cycles_of(spec, 20000, [&](std::uint64_t i) {
            DramCoordinates at;
            at.bank_group = static_cast<std::uint16_t>(i % static_cast<unsigned>(of.bank_groups));
            at.bank =
                static_cast<std::uint16_t>(i / static_cast<unsigned>(of.bank_groups) % static_cast<unsigned>(of.banks));
            at.row = static_cast<std::uint32_t>(i / static_cast<unsigned>(of.banks_of_a_rank()));
            return at;
        });
        EXPECT_GE(taken, 19990 * step) << spec.name;
        EXPECT_LE(taken, 20000 * step * 1.03) << spec.name;
    }
}

TEST(DramMemory, is_never_faster_than_its_bus_and_never_counts_a_byte_twice) {
    for (const char* name : {"HBM2E", "DDR5_4800", "LPDDR5X", "GDDR7"})
        for (const AccessKind kind : {AccessKind::stream, AccessKind::copy, AccessKind::random_rows})
            for (const double row : {32.0, 264.0}) {
                const DramSpec spec = standard(name);
                const AccessProfile profile = characterise(spec, 1, {.kind = kind, .row = Bytes(row)});
                EXPECT_LE(profile.efficiency, 1) << spec.name << row;
                EXPECT_GT(profile.efficiency, 0.02) << spec.name << row;
                EXPECT_LT(profile.row_hits, 1) << spec.name << row;
            }
}

TEST(DramMemory, waits_longer_the_more_is_asked_of_it) {
    for (const char* name : {"LPDDR5X", "DDR5_4800"}) {
        const DramSpec spec = standard(name);
        Seconds before{};
        for (const double load : {0.05, 0.3, 0.55}) {
            const AccessProfile profile =
                characterise(spec, 1, {.kind = AccessKind::random_rows, .row = Bytes(264), .load = load});
            EXPECT_GT(profile.latency_mean, before) << name << load;
            EXPECT_GE(profile.latency_p99, profile.latency_p50);
            EXPECT_NEAR(profile.efficiency, load, 0.02 * load) << name << load;
            before = profile.latency_mean;
        }
    }
}

TEST(DramMemory, gets_more_out_of_more_in_flight_until_it_is_full) {
    const DramSpec spec = standard("HBM3");
    const AccessPattern rows{.kind = AccessKind::random_rows, .row = Bytes(64)};
    const auto with = [&](double outstanding) {
        AccessPattern pattern = rows;
        pattern.outstanding = outstanding;
        return characterise(spec, 1, pattern);
    };
    const AccessProfile one = with(1), some = with(16), many = with(4096);
    EXPECT_NEAR(one.bandwidth / (Bytes(64) / one.latency_mean), 1, 0.02);  // Little's law
    EXPECT_NEAR(some.bandwidth / (Bytes(64) / some.latency_mean * 16.0), 1, 0.02);
    EXPECT_GT(some.bandwidth, one.bandwidth * 10);
    EXPECT_GT(many.bandwidth, some.bandwidth * 5);
    EXPECT_LE(many.efficiency, characterise(spec, 1, rows).efficiency * 1.02);
}

TEST(DramMemory, reads_faster_than_it_reads_and_writes) {
    const DramSpec spec = standard("HBM3");
    const AccessPattern reads{.kind = AccessKind::random_rows, .row = Bytes(64)};
    AccessPattern mixed = reads;
    mixed.write_share = 0.3;
    EXPECT_LT(characterise(spec, 1, mixed).efficiency, characterise(spec, 1, reads).efficiency);
}

TEST(DramMemory, closes_rows_as_its_policy_says) {
    DramSpec spec = without_refresh(standard("HBM3"));
    const auto second_read = [](DramSpec with) {  // of the same row, long after the first
        DramMemory memory(with, 1);
        memory.finish({.address = 0, .bytes = 32}, 0);
        return memory.finish({.address = 0, .bytes = 32}, 5000) - 5000;
    };
    const Cycle hit = spec.timings.CL + 2, miss = hit + spec.timings.RCDRD;
    EXPECT_EQ(second_read(spec), hit);
    spec.controller.page_policy = PagePolicy::closed;
    EXPECT_EQ(second_read(spec), miss);
    spec.controller.page_policy = PagePolicy::timeout;
    spec.controller.timeout = 4000;
    EXPECT_EQ(second_read(spec), miss);
    spec.controller.timeout = 6000;
    EXPECT_EQ(second_read(spec), hit);
}

// What a stream fetches it uses, however long its requests are; of a scattered row the rest of its bursts is lost.
TEST(DramMemory, counts_what_was_asked_for) {
    const DramSpec spec = standard("LPDDR5X");
    const auto efficiency = [&](AccessKind kind, double row) {
        return characterise(spec, 1, {.kind = kind, .row = Bytes(row)}).efficiency;
    };
    EXPECT_NEAR(efficiency(AccessKind::stream, 40), efficiency(AccessKind::stream, 64), 0.02);
    EXPECT_LT(efficiency(AccessKind::random_rows, 40), 0.8 * efficiency(AccessKind::random_rows, 64));
}

TEST(DramMemory, costs_nothing_while_nobody_asks) {
    DramMemory memory(standard("HBM3E"), 6);
    memory.finish({.address = 0, .bytes = 32}, 0);
    const Cycle day = Cycle{86400} * 2'400'000'000;
    const Cycle through = memory.finish({.address = 1 << 20, .bytes = 32}, day);
    EXPECT_LT(through, day + 1000);
}

TEST(DramMemory, spends_energy_by_what_it_does) {
    DramSpec spec = standard("HBM3");
    spec.energy.activate_pJ.value = 1000;
    spec.energy.read_pJ_per_bit.value = 2;
    spec.energy.write_pJ_per_bit.value = 3;
    spec.energy.refresh_pJ.value = 0;
    spec.energy.background_W.value = 0;
    DramMemory memory(spec, 1);
    const DramCounts counts{.reads = 10, .writes = 1, .activates = 2};
    EXPECT_NEAR(memory.energy_pJ(counts, 0).value(), 2 * 1000 + 10 * 256 * 2 + 256 * 3, 1e-9);
    spec.energy.background_W.value = 1;  // 1 W over 1 us is 10^6 pJ
    DramMemory warm(spec, 1);
    EXPECT_NEAR(warm.energy_pJ({}, warm.cycle_of(Seconds(1e-6))).value(), 1e6, 1);
    spec.energy.activate_pJ.value.reset();
    EXPECT_FALSE(DramMemory(spec, 1).energy_pJ(counts, 0));
}

TEST(DramMemory, refuses_requests_that_are_empty_unaligned_or_beyond_it) {
    DramMemory memory(standard("HBM3"), 1);
    const std::uint64_t capacity = memory.mapping().capacity();
    const auto error = [&](std::uint64_t address, std::uint64_t bytes) -> std::string {
        try {
            memory.post({.address = address, .bytes = bytes}, 0);
        } catch (const InputError& wrong) {
            return wrong.what();
        }
        return "no error";
    };
    EXPECT_NE(error(0, 0).find("HBM3.yaml): request of 0 B at 0x0: expected at least one access"), std::string::npos)
        << error(0, 0);
    EXPECT_NE(error(8, 32).find("whole accesses of 32 B (organisation"), std::string::npos);
    EXPECT_NE(error(0, 40).find("whole accesses of 32 B"), std::string::npos);
    EXPECT_NE(error(capacity, 32).find("one beyond"), std::string::npos);
    EXPECT_NE(error(capacity - 32, 64).find("one beyond"), std::string::npos);
    EXPECT_EQ(error(capacity - 32, 32), "no error");
}

}  // namespace
}  // namespace strata
