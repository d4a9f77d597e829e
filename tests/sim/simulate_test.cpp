// strata-simulate and the study on top of it, as real processes.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sim/result/run_json.hpp"
#include "sim/study/simulator_pool.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
const std::string kSimulator = STRATA_BINARY_DIR "/strata-simulate";

constexpr const char* kSmallDecode =
    "{model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 8, context: 512}}";
// 10000 layers of next to nothing, each with a fetch of 4 MB by every rank: seconds of work, 100 MB of Program.
std::string huge() {
    std::string text =
        "{model: {preset: engram-27b, hidden: 64, layers: 10000, vocab: 64, "
        "attention: {pattern: [{kinds: [mla], times: 10000}], heads: 1, q_rank: 16, kv_rank: 16, rope_dim: 16, "
        "nope_dim: 16, v_dim: 16, entry_bytes: 64}, "
        "ffn: {dense_layers: 1, dense_width: 64, experts: 8, shared: 1, top_k: 2, width: 16}, "
        "engram: {buckets: 100, layers: [0";
    for (int i = 1; i < 10000; ++i) text.append(",").append(std::to_string(i));
    return text.append(
        "]}}, platform: {system: HGX_H200}, workload: {kind: prefill, batch: 8, prompt: 64}, "
        "placement: {dp: 8, engram: {tier: nvme}}}");
}

std::string line_of(int id, const std::string& document) {
    return Json{{"id", id}, {"root", kRoot}, {"file", "test.yaml"}, {"document", document}}.dump();
}

struct Ended {
    std::string out;
    int code = 0;
};

Ended shell(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) throw std::runtime_error("popen");
    Ended ended;
    char buffer[4096];
    for (std::size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) ended.out.append(buffer, count);
    const int status = pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

std::vector<Json> answers(const std::vector<std::string>& lines, const std::string& options = "") {
    const ScratchFolder folder;
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const Ended ended = shell(kSimulator + " " + options + " < " + folder.write("lines.jsonl", text) + " 2>/dev/null");
    EXPECT_EQ(ended.code, 0);
    std::vector<Json> read;
    std::istringstream out(ended.out);
    for (std::string line; std::getline(out, line);) read.push_back(Json::parse(line));
    return read;
}

// The newest process whose parent is `parent`; 0: none. /proc says so in the fourth field of stat.
pid_t child_of(pid_t parent) {
    pid_t found = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream stat(entry.path() / "stat");
        std::string text;
        std::getline(stat, text);
        const std::size_t after_name = text.rfind(')');
        if (after_name == std::string::npos) continue;
        std::istringstream fields(text.substr(after_name + 1));
        char state = 0;
        pid_t its_parent = 0;
        fields >> state >> its_parent;
        if (its_parent == parent && state != 'Z') found = std::max(found, static_cast<pid_t>(std::stoi(name)));
    }
    return found;
}

TEST(RunJson, reads_back_what_it_wrote) {
    const std::vector<Json> answer = answers({line_of(1, kSmallDecode)});
    ASSERT_EQ(answer.size(), 1u);
    ASSERT_TRUE(answer[0].contains("run")) << answer[0];
    const auto run = run_from_json(answer[0]["run"]);
    EXPECT_GT(run.metrics.at("decode.tpot_ms"), 0);
    EXPECT_EQ(run.resources.front().name, "node0.host_memory");
    EXPECT_EQ(to_json(run).dump(), answer[0]["run"].dump());
    EXPECT_THROW(run_from_json(Json{{"engine", "systemc"}}), Json::exception);
}

TEST(Simulate, answers_each_line_and_says_what_is_wrong_with_it) {
    const std::string lost =
        Json{{"id", 7}, {"root", "/no/root"}, {"file", "a.yaml"}, {"document", kSmallDecode}}.dump();
    const auto answer =
        answers({line_of(1, kSmallDecode), "no json", R"({"id": 3})",
                 line_of(4, "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode}}"),
                 line_of(5, "{model: v4.1-flush, platform: {system: HGX_H200}, workload: {kind: decode}}"),
                 line_of(6, kSmallDecode), lost});
    ASSERT_EQ(answer.size(), 7u);
    EXPECT_EQ(answer[0]["status"], "ok");
    EXPECT_EQ(answer[1]["status"], "failed");
    EXPECT_NE(answer[2]["reason"].get<std::string>().find("key 'root' not found"), std::string::npos);
    EXPECT_EQ(answer[3]["status"], "infeasible");
    EXPECT_NE(answer[3]["reason"].get<std::string>().find("in HBM of one accelerator"), std::string::npos);
    EXPECT_NE(answer[4]["reason"].get<std::string>().find("v4.1-flash"), std::string::npos);
    EXPECT_EQ(answer[5]["id"], 6);
    EXPECT_EQ(answer[5]["run"], answer[0]["run"]);
    EXPECT_EQ(answer[6]["status"], "failed");
    EXPECT_NE(answer[6]["reason"].get<std::string>().find("/no/root"), std::string::npos) << answer[6];
}

TEST(Simulate, a_point_beyond_the_time_limit_costs_itself_only) {
    const auto answer = answers({line_of(1, huge()), line_of(2, kSmallDecode)}, "--time-limit 1");
    ASSERT_EQ(answer.size(), 2u);
    EXPECT_EQ(answer[0]["status"], "failed");
    EXPECT_EQ(answer[0]["reason"], "took longer than the time limit of 1 s");
    EXPECT_EQ(answer[1]["status"], "ok");
}

#ifndef __SANITIZE_ADDRESS__  // AddressSanitizer takes terabytes of address space for itself
TEST(Simulate, a_point_beyond_the_memory_limit_costs_itself_only) {
    const auto answer = answers({line_of(1, huge()), line_of(2, kSmallDecode)}, "--memory-limit 0.06");
    ASSERT_EQ(answer.size(), 2u);
    EXPECT_EQ(answer[0]["status"], "failed");
    EXPECT_EQ(answer[0]["reason"], "out of memory: the limit is 0.06 GB");
    EXPECT_EQ(answer[1]["status"], "ok");
}
#endif

// Kills whatever is simulating below `parent`, `times` times, as soon as it is there.
int kill_children(pid_t parent, int times, int signal, int depth) {
    int killed = 0;
    pid_t last = 0;
    for (int i = 0; i < 4000 && killed < times; ++i) {
        pid_t child = child_of(parent);
        if (child != 0 && depth == 2) child = child_of(child);
        if (child != 0 && child != last && kill(child, signal) == 0) {
            last = child;
            ++killed;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return killed;
}

TEST(Pool, a_crash_of_a_point_is_tried_again_and_then_costs_itself_only) {
    std::vector<Json> answer(2);
    std::thread pool([&] {
        simulate_lines(kSimulator, 1, {}, {line_of(1, huge()), line_of(2, kSmallDecode)},
                       [&](std::size_t line, const Json& a) { answer[line] = a; });
    });
    EXPECT_EQ(kill_children(getpid(), 2, SIGSEGV, 2), 2);
    pool.join();
    EXPECT_EQ(answer[0]["status"], "failed");
    EXPECT_NE(answer[0]["reason"].get<std::string>().find("the simulating process ended"), std::string::npos)
        << answer[0];
    EXPECT_EQ(answer[1]["status"], "ok");
}

TEST(Pool, replaces_a_simulator_that_dies_and_sends_its_point_once_more) {
    std::vector<Json> answer(2);
    std::thread pool([&] {
        simulate_lines(kSimulator, 1, {}, {line_of(1, huge()), line_of(2, kSmallDecode)},
                       [&](std::size_t line, const Json& a) { answer[line] = a; });
    });
    EXPECT_EQ(kill_children(getpid(), 2, SIGKILL, 1), 2);
    pool.join();
    EXPECT_EQ(answer[0]["status"], "failed");
    EXPECT_NE(answer[0]["reason"].get<std::string>().find("ended by signal 9"), std::string::npos) << answer[0];
    EXPECT_EQ(answer[1]["status"], "ok");
}

constexpr const char* kSimulatedSweep =
    "model: v4.1-flash\nengines: [analytic, systemc]\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\nplacement: {dp: 8, ep: 8, engram: {tier: host}}\n"
    "axes:\n  - {path: workload.batch, values: [64, 128, 200000, 256]}\n"
    "  - {path: placement.engram.tier, values: [host, nvme]}\n";

TEST(Study, runs_both_engines_on_each_point_in_the_order_of_the_points) {
    const ScratchFolder folder;
    std::size_t last = 0, all = 0;
    const ScenarioFile file(folder.write("sweep.yaml", kSimulatedSweep), kRoot + "/scenarios/models");
    const Study study = run_study(file, {.root = kRoot,
                                         .engines = {},
                                         .jobs = 2,
                                         .simulator = kSimulator,
                                         .progress = [&](std::size_t done, std::size_t of) {
                                             EXPECT_EQ(done, ++last);
                                             all = of;
                                         }});
    ASSERT_EQ(study.results.size(), 16u);
    EXPECT_EQ(last, 16u);
    EXPECT_EQ(all, 16u);
    for (std::size_t i = 0; i < 16; i += 2) {
        const PointResult &analytic = study.results[i], &systemc = study.results[i + 1];
        EXPECT_EQ(analytic.engine, "analytic");
        EXPECT_EQ(systemc.engine, "systemc");
        EXPECT_EQ(systemc.settings, analytic.settings);
        EXPECT_EQ(systemc.status, analytic.status);
        EXPECT_EQ(systemc.reason, analytic.reason);
        if (!analytic.run) continue;
        const double off = systemc.run->metrics.at("decode.tpot_ms") / analytic.run->metrics.at("decode.tpot_ms") - 1;
        EXPECT_NEAR(off, 0, 1e-3);
    }
    EXPECT_EQ(study.results[8].status, PointStatus::infeasible);  // 200000 sequences do not fit
}

TEST(Study, says_where_it_looked_for_strata_simulate_and_how_to_get_it) {
    const ScratchFolder folder;
    const ScenarioFile file(folder.write("sweep.yaml", kSimulatedSweep), kRoot + "/scenarios/models");
    try {
        run_study(file, {.root = kRoot, .engines = {"systemc"}, .simulator = "/no/strata-simulate"});
        FAIL() << "it ran";
    } catch (const InputError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("/no/strata-simulate"), std::string::npos);
        EXPECT_NE(text.find("--target strata-simulate"), std::string::npos);
        EXPECT_NE(text.find("--engine analytic"), std::string::npos);
    }
}

TEST(StrataRun, gives_the_same_bytes_twice_and_with_any_number_of_jobs) {
    const ScratchFolder folder;
    const std::string run = std::string(STRATA_BINARY_DIR) + "/strata run " +
                            folder.write("sweep.yaml", kSimulatedSweep) + " --engine systemc --json - --jobs ";
    const Ended one = shell(run + "1");
    ASSERT_EQ(one.code, 0);
    EXPECT_NE(one.out.find("node0.gpu7.hbm"), std::string::npos);
    EXPECT_EQ(shell(run + "1").out, one.out);
    EXPECT_EQ(shell(run + "2").out, one.out);
    EXPECT_EQ(shell(run + "5").out, one.out);
}

TEST(StrataRun, refuses_an_unknown_engine_and_no_jobs) {
    const std::string run =
        std::string(STRATA_BINARY_DIR) + "/strata run " + kRoot + "/scenarios/examples/engram-tiers.yaml 2>/dev/null ";
    EXPECT_EQ(shell(run + "--engine quantum").code, 2);
    EXPECT_EQ(shell(run + "--jobs 0").code, 2);
}

}  // namespace
}  // namespace strata
