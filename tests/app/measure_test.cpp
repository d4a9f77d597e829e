// `strata measure host` really run, for a second: what it writes is a record by the schema, obeys physics, and bad
// input is refused before anything is measured.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "app/measure/direct_reads.hpp"
#include "app/measure/host.hpp"
#include "app/measure/machine.hpp"
#include "app/measure/random_gather.hpp"
#include "app/measure/read_latency.hpp"
#include "app/measure/stream_read.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/scenario/schema.hpp"
#include "tests/json_schema.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;

const std::string kProgram = std::string(STRATA_BINARY_DIR) + "/strata";
constexpr std::size_t kMiB = 1 << 20;
const Effort kGlance{.repeats = 3, .sample = Seconds(0.002)};

class Measure : public ::testing::Test {
protected:
    int strata(const std::string& arguments) {
        const int status = std::system(
            fmt::format("'{}' measure {} >{} 2>{}", kProgram, arguments, folder_ / "stdout", folder_ / "stderr")
                .c_str());
        out = text_of(folder_ / "stdout");
        err = text_of(folder_ / "stderr");
        return WEXITSTATUS(status);
    }

    void expect_refused(const std::string& arguments, const std::string& reason) {
        const std::string file = folder_ / "made/record.jsonl";
        EXPECT_EQ(strata(fmt::format("host --quick --out {} {}", file, arguments)), 2) << arguments;
        EXPECT_NE(err.find(reason), std::string::npos) << err;
        EXPECT_EQ(out, "");
        EXPECT_FALSE(fs::exists(fs::path(file).parent_path()));
    }

    static std::string text_of(const std::string& file) {
        std::ifstream stream(file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    ScratchFolder folder_;
    std::string out, err;
};

TEST_F(Measure, writes_a_record_by_the_schema_and_leaves_nothing_else) {
    const std::string file = folder_ / "record.jsonl";
    const std::string asked = "host --quick --table-size '300 MB' --file-size '16 MB' --scratch " + folder_.path();
    // A machine with large caches wants a larger table than this test does.
    const bool small_caches = 8 * last_level_cache() < 3e8;
    ASSERT_EQ(strata(small_caches ? asked + " --out " + file : "host --quick --scratch . --out " + file), 0) << err;
    EXPECT_NE(out.find("host/random_gather"), std::string::npos) << out;
    EXPECT_EQ(err, "wrote " + file + "\n");
    std::set<std::string> left;
    for (const auto& entry : fs::directory_iterator(folder_.path())) left.insert(entry.path().filename());
    EXPECT_EQ(left, (std::set<std::string>{"record.jsonl", "stderr", "stdout"}));

    const Schema schema(schema_of("measurement", std::string(STRATA_SOURCE_DIR) + "/scenarios/schema"));
    std::ifstream lines(file);
    std::set<std::string> what;
    for (std::string line; std::getline(lines, line);) {
        const nlohmann::json record = nlohmann::json::parse(line);
        EXPECT_EQ(schema.errors(record), "") << line;
        what.insert(record["what"]);
        EXPECT_EQ(line.find(folder_.path()), std::string::npos) << line;
    }
    EXPECT_EQ(what, (std::set<std::string>{"host/direct_reads", "host/random_gather", "host/read_latency",
                                           "host/stream_read"}));
    for (const Measurement& one : read_measurements(file)) {
        EXPECT_GT(one.machine.memory.si(), 0);
        for (const auto& [name, spread] : one.metrics) {
            EXPECT_GT(spread.min, 0) << one.what << " " << name;
            EXPECT_LE(spread.min, spread.median) << one.what << " " << name;
            EXPECT_LE(spread.median, spread.max) << one.what << " " << name;
        }
    }
}

TEST_F(Measure, prints_the_record_alone_where_it_is_asked_for_on_stdout) {
    ASSERT_EQ(strata("host --quick --only direct_reads --file-size '16 MB' --out - --scratch " + folder_.path()), 0);
    std::istringstream lines(out);
    int records = 0;
    for (std::string line; std::getline(lines, line); ++records) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_GE(records, 1);
    EXPECT_EQ(err, "");
}

TEST_F(Measure, precision_is_a_record_by_the_schema_and_the_same_for_the_same_seed) {
    const std::string file = folder_ / "precision.json";
    ASSERT_EQ(strata("precision --out " + file), 0) << err;
    EXPECT_NE(out.find("SNR dB"), std::string::npos) << out;
    EXPECT_EQ(err, "wrote " + file + "\n");
    const std::string first = text_of(file);
    const Schema schema(schema_of("precision", std::string(STRATA_SOURCE_DIR) + "/scenarios/schema"));
    EXPECT_EQ(schema.errors(nlohmann::json::parse(first)), "");
    nlohmann::json spoiled = nlohmann::json::parse(first);
    spoiled["storage"][0]["format"] = "fp3";
    EXPECT_NE(schema.errors(spoiled), "");
    ASSERT_EQ(strata("precision --out -"), 0);
    EXPECT_EQ(out, first);
    EXPECT_EQ(strata("precision --seed -1"), 2);
    EXPECT_EQ(strata("precision --out " + folder_.write("taken", "") + "/precision.json"), 2);
    EXPECT_NE(err.find("expected a folder to write into"), std::string::npos) << err;
}

TEST_F(Measure, refuses_bad_input_before_it_measures_and_makes_nothing) {
    expect_refused("--scratch " + (folder_ / "nowhere"), "nowhere: expected a folder to write a scratch file into");
    expect_refused("--scratch " + folder_.write("file", ""), "file: expected a folder to write a scratch file into");
    expect_refused("--file-size '9999 TB'", "expected room for a scratch file of 9999000.00 GB, found");
    expect_refused("--file-size '1 KB'", "--file-size: expected at least 131072 bytes, found 1000");
    expect_refused("--file-size 16", "--file-size: expected a size such as '80 GB', found '16'");
    expect_refused("--table-size '9999 TB'", "--table-size: expected at most");
    expect_refused("--table-size '4 KB'", "times the caches, found 0.00 GB");
    expect_refused("--threads 0", "--threads: Value 0 not in range");
    expect_refused("--only toaster", "--only: toaster not in");
    expect_refused("--qiuck", "--qiuck");
    EXPECT_EQ(strata("toaster"), 2);
    EXPECT_EQ(strata(""), 2);
    EXPECT_NE(err.find("measure: expected host, kernels or precision"), std::string::npos) << err;
}

TEST_F(Measure, refuses_an_output_that_cannot_be_written_before_it_measures) {
    const std::string file = folder_.write("file", "");
    EXPECT_EQ(strata("host --out " + file + "/record.jsonl"), 2);
    EXPECT_NE(err.find("expected a folder to write into"), std::string::npos) << err;
}

// Cold rows cannot come faster than the stream of the same memory does, and a read that waits for the one before it
// cannot come faster than reads that do not wait. Half as much again: other programs run beside a test.
TEST(MeasuredMemory, answers_random_reads_no_faster_than_the_stream_and_dependent_ones_slowest) {
    const std::size_t caches = std::size_t(last_level_cache()) / kMiB * kMiB;
    const MappedTable table(std::max(8 * caches, 64 * kMiB), Pages::small, 1);
    const double stream = stream_read(table, 1, kGlance).metrics.at("bandwidth_GBps").max;
    const double rows = random_gather(table, 64, 1, 0, kGlance).metrics.at("bandwidth_GBps").min;
    const double latency = read_latency(table, kGlance).metrics.at("latency_ns").max;
    EXPECT_LT(rows, 1.5 * stream);
    EXPECT_LT(64 / latency, 1.5 * random_gather(table, 64, 1, 0, kGlance).metrics.at("bandwidth_GBps").max);
}

TEST(MeasuredMemory, says_under_which_conditions) {
    const MappedTable table(4 * kMiB, Pages::small, 2);
    EXPECT_EQ(table.huge_share(), 0);
    const Measurement gather = random_gather(table, 264, 2, 3, kGlance);
    EXPECT_EQ(parameters_text(gather), "pages small, prefetch_rows 3, row_bytes 264, table_bytes 4194304, threads 2");
    EXPECT_EQ(gather.repeats, 3);
    EXPECT_THROW(random_gather(table, 65, 1, 0, kGlance), std::logic_error);
}

// Every table is filled with random words: zeros would share one page and compress on the way.
TEST(MeasuredMemory, is_filled_to_the_last_word) {
    const MappedTable table(2 * kMiB, Pages::small, 3);
    int zeros = 0;
    for (const std::uint64_t word : table.words()) zeros += word == 0;
    EXPECT_EQ(zeros, 0);
}

TEST(DirectReads, come_from_threads_where_there_is_no_io_uring_and_say_so) {
    const ScratchFolder folder;
    const ScratchFile file(folder.path(), Bytes(4.0 * kMiB), Seconds(10));
    if (!file.obstacle().empty()) GTEST_SKIP() << file.obstacle();
    for (const bool ring : {true, false}) {
        if (ring && !io_uring_obstacle().empty()) continue;
        const Measurement reads = direct_reads(file, 4096, 4, ring, kGlance);
        EXPECT_EQ(std::get<std::string>(reads.parameters.at("by")), ring ? "io_uring" : "pread threads");
        // Four reads are in flight, each for a latency: rate x latency is four, but for the tail (Little's law).
        EXPECT_GT(reads.metrics.at("iops").max, 0);
        EXPECT_GE(reads.metrics.at("latency_p99_us").max, reads.metrics.at("latency_p50_us").min);
    }
}

TEST(DirectReads, are_not_measured_in_a_folder_that_is_memory) {
    if (!fs::is_directory("/dev/shm")) GTEST_SKIP() << "no folder in memory here";
    const ScratchFile file("/dev/shm", Bytes(1.0 * kMiB), Seconds(10));
    EXPECT_EQ(file.obstacle(), "the scratch folder is kept in memory (tmpfs), not on a drive");
    const std::vector<Measurement> rows =
        measure_host({.only = {"direct_reads"}, .scratch = "/dev/shm", .file_size = Bytes(1.0 * kMiB), .quick = true});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].unavailable, file.obstacle());
    const Schema schema(schema_of("measurement", std::string(STRATA_SOURCE_DIR) + "/scenarios/schema"));
    EXPECT_EQ(schema.errors(nlohmann::json::parse(to_line(rows[0]))), "");
}

}  // namespace
}  // namespace strata
