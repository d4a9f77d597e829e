#include "hwmodels/platform_spec.hpp"
#include "tests/shipped_catalog.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

PlatformSpec read_platform(const std::string& fields, Problems& problems) {
    const YAML::Node node = parse_yaml("platform: {system: HGX_H800" + fields + "}", "s.yaml");
    return read_platform(YamlField(node["platform"], "s.yaml", "platform", problems), shipped_catalog());
}

PlatformSpec read_platform(const std::string& fields) {
    Problems problems;
    const PlatformSpec platform = read_platform(fields, problems);
    problems.throw_if_any();
    return platform;
}

std::string platform_error(const std::string& fields) {
    Problems problems;
    read_platform(fields, problems);
    return problems.empty() ? "" : problems.messages().front();
}

TEST(PlatformSpec, is_the_catalogues_where_nothing_is_set) {
    EXPECT_EQ(read_platform(""), platform_spec(shipped_catalog(), "HGX_H800"));
}

TEST(PlatformSpec, sets_numbers_by_path_as_assumed_ones) {
    const PlatformSpec platform = read_platform(
        ", nodes: 40, accelerator: {memory: {bandwidth: 8 TB/s}}, host: {memory_capacity: 4 TB, nvme_units: 16},"
        " scale_up_link: {effective_bandwidth: 160 GB/s, latency: {value: 0 us, note: ideal wire}}");
    EXPECT_EQ(platform.system.nodes.get(), 40);
    EXPECT_EQ(platform.accelerator.memory_bandwidth.get(), 8000.0_GBps);
    EXPECT_EQ(platform.accelerator.memory_bandwidth.kind, "assumed");
    EXPECT_EQ(platform.accelerator.memory_bandwidth.source, "set in the scenario");
    EXPECT_EQ(platform.system.host_memory_capacity.get(), 4000.0_GB);
    EXPECT_EQ(platform.scale_up_link->latency.get(), Seconds(0));
    EXPECT_EQ(platform.scale_up_link->latency.source, "ideal wire");
    // What is not set keeps its number and its source.
    EXPECT_EQ(platform.accelerator.bf16, shipped_catalog().accelerator("H800_SXM").bf16);
}

TEST(PlatformSpec, takes_a_part_for_another_only_where_its_times_may_differ) {
    const auto name = [](const std::string& fields) {
        return read_platform(", accelerator: {" + fields + "}").accelerator.name;
    };
    const std::string own = read_platform("").accelerator.name;
    for (const char* same :
         {"price: {hour: 3}", "power_w: 500", "idle_w: 50", "launch: 0.5", "memory: {capacity: 1 TB}"})
        EXPECT_EQ(name(same), own) << same;
    for (const char* other : {"memory: {bandwidth: 6 TB/s}", "cores: 140", "peak: {fp8: 2 PFLOPS}"})
        EXPECT_EQ(name(other), own + " (modified)") << other;
}

TEST(PlatformSpec, replaces_parts_by_name_with_or_without_numbers) {
    const PlatformSpec platform =
        read_platform(", accelerator: {part: B200_SXM, memory: {capacity: 300 GB}}, scale_out_link: RoCE400");
    EXPECT_EQ(platform.accelerator.bf16, shipped_catalog().accelerator("B200_SXM").bf16);
    EXPECT_EQ(platform.accelerator.memory_capacity.get(), 300.0_GB);
    EXPECT_EQ(platform.accelerator.name, "B200_SXM");  // with more room its kernels take the same times
    EXPECT_EQ(platform.scale_out_link, shipped_catalog().link("RoCE400"));
    EXPECT_EQ(platform.system.scale_out_link, "RoCE400");
}

TEST(PlatformSpec, describes_a_link_that_the_system_does_not_have) {
    const YAML::Node node =
        parse_yaml("platform: {system: CloudMatrix384, host_link: {effective_bandwidth: 50 GB/s}}", "s.yaml");
    Problems problems;
    const PlatformSpec platform =
        read_platform(YamlField(node["platform"], "s.yaml", "platform", problems), shipped_catalog());
    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(present(platform.host_link, platform.system, "host_link").effective_bandwidth.get(), 50.0_GBps);
    try {
        platform.host_link->latency.get();
        FAIL();
    } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()).find("platform.host_link.latency is null"), 0u) << error.what();
    }
}

TEST(PlatformSpec, differs_as_soon_as_a_number_does) {
    EXPECT_NE(read_platform(", nvme: {bandwidth: 20 GB/s}"), read_platform(", nvme: {bandwidth: 21 GB/s}"));
    EXPECT_EQ(read_platform(", nvme: {bandwidth: 20 GB/s}"), read_platform(", nvme: {bandwidth: 20 GB/s}"));
}

TEST(PlatformSpec, says_where_and_what_is_wrong) {
    EXPECT_EQ(platform_error(", accelerator: {memory: {bandwidth: 8 TB}}"),
              "s.yaml:1:64: platform.accelerator.memory.bandwidth: expected a bandwidth such as '64 GB/s', found "
              "'8 TB'");
    EXPECT_NE(platform_error(", accelerator: {memry: {}}").find("did you mean 'memory'?"), std::string::npos);
    EXPECT_NE(platform_error(", nvme: NVMe_Gen55").find("s.yaml:1:36: platform.nvme: no memory 'NVMe_Gen55' in the"),
              std::string::npos);
    EXPECT_NE(platform_error(", scale_up_link: {part: NVLink44}").find("scale_up_link.part: no link 'NVLink44'"),
              std::string::npos);
    EXPECT_NE(platform_error(", host: {memory_capacity: 0 GB}").find("expected a value above 0, found '0 GB'"),
              std::string::npos);
    EXPECT_NE(platform_error(", nodes: 1.5").find("platform.nodes: expected a whole number, found '1.5'"),
              std::string::npos);
    EXPECT_NE(platform_error(", accelerator: {peak: 9 TFLOPS}").find("expected a map of fields"), std::string::npos);
}

}  // namespace
}  // namespace strata
