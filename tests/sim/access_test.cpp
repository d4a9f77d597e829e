// Accesses say what the models of the parts say, of the part that the platform has.
#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/dram/characterise.hpp"
#include "hwmodels/protocol/pcie.hpp"
#include "hwmodels/storage/nvme_drive.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const std::string kCatalog = kRoot + "/hwmodels/catalog";

Study study_of(const std::string& workload, const std::string& platform = "{system: HGX_H200}",
               const std::string& more = "") {
    const ScratchFolder folder;
    const std::string file =
        folder.write("s.yaml", "platform: " + platform + "\nworkload: {kind: access, " + workload + "}\n" + more);
    return run_study(ScenarioFile(file, kRoot + "/scenarios/models"), {.root = kRoot});
}

Run run_of(const std::string& workload, const std::string& platform = "{system: HGX_H200}") {
    return *study_of(workload, platform).results.front().run;
}

TEST(Access, of_an_accelerators_memory_is_the_bank_model_at_the_accelerators_peak) {
    // 4.8 TB/s over six stacks.
    const DramSpec stack = read_dram_spec(kCatalog + "/dram/HBM3E.yaml").at_peak(Bandwidth(8e11));
    const AccessProfile expected =
        characterise(stack, 6, {.kind = AccessKind::random_rows, .row = Bytes(264), .write_share = 0.25, .load = 0.3});
    const auto run = run_of("part: accelerator_memory, pattern: random_rows, row: 264 B, write_share: 0.25, load: 0.3");
    EXPECT_DOUBLE_EQ(run.metrics.at("access.bandwidth_GBps"), expected.bandwidth.si() / 1e9);
    EXPECT_DOUBLE_EQ(run.metrics.at("access.latency_p99_ns"), expected.latency_p99.si() * 1e9);
    EXPECT_DOUBLE_EQ(run.metrics.at("access.row_hit_rate"), expected.row_hits);
    EXPECT_EQ(run.metrics.count("access.energy_pj_per_bit"), expected.picojoules_per_bit > 0 ? 1u : 0u);
    EXPECT_NEAR(run.accessed->peak_GBps, 4800, 1e-6);
}

TEST(Access, of_host_memory_uses_all_channels_of_a_node) {
    const DramSpec channel = read_dram_spec(kCatalog + "/dram/DDR5_4800.yaml").at_peak(Bandwidth(38.4e9));
    const auto run = run_of("part: host_memory, pattern: random_rows, row: 4 KiB, outstanding: 64");
    const AccessProfile expected =
        characterise(channel, 16, {.kind = AccessKind::random_rows, .row = Bytes(4096), .outstanding = 64});
    EXPECT_DOUBLE_EQ(run.metrics.at("access.efficiency"), expected.efficiency);
    EXPECT_NEAR(run.accessed->peak_GBps, 16 * 38.4, 1e-6);
}

TEST(Access, follows_the_numbers_that_a_scenario_sets) {
    const std::string stream = "part: accelerator_memory, pattern: stream";
    const auto half = run_of(stream, "{system: HGX_H200, accelerator: {memory: {units: 3, bandwidth: 2.4 TB/s}}}");
    EXPECT_NEAR(half.accessed->peak_GBps, 2400, 1e-6);
    EXPECT_NEAR(half.metrics.at("access.bandwidth_GBps"), run_of(stream).metrics.at("access.bandwidth_GBps") / 2, 50);
}

TEST(Access, of_a_host_link_is_the_packet_model_of_its_generation_and_width) {
    const PcieSpec pcie = read_pcie_spec(kCatalog + "/pcie/PCIe5.yaml");
    EXPECT_DOUBLE_EQ(run_of("part: host_link, pattern: copy_engine, row: 1 MiB").metrics.at("access.bandwidth_GBps"),
                     copy_rate(pcie, 16, Bytes(1048576)).bandwidth.si() / 1e9);
    const auto eight =
        run_of("part: host_link, pattern: zero_copy, row: 264 B", "{system: HGX_H200, host_link: {lanes: 8}}");
    EXPECT_DOUBLE_EQ(eight.metrics.at("access.iops"), zero_copy_rate(pcie, 8, Bytes(264)).requests_per_s);
}

TEST(Access, of_nvme_is_one_drive_at_the_queue_depth_that_is_asked_for) {
    const NvmeSpec drive = read_nvme_spec(kCatalog + "/nvme/NVMe_Gen5.yaml");
    const auto reads = run_of("part: nvme, pattern: random_rows, row: 4 KiB, outstanding: 64");
    EXPECT_DOUBLE_EQ(reads.metrics.at("access.iops"), nvme_random_read(drive, 64, Bytes(4096)).requests_per_s);
    const auto mixed = run_of("part: nvme, pattern: random_rows, row: 4 KiB, outstanding: 64, write_share: 0.3");
    EXPECT_LT(mixed.metrics.at("access.iops"), reads.metrics.at("access.iops"));
}

TEST(Access, points_that_cannot_run_are_results_with_their_reason) {
    const Study study = study_of("part: accelerator_memory, pattern: stream", "{system: HGX_H200}",
                                 "axes: [{path: platform.system, values: [HGX_H200, Consumer_PC]}]\n");
    ASSERT_EQ(study.results.size(), 2u);
    EXPECT_EQ(study.results[0].status, PointStatus::ok);
    EXPECT_EQ(study.results[1].status, PointStatus::infeasible);
    EXPECT_NE(study.results[1].reason.find("RTX_4090.memory.standard"), std::string::npos);
}

TEST(Access, of_parts_that_name_a_standard_runs_it_near_its_own_speed) {
    // Cards run below what their stacks can: an H200's at 6.25 Gb/s a pin of 9.6.
    const Catalog catalog(kCatalog);
    int parts = 0;
    for (const auto& [name, part] : catalog.accelerators()) {
        if (part.memory_standard.empty()) continue;
        ++parts;
        const Bandwidth unit = part.memory_bandwidth.get() / part.memory_units.get();
        const double factor = unit / read_dram_spec(catalog.dram_file(part.memory_standard)).peak();
        EXPECT_TRUE(factor > 0.6 && factor < 1.25) << name << ": " << factor;
    }
    EXPECT_GE(parts, 8);
}

// The best of what a machine did at the same row size, next to what the model says; never in its place.
TEST(Access, puts_a_record_beside_the_model) {
    const auto line = [](const char* what, const char* parameters, double median) {
        return std::string(R"({"schema":"strata/measurement/1","what":")") + what +
               R"(","origin":"measured","parameters":)" + parameters + R"(,"metrics":{"bandwidth_GBps":{"median":)" +
               std::to_string(median) + R"(,"min":1,"max":99}},"repeats":3,"machine":{"cpu":"a","cores":2,)" +
               R"("memory_bytes":1e9,"cache_bytes":{},"kernel":"6","huge_pages":"madvise"},)" +
               R"("when":"2026-11-24T20:00:00Z","strata":"0.1.0","notes":[]})" + "\n";
    };
    const ScratchFolder folder;
    const std::string record =
        folder.write("record.jsonl", line("host/random_gather", R"({"row_bytes":264,"threads":1})", 3) +
                                         line("host/random_gather", R"({"row_bytes":264,"threads":2})", 5) +
                                         line("host/random_gather", R"({"row_bytes":512,"threads":2})", 7) +
                                         line("host/stream_read", R"({"threads":2})", 9));
    const auto beside = [&](const std::string& asked) {
        return study_of("part: host_memory, " + asked + ", beside: " + record).results.front();
    };
    const auto rows = *beside("pattern: random_rows, row: 264 B").run;
    EXPECT_DOUBLE_EQ(rows.metrics.at("access.measured_GBps"), 5);
    EXPECT_DOUBLE_EQ(rows.metrics.at("access.bandwidth_GBps"),
                     run_of("part: host_memory, pattern: random_rows, row: 264 B").metrics.at("access.bandwidth_GBps"));
    EXPECT_DOUBLE_EQ(beside("pattern: stream").run->metrics.at("access.measured_GBps"), 9);
    const PointResult none = beside("pattern: random_rows, row: 1 KiB");
    EXPECT_NE(none.reason.find("record.jsonl: no row of host/random_gather row_bytes 1024"), std::string::npos)
        << none.reason;
}

}  // namespace
}  // namespace strata
