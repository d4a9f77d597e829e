// The pool over workers that crash, hang, eat all memory or leave, as real processes.
#include "sim/study/simulator_pool.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

using Json = nlohmann::ordered_json;
const std::string kFaulty = STRATA_BINARY_DIR "/strata-faulty-simulate";

std::string line_of(std::size_t id, const std::string& document) {
    return Json{{"id", id}, {"document", document}}.dump();
}

// Answers in the order of the documents.
std::vector<Json> answers(const std::vector<std::string>& documents, int jobs, double time_s = 5) {
    std::vector<std::string> lines;
    for (const std::string& document : documents) lines.push_back(line_of(lines.size(), document));
    std::vector<Json> all(lines.size());
    std::vector<int> times(lines.size());
    simulate_lines(kFaulty, jobs, {.time_s = time_s}, lines, [&](std::size_t line, const Json& answer) {
        all[line] = answer;
        ++times[line];
    });
    for (const int count : times) EXPECT_EQ(count, 1);
    return all;
}

TEST(SimulatorPool, a_worker_that_crashes_leaves_or_eats_all_memory_costs_its_point_only) {
    for (const int jobs : {1, 3}) {
        const std::vector<Json> all = answers({"a", "crash", "b", "leave", "eat", "c", "d"}, jobs);
        for (const std::size_t fine : {0u, 2u, 5u, 6u}) EXPECT_EQ(all[fine]["status"], "ok") << all[fine];
        for (const std::size_t wrong : {1u, 3u, 4u}) EXPECT_EQ(all[wrong]["status"], "failed") << all[wrong];
        EXPECT_EQ(all[1]["reason"], kFaulty + " ended by signal 11 (Segmentation fault)");
        EXPECT_EQ(all[3]["reason"], kFaulty + " ended with exit code 0");
    }
}

TEST(SimulatorPool, a_worker_that_hangs_is_replaced_after_its_time) {
    const std::vector<Json> all = answers({"hang", "a", "b"}, 1, 0.1);
    EXPECT_EQ(all[0]["status"], "failed");
    EXPECT_EQ(all[0]["reason"], kFaulty + " did not answer within 1.2 s");  // two attempts of 0.1 s, and 1 s
    EXPECT_EQ(all[1]["document"], "a");
    EXPECT_EQ(all[2]["document"], "b");
}

TEST(SimulatorPool, a_point_is_tried_once_more) {
    const ScratchFolder folder;
    setenv("FAULTS", ("once:" + folder / "been").c_str(), 1);
    const std::vector<Json> all = answers({"crash", "hang", "eat", "leave", "a"}, 2, 0.1);
    unsetenv("FAULTS");
    for (const Json& answer : all) EXPECT_EQ(answer["status"], "ok") << answer;
}

TEST(SimulatorPool, a_program_that_cannot_run_fails_every_point_and_ends) {
    const ScratchFolder folder;
    std::vector<Json> all(3);
    simulate_lines(folder / "none", 2, {}, {"{}", "{}", "{}"},
                   [&](std::size_t line, const Json& answer) { all[line] = answer; });
    for (const Json& answer : all) EXPECT_EQ(answer["reason"], folder / "none" + " ended with exit code 127") << answer;
}

TEST(SimulatorPool, long_and_short_lines_get_their_own_answers) {
    std::vector<std::string> documents;
    for (int i = 0; i < 60; ++i) documents.push_back(fmt::format("{}{:x>{}}", i, "", i % 7 == 0 ? 300000 : 3));
    const std::vector<Json> all = answers(documents, 3);
    for (std::size_t i = 0; i < documents.size(); ++i) EXPECT_EQ(all[i]["document"], documents[i]);
}

}  // namespace
}  // namespace strata
