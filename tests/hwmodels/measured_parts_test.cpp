// A scenario whose host memory or drive takes the numbers of a record: which rows, what counts more, what is refused.
#include "hwmodels/measured_parts.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hwmodels/measurement.hpp"
#include "hwmodels/platform_spec.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

std::string row(Measurement measurement) {
    measurement.repeats = 5;
    measurement.machine = {"Model X", 2, 24.0_GB, {}, "6.1.0", "madvise"};
    measurement.when = "2026-11-24T19:30:00Z";
    measurement.strata = "0.1.0";
    return to_line(measurement) + "\n";
}
std::string stream(double threads, double median) {
    return row({.what = "host/stream_read",
                .parameters = {{"pages", "huge"}, {"threads", threads}},
                .metrics = {{"bandwidth_GBps", {median, median - 1, median + 1}}},
                .notes = {"a note"}});
}
std::string latency(const char* pages, double median) {
    return row({.what = "host/read_latency",
                .parameters = {{"pages", pages}},
                .metrics = {{"latency_ns", {median, median, median}}}});
}
std::string reads(double block, double depth, double iops, double p50) {
    return row({.what = "host/direct_reads",
                .parameters = {{"block_bytes", block}, {"depth", depth}},
                .metrics = {{"iops", {iops, iops, iops}},
                            {"bandwidth_GBps", {iops * block / 1e9, 0, 0}},
                            {"latency_p50_us", {p50, p50, p50}}}});
}
const std::string kMemory = stream(1, 16.4) + stream(2, 32.4) + latency("small", 318) + latency("huge", 270);
const std::string kDrive = reads(4096, 1, 18000, 41) + reads(4096, 32, 108000, 295) + reads(131072, 32, 12000, 2600);

class MeasuredParts : public ::testing::Test {
protected:
    // `fields` of a platform in a scenario beside the record host.jsonl.
    PlatformSpec read(const std::string& record, const std::string& fields) {
        static const Catalog catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog");
        folder_.write("host.jsonl", record);
        const YAML::Node node = parse_yaml(fmt::format("platform: {{system: HGX_H800, {}}}", fields), "s.yaml");
        problems_ = {};
        return read_platform(YamlField(node["platform"], folder_ / "s.yaml", "platform", problems_), catalog);
    }
    std::string error_of(const std::string& record, const std::string& fields) {
        read(record, fields);
        if (problems_.empty()) return "";
        const std::string& message = problems_.messages().front();
        return message.substr(message.find("platform"));
    }
    ScratchFolder folder_;
    Problems problems_;
};

TEST_F(MeasuredParts, take_the_best_rows_and_say_which) {
    const PlatformSpec platform =
        read(kMemory + kDrive, "host_memory: {measured: host.jsonl}, nvme: {measured: host.jsonl}");
    ASSERT_TRUE(problems_.empty()) << problems_.messages().front();
    EXPECT_EQ(platform.host_memory->bandwidth.get(), 32.4_GBps);
    EXPECT_EQ(platform.host_memory->bandwidth.kind, "measured");
    EXPECT_EQ(platform.host_memory->bandwidth.source,
              "host/stream_read (pages huge, threads 2): bandwidth_GBps 32.4, the median of 5 (31.4 to 33.4); "
              "host.jsonl:2, 2026-11-24T19:30:00Z, Model X");
    EXPECT_EQ(platform.host_memory->bandwidth.note, "a note");
    EXPECT_DOUBLE_EQ(platform.host_memory->read_latency.get().si(), 270e-9);
    EXPECT_EQ(platform.host_memory->name, "memory measured on Model X");
    EXPECT_EQ(platform.system.host_memory, "memory measured on Model X");
    EXPECT_EQ(platform.system.host_memory_units.get(), 1);
    EXPECT_EQ(platform.system.host_memory_capacity.get(), 24.0_GB);
    EXPECT_DOUBLE_EQ(platform.nvme->bandwidth.get().si(), 12000 * 131072);
    EXPECT_EQ(platform.nvme->random_read_iops.get(), 108000);         // of 4 KiB, at depth 32
    EXPECT_DOUBLE_EQ(platform.nvme->read_latency.get().si(), 41e-6);  // alone
    EXPECT_EQ(platform.system.nvme_units.get(), 1);
    EXPECT_EQ(platform.records, std::set<std::string>{folder_ / "host.jsonl"});
}

TEST_F(MeasuredParts, give_way_to_what_the_scenario_sets_and_leave_the_rest_to_the_catalogue) {
    const PlatformSpec platform =
        read(kMemory, "host_memory: {measured: host.jsonl, bandwidth: 50 GB/s}, host: {memory_units: 4}");
    ASSERT_TRUE(problems_.empty()) << problems_.messages().front();
    EXPECT_EQ(platform.host_memory->bandwidth.get(), 50.0_GBps);
    EXPECT_EQ(platform.host_memory->bandwidth.kind, "assumed");
    EXPECT_EQ(platform.host_memory->read_latency.kind, "measured");
    EXPECT_EQ(platform.host_memory->name, "memory measured on Model X (modified)");
    EXPECT_EQ(platform.system.host_memory_units.get(), 4);
    EXPECT_EQ(platform.nvme, read("", "nodes: 1").nvme);
}

TEST_F(MeasuredParts, are_refused_with_file_and_line) {
    const std::string drive = "nvme: {measured: host.jsonl}", memory = "host_memory: {measured: host.jsonl}";
    const std::string file = folder_ / "host.jsonl";
    EXPECT_EQ(
        error_of(kMemory, drive),
        fmt::format("platform.nvme.measured: {}: no row of host/direct_reads with bandwidth_GBps. 'strata measure "
                    "host' measures it",
                    file));
    EXPECT_EQ(
        error_of(reads(131072, 1, 1, 1), drive),
        fmt::format("platform.nvme.measured: {}: no row of host/direct_reads, block_bytes 4096 with iops. 'strata "
                    "measure host' measures it",
                    file));
    EXPECT_EQ(error_of(kMemory + row({.what = "host/direct_reads", .unavailable = "tmpfs"}), drive),
              fmt::format("platform.nvme.measured: {}:5: host/direct_reads was not measured: tmpfs", file));
    EXPECT_EQ(error_of(kMemory + "{\n", memory).find(fmt::format("platform.host_memory.measured: {}:5: broken", file)),
              0u);
    EXPECT_EQ(error_of(kMemory, "host_memory: {measured: toast.jsonl}")
                  .find(fmt::format("platform.host_memory.measured: {}: no such record", folder_ / "toast.jsonl")),
              0u);
    EXPECT_EQ(error_of(kMemory, "host_link: {measured: host.jsonl}").find("platform.host_link.measured: unknown field"),
              0u);
    EXPECT_EQ(error_of(kMemory, "nvme: {measured: [a]}"), "platform.nvme.measured: expected a text, found a list");
}

}  // namespace
}  // namespace strata
