// A sweep's reader gives what reading each point on its own gives.
#include "sim/scenario/point_reader.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include "sim/study/point_runner.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kV3Step =
    "model: v3\nplatform: {system: HGX_H200}\nworkload: {kind: decode, batch: 64, context: 4096}\n"
    "placement: {dp: 8, ep: 8}\n";

std::map<std::string, double> metrics_of(Scenario scenario, PointRunner& runner) {
    EXPECT_EQ(runner.settle(scenario), "");
    return runner.run(scenario).metrics;
}

// All points twice over, so that what the second round takes from the first must be right.
void expect_as_read_alone(const std::string& text, std::size_t points_wanted) {
    const ScratchFolder folder;
    const ScenarioFile file(folder.write("s.yaml", text), kModels);
    PointRunner runner(kRoot);
    PointReader reader(file, runner.catalog());
    const std::vector<Point> points = file.points();
    ASSERT_EQ(points.size(), points_wanted);
    std::set<std::map<std::string, double>> different;
    for (int round = 0; round < 2; ++round)
        for (const Point& point : points) {
            const auto alone = metrics_of(file.read(point, runner.catalog()), runner);
            EXPECT_EQ(metrics_of(reader.read(point.settings), runner), alone) << point.settings.front().second;
            different.insert(alone);
        }
    EXPECT_EQ(different.size(), points_wanted) << "axes that change nothing test nothing";
}

TEST(PointReader, gives_what_reading_each_point_alone_gives) {
    expect_as_read_alone(R"(
model: {preset: v4.1-flash, rho: 0.7}
platform: {system: HGX_H200}
workload: {kind: decode, batch: 512, context: 8192}
placement: {dp: 8, ep: 8, engram: {tier: host}}
axes:
  - {path: platform.system, values: [HGX_H200, HGX_B200]}
  - {path: platform.accelerator.memory.bandwidth, values: [3 TB/s, 4 TB/s]}
  - {path: model.precision.experts, values: [fp4_block, fp8_block]}
  - {path: model.rho, values: [0.6, 0.9]}
  - {path: economics.utilisation, values: [0.5, 0.7]}
  - zip: [{path: workload.batch, values: [64, 512]}, {path: kernels.experts, values: [grouped, fused]}]
)",
                         64);
}

// Numbers that nothing else of a step is read by are set in what was read of another point.
TEST(PointReader, dials_batch_context_and_allocation) {
    expect_as_read_alone(R"(
model: v4.1-flash
platform: {system: HGX_H200}
workload: {kind: decode, batch: 512, context: 8192}
placement: {dp: 8, ep: 8, engram: {tier: host}}
axes:
  - {path: model.rho, values: [0.5, 0.6, 0.9]}
  - {path: placement.engram.tier, values: [host, hbm]}
  - {path: workload.context, values: [0, 8192]}
  - {path: workload.batch, values: [64, 512]}
)",
                         24);
}

TEST(PointReader, reads_a_context_of_pictures_with_its_pages) {
    expect_as_read_alone(R"(
model: v3
platform: {system: HGX_H200}
workload: {kind: decode, batch: 64, context: 4096, optical: {mode: small, text_tokens_per_page: 1000}}
placement: {dp: 8, ep: 8}
axes:
  - {path: workload.context, values: [16384, 65536]}
)",
                         2);
}

// The model as a name and a field of it: the second sets something below the first.
TEST(PointReader, reads_anew_where_an_axis_sets_what_is_below_another) {
    expect_as_read_alone(R"(
model: v3
platform: {system: HGX_H200}
workload: {kind: decode, batch: 64, context: 4096}
placement: {dp: 8, ep: 8}
axes:
  - {path: model, values: [v3, v3.2]}
  - {path: model.precision.experts, values: [fp8_block, fp4_block]}
)",
                         4);
}

// Nodes of YAML that are assigned keep what they were: a million points must not.
TEST(PointReader, keeps_no_document_of_earlier_points) {
    const ScratchFolder folder;
    const std::string axes =
        "axes: [{path: model, values: [v3]}, {path: model.precision.experts, values: [fp8_block]}]\n";
    const ScenarioFile file(folder.write("s.yaml", kV3Step + axes), kModels);
    PointRunner runner(kRoot);
    PointReader reader(file, runner.catalog());
    const Settings point = file.settings().front();
    const auto held_after = [&](int reads) {
        for (int i = 0; i < reads; ++i) reader.read(point);
        return mallinfo2().uordblks;  // 0 under a sanitizer
    };
    const std::size_t before = held_after(20);
    EXPECT_LT(held_after(300), before + 300 * 100) << "bytes of 300 documents";
}

// The first of two points is fine, the second is not, and both are read twice.
void expect_error_of_the_second(const std::string& axis) {
    const ScratchFolder folder;
    const ScenarioFile file(folder.write("s.yaml", kV3Step + ("axes: [" + axis + "]\n")), kModels);
    PointRunner runner(kRoot);
    PointReader reader(file, runner.catalog());
    const std::vector<Point> points = file.points();
    const auto said = [&](const auto& read) -> std::string {
        try {
            read();
            return "";
        } catch (const InputError& error) {
            return error.what();
        }
    };
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(said([&] { reader.read(points[0].settings); }), "") << axis;
        const std::string alone = said([&] { (void)file.read(points[1], runner.catalog()); });
        EXPECT_NE(alone.find("s.yaml:5:"), std::string::npos) << alone;
        EXPECT_EQ(said([&] { reader.read(points[1].settings); }), alone) << axis;
    }
}

TEST(PointReader, says_what_is_wrong_where_the_axis_stands_and_reads_the_next_point) {
    expect_error_of_the_second("{path: platform.system, values: [HGX_H200, HGX_NONE]}");
    expect_error_of_the_second("{path: workload.batch, values: [64, 0.5]}");
    expect_error_of_the_second("{path: workload.batch, values: [64, many]}");
    expect_error_of_the_second("{path: workload.context, values: [64, -1]}");
    expect_error_of_the_second("{path: model.rho, values: [1, 1.5]}");
}

}  // namespace
}  // namespace strata
