#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "hwmodels/catalog.hpp"
#include "hwmodels/storage/nvme_drive.hpp"
#include "tests/hwmodels/made_up.hpp"
#include "tests/hwmodels/spoiled_table.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr Bytes kPage(4096);
constexpr std::uint64_t kFlashPage = 16384;
constexpr int kDeep = 1024;  // datasheets say "up to": a queue that fills the drive

// 2 channels of 2 dies of 2 planes, one sense of 50 us a die at a time; 4096 B in 2 us on a channel at 2.048 GB/s; a
// link of 4 GB/s; 80 us for a read alone. A program is 2 planes x 16 KiB x 1 bit = 32 KiB in 1 ms.
NvmeSpec round_drive() {
    NvmeSpec spec;
    spec.name = "made up";
    spec.file = "made_up.yaml";
    spec.capacity = made_up(1.0_GB);
    spec.granularity = made_up(kPage);
    spec.channels = made_up(2.0);
    spec.dies = made_up(4.0);
    spec.planes = made_up(2.0);
    spec.reads_of_a_die = made_up(1.0);
    spec.sense_time = made_up(50.0_us);
    spec.channel_rate = made_up(2.048_GBps);
    spec.parity = made_up(1.0);
    spec.channel_overhead = made_up(1.0_ns);
    spec.page = made_up(Bytes(double(kFlashPage)));
    spec.bits_per_cell = made_up(1.0);
    spec.program_rate = made_up(32768.0_B / Seconds(1e-3));
    spec.suspend_time = made_up(10.0_us);
    spec.read_latency = made_up(80.0_us);
    spec.write_latency = made_up(15.0_us);
    spec.queue_depth = made_up(1024.0);
    spec.write_buffer = made_up(Bytes(65536));  // two programs
    spec.write_amplification = made_up(2.0);
    spec.link.lane_rate = made_up(1.0_GBps);
    spec.link.encoding = made_up(1.0);
    spec.link.link_layer_share = {{4, 0.0}};
    spec.link.request_header = spec.link.completion_header = spec.link.write_header = made_up(20.0_B);
    spec.link.max_payload = made_up(Bytes(256));
    spec.lanes = made_up(4.0);
    return spec;
}

double us(Seconds time) { return to_us(time); }

TEST(NvmeDrive, a_read_alone_takes_the_latency_of_its_datasheet) {
    NvmeDrive drive(round_drive());
    EXPECT_NEAR(us(drive.read(Seconds(0), 0, kPage)), 80, 1e-6);
    for (const char* name : {"NVMe_Gen4", "NVMe_Gen5", "NVMe_Gen5_CM7R", "NVMe_Gen5_PM1743"}) {
        const NvmeSpec spec = read_nvme_spec(kParts + "nvme/" + name + ".yaml");
        EXPECT_NEAR(nvme_random_read(spec, 1, kPage).latency / spec.read_latency.get(), 1, 0.01) << name;
    }
}

TEST(NvmeDrive, reads_of_one_die_wait_for_its_sense_and_reads_of_others_do_not) {
    NvmeDrive drive(round_drive());
    const Seconds first = drive.read(Seconds(0), 0, kPage);
    EXPECT_NEAR(us(drive.read(Seconds(0), 4 * kFlashPage, kPage)), us(first) + 50, 2.1);  // page 4: die 0 again
    EXPECT_NEAR(us(drive.read(Seconds(0), 1 * kFlashPage, kPage)), us(first), 2.1);       // die 1, the other channel
}

TEST(NvmeDrive, planes_that_sense_apart_do_not_wait_for_each_other) {
    NvmeSpec spec = round_drive();
    spec.reads_of_a_die = made_up(2.0);
    NvmeDrive drive(spec);
    drive.read(Seconds(0), 0, kPage);
    EXPECT_NEAR(us(drive.read(Seconds(0), 4 * kFlashPage, kPage)), 80 + 2, 2.1);  // plane 1 of die 0; its channel
    EXPECT_NEAR(us(drive.read(Seconds(0), 8 * kFlashPage, kPage)), 130, 2.1);     // plane 0 again
}

TEST(NvmeDrive, reads_of_one_channel_share_its_rate) {
    NvmeSpec spec = round_drive();
    spec.channels = made_up(1.0);
    spec.dies = made_up(100.0);
    NvmeDrive drive(spec);
    Seconds last;
    for (std::uint64_t die = 0; die < 100; ++die)
        last = std::max(last, drive.read(Seconds(0), die * kFlashPage, kPage));
    EXPECT_NEAR(us(last), 80 + 99 * 2.001, 2.1);
}

TEST(NvmeDrive, a_small_block_costs_as_much_flash_as_4_KiB_and_one_across_costs_two) {
    const auto moved_us = [](std::uint64_t address, Bytes bytes) {
        NvmeSpec spec = round_drive();
        spec.channel_rate = made_up(0.2048_GBps);  // 20 us for 4 KiB
        spec.read_latency = made_up(200.0_us);
        return us(NvmeDrive(spec).read(Seconds(0), address, bytes));
    };
    const double wire = (4096 - 512 + 14 * 20) / 4e9 * 1e6;  // what the link has less to carry
    EXPECT_NEAR(moved_us(0, Bytes(512)), moved_us(0, kPage) - wire, 1e-6);
    EXPECT_NEAR(moved_us(3584, Bytes(1024)), moved_us(0, Bytes(512)) + 20 + (512 + 2 * 20) / 4e9 * 1e6, 1e-6);
    const NvmeSpec shipped = read_nvme_spec(kParts + "nvme/NVMe_Gen5_CM7R.yaml");  // bound by its dies
    EXPECT_NEAR(nvme_random_read(shipped, kDeep, Bytes(512)).requests_per_s /
                    nvme_random_read(shipped, kDeep, kPage).requests_per_s,
                1, 0.01);
}

TEST(NvmeDrive, no_more_commands_are_in_it_than_its_queue_holds) {
    NvmeDrive drive(round_drive(), 2);
    const Seconds first = drive.read(Seconds(0), 0, kPage);
    drive.read(Seconds(0), kFlashPage, kPage);
    EXPECT_NEAR(us(drive.read(Seconds(0), 2 * kFlashPage, kPage)), us(first) + 80, 2.1);
    EXPECT_THROW(NvmeDrive(round_drive(), 0), InputError);
    EXPECT_THROW(NvmeDrive(round_drive(), 1025), InputError);
}

TEST(NvmeDrive, a_deeper_queue_gives_more_operations_until_the_slowest_part_is_full) {
    for (const char* name : {"NVMe_Gen4", "NVMe_Gen5", "NVMe_Gen5_CM7R", "NVMe_Gen5_PM1743"}) {
        const NvmeSpec spec = read_nvme_spec(kParts + "nvme/" + name + ".yaml");
        const double dies = spec.dies.get() * spec.reads_of_a_die.get() / spec.sense_time.get().si();
        const double channels = spec.channels.get() / spec.channel_time(1).si();
        const double link = (spec.link.packet_rate(4) / spec.up_bytes(kPage)).si();
        const double ceiling = std::min({dies, channels, link});
        double before = 0;
        for (int depth = 1; depth <= 16384; depth *= 4) {
            const AccessRate rate = nvme_random_read(spec, depth, kPage);
            EXPECT_GT(rate.requests_per_s, before * 0.999) << name << " at " << depth;
            EXPECT_LT(rate.requests_per_s, ceiling * 1.001) << name << " at " << depth;
            EXPECT_NEAR(rate.requests_per_s * rate.latency.si() / depth, 1, 0.02) << "Little's law, " << name;
            EXPECT_GE(rate.latency_p99, rate.latency * 0.95);
            before = rate.requests_per_s;
        }
        EXPECT_GT(before, ceiling * 0.97) << name;
    }
}

TEST(NvmeDrive, random_reads_of_the_catalogues_drives_are_near_their_datasheets) {
    const auto error = [](const char* name, double published) {
        return nvme_random_read(read_nvme_spec(kParts + "nvme/" + name + ".yaml"), kDeep, kPage).requests_per_s /
                   published -
               1;
    };
    EXPECT_LT(std::abs(error("NVMe_Gen5", 3.3e6)), 0.10);
    EXPECT_LT(std::abs(error("NVMe_Gen5_PM1743", 2.5e6)), 0.10);
    // Misses that stay: nothing published says where their dies or controllers differ from the model.
    EXPECT_NEAR(error("NVMe_Gen5_CM7R", 2.45e6), -0.12, 0.01);
    EXPECT_NEAR(error("NVMe_Gen4", 1.4e6), +0.14, 0.01);
}

TEST(NvmeDrive, long_reads_in_sequence_fill_the_link_as_datasheets_say) {
    const auto GBps = [](const char* name) {
        NvmeDrive drive(read_nvme_spec(kParts + "nvme/" + name + ".yaml"), 64);
        Seconds last;
        for (std::uint64_t i = 0; i < 20000; ++i)
            last = std::max(last, drive.read(Seconds(0), i * 131072, Bytes(131072)));
        return drive.stats().read / last / 1.0_GBps;
    };
    EXPECT_NEAR(GBps("NVMe_Gen5") / 14, 1, 0.10);
    EXPECT_NEAR(GBps("NVMe_Gen5_PM1743") / 14, 1, 0.10);
    EXPECT_NEAR(GBps("NVMe_Gen5_CM7R") / 14, 1, 0.10);
    EXPECT_NEAR(GBps("NVMe_Gen4") / 6.9, 1, 0.10);
}

TEST(NvmeDrive, a_write_is_done_when_the_buffer_has_it_and_waits_when_the_buffer_is_full) {
    NvmeDrive drive(round_drive());
    // 4 KiB of random writes are 8 KiB of flash: each fourth starts a program on the next die. Two fit the buffer; the
    // third waits for the first: 50 us to sense what is collected (half of it) are 25, then 1 ms.
    for (int i = 0; i < 11; ++i)
        EXPECT_NEAR(us(drive.write(Seconds(0), std::uint64_t(2 * i + 2) * 4096, kPage)), 15, 1e-6);
    EXPECT_NEAR(us(drive.write(Seconds(0), 1000 * 4096, kPage)), 1025, 1e-6);
    EXPECT_EQ(drive.stats().programmed, Bytes(3 * 32768));
}

TEST(NvmeDrive, writes_in_sequence_are_not_amplified) {
    NvmeDrive drive(round_drive());
    for (std::uint64_t i = 0; i < 801; ++i) drive.write(Seconds(0), i * 4096, kPage);
    EXPECT_NEAR(drive.stats().programmed.si() / (801 * 4096), 1, 0.02);
}

TEST(NvmeDrive, a_read_suspends_the_program_of_its_die_which_ends_later_by_as_much) {
    NvmeDrive drive(round_drive());
    for (int i = 0; i < 4; ++i) drive.write(Seconds(0), std::uint64_t(2 * i + 2) * 4096, kPage);  // die 0 programs
    EXPECT_NEAR(us(drive.read(Seconds(0), 0, kPage)), 80 + 10, 2.1);
    EXPECT_NEAR(us(drive.read(Seconds(0), kFlashPage, kPage)), 80, 2.1);  // die 1 does not
    for (int i = 0; i < 7; ++i) drive.write(Seconds(0), std::uint64_t(2 * i + 102) * 4096, kPage);
    EXPECT_NEAR(us(drive.write(Seconds(0), 1000 * 4096, kPage)), 1025 + 60, 1e-6);
}

TEST(NvmeDrive, reads_among_writes_are_slower_and_fewer) {
    const NvmeSpec spec = read_nvme_spec(kParts + "nvme/NVMe_Gen5.yaml");
    const AccessRate reads = nvme_random_read(spec, 256, kPage);
    double before = reads.requests_per_s;
    for (const double share : {0.9, 0.7, 0.5, 0.0}) {
        const AccessRate mixed = nvme_random_mixed(spec, 256, kPage, share);
        EXPECT_LT(mixed.requests_per_s, before);
        EXPECT_GT(mixed.latency, reads.latency);
        before = mixed.requests_per_s;
    }
}

TEST(NvmeDrive, refuses_what_is_empty_not_in_blocks_or_beyond_its_end) {
    NvmeDrive drive(round_drive());
    const auto error = [&](std::uint64_t address, double bytes) -> std::string {
        try {
            drive.read(Seconds(0), address, Bytes(bytes));
        } catch (const InputError& refused) {
            return refused.what();
        }
        return "no error";
    };
    EXPECT_NE(error(0, 0).find("at least one block"), std::string::npos);
    EXPECT_NE(error(100, 512).find("whole blocks of 512 B, found 512 B at address 100"), std::string::npos);
    EXPECT_NE(error(0, 320).find("whole blocks"), std::string::npos);
    EXPECT_EQ(error(1000000000 - 512, 512), "no error");
    EXPECT_NE(error(1000000000 - 512, 1024).find("within its 1000000000 B"), std::string::npos);
    EXPECT_NE(error(~std::uint64_t{511}, 1024).find("within its"), std::string::npos);
    EXPECT_THROW(drive.write(Seconds(0), 0, Bytes(0)), InputError);
    EXPECT_EQ(drive.stats().reads, 1);  // what was refused left no trace
}

TEST(NvmeDrive, a_table_with_an_impossible_or_missing_value_names_file_and_field) {
    const auto error = [](const std::string& from, const std::string& to) {
        return error_of_spoiled(kParts + "nvme/NVMe_Gen5.yaml", from, to, read_nvme_spec);
    };
    EXPECT_NE(error("dies: {value: 64,", "dies: {value: 8,").find("NVMe_Gen5.yaml:7:"), std::string::npos);
    EXPECT_NE(error("dies: {value: 64,", "dies: {value: 8,").find("flash.dies.value: expected at least one die"),
              std::string::npos);
    EXPECT_NE(error("dies: {value: 64,", "dies: {value: 63.5,").find("expected a whole number"), std::string::npos);
    EXPECT_NE(error("dies: {value: 64,", "dies: {value: null,").find("expected a value"), std::string::npos);
    EXPECT_NE(error("dies: {value: 64,", "dies: {value: -1,").find("expected a number above zero"), std::string::npos);
    EXPECT_NE(
        error("read_latency: {value: 60 us", "read_latency: {value: 30 us").find("that flash, channel and link take"),
        std::string::npos);
    EXPECT_NE(error("pcie: PCIe5", "pcie: PCIe9").find("link.pcie: expected the name of a table"), std::string::npos);
    EXPECT_NE(error("  lanes: {value: 4,", "  lanes: {value: 3,").find("link.lanes.value: expected a width"),
              std::string::npos);
    EXPECT_NE(error("sense_time:", "sense:").find("unknown field"), std::string::npos);
    EXPECT_NE(error("value: 40 us", "value: 40").find("expected a time such as"), std::string::npos);
}

TEST(NvmeDrive, every_shipped_table_loads_under_its_name_and_is_as_large_as_the_catalogues_drive) {
    const Catalog catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog");
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kParts + "nvme")) {
        const NvmeSpec spec = read_nvme_spec(entry.path().string());
        EXPECT_EQ(spec.name, entry.path().stem().string());
        const MemorySpec& part = catalog.memory(spec.name);
        EXPECT_EQ(spec.capacity.get(), part.capacity.value.value_or(spec.capacity.get())) << spec.name;
        ++seen;
    }
    EXPECT_GE(seen, 4);
}

TEST(SlotCalendar, gives_a_wire_out_as_fast_as_it_is_and_no_faster) {
    SlotCalendar wire(1.0);
    double last = 0;
    for (int i = 0; i < 1000; ++i) last = wire.reserve(5, 0.75);
    EXPECT_NEAR(last, 5 + 750, 1);
}

TEST(SlotCalendar, a_request_that_needs_the_wire_later_does_not_hold_up_the_next) {
    SlotCalendar wire(1.0);
    EXPECT_NEAR(wire.reserve(100, 1), 101, 1e-6);
    EXPECT_NEAR(wire.reserve(10, 1), 11, 1e-6);
    EXPECT_NEAR(wire.reserve(100, 1), 102, 1e-6);
}

TEST(SlotCalendar, forgets_the_past_and_stays_right_when_its_ring_is_used_again) {
    SlotCalendar wire(1.0, 16);
    for (int round = 0; round < 100; ++round) {
        wire.advance(round * 10.0);
        EXPECT_NEAR(wire.reserve(round * 10.0, 1.5), round * 10 + 1.5, 1e-5);
        EXPECT_NEAR(wire.reserve(round * 10.0, 1.5), round * 10 + 3, 1e-5);
    }
}

}  // namespace
}  // namespace strata
