// Studies that are cut off and go on, as real processes killed without warning.
#include <gtest/gtest.h>

#include <sqlite3.h>

#include <chrono>
#include <random>
#include <thread>

#include "sim/study/point_store.hpp"
#include "tests/app/strata_process.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

#ifdef __SANITIZE_ADDRESS__
constexpr int kKills = 3;  // everything takes ten times as long
#else
constexpr int kKills = 20;
#endif

constexpr const char* kResumedSweep =
    "model: dense-4b\nengines: [analytic, systemc]\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 8, context: 512}\n"
    "axes:\n  - {path: workload.batch, linear: {from: 1, to: 100, steps: 100}}\n"
    "  - {path: workload.context, values: [512, 100000000]}\n";  // of the latter none fits

constexpr const char* kSearch =
    "model: v4.1-flash\nplatform: {system: HGX_H200}\nworkload: {kind: decode, batch: 512, context: 8192}\n"
    "placement: {dp: 8, ep: 8, engram: {tier: host}}\n"
    "axes:\n  - {path: workload.batch, range: {from: 64, to: 4096, scale: log, step: 8}}\n"
    "  - {path: model.rho, range: {from: 0.5, to: 1}}\n"
    "search:\n  sample: {method: sobol, points: 1024, seed: 1}\n"
    "  objectives: [{metric: decode.tpot_ms, sense: min}, {metric: decode.tokens_per_s, sense: max}]\n"
    "  refine: {engine: systemc, front: true, neighbours: 1, at_most: 8}\n";

const std::vector<std::string> kRun{"run", "s.yaml", "--out", "out", "--jobs", "2"};

void expect_same_files(const std::string& folder, const std::string& other) {
    for (const char* name : {"stdout.txt", "out/report.html", "out/results.csv", "out/results.json"}) {
        EXPECT_FALSE(content(folder + "/" + name).empty()) << name;
        EXPECT_EQ(content(folder + "/" + name), content(other + "/" + name)) << name;
    }
}

std::string with_scenario(const std::string& folder, const std::string& text) {
    fs::create_directories(folder);
    std::ofstream(folder + "/s.yaml") << text;
    return folder;
}

// Kills the study at so many moments of its time, then lets it end.
void expect_to_survive(const std::string& scenario, int kills) {
    const ScratchFolder folder;
    const StrataPrograms strata;
    const std::string calm = with_scenario(folder / "calm", scenario);
    const auto begin = Clock::now();
    ASSERT_EQ(strata.run(calm, kRun), 0) << content(calm + "/stderr.txt");
    const double whole_s = std::chrono::duration<double>(Clock::now() - begin).count();

    const std::string killed = with_scenario(folder / "killed", scenario);
    std::mt19937 random(1);
    int cut_off = 0;
    for (int i = 0; i < kills; ++i) {
        // What it found already makes the next attempt shorter, so later kills come early more often.
        const double share = std::uniform_real_distribution<double>(0, i % 2 ? 1 : 0.4)(random);
        const pid_t process = strata.start(killed, kRun);
        std::this_thread::sleep_for(std::chrono::duration<double>(whole_s * share));
        kill(process, SIGKILL);
        cut_off += StrataPrograms::ended(process) == 128 + SIGKILL;
    }
    EXPECT_GT(cut_off, kills / 5);
    ASSERT_EQ(strata.run(killed, kRun), 0) << content(killed + "/stderr.txt");
    expect_same_files(killed, calm);
    EXPECT_EQ(PointStore(killed + "/out/study.sqlite").size(), PointStore(calm + "/out/study.sqlite").size());
}

TEST(Resume, a_sweep_killed_at_any_moment_ends_with_the_same_bytes) { expect_to_survive(kResumedSweep, kKills); }
TEST(Resume, a_search_killed_at_any_moment_ends_with_the_same_bytes) { expect_to_survive(kSearch, kKills / 3); }

// Every kept run says so from now on.
void tamper(const std::string& store) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(store.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, "UPDATE run SET json = json_set(json, '$.metrics.\"decode.tpot_ms\"', 12345.5)",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
}

TEST(Resume, a_point_is_never_computed_twice_unless_asked_for) {
    const ScratchFolder folder;
    const StrataPrograms strata;
    const std::string here = with_scenario(folder / "a", kResumedSweep);
    const std::string store = folder / "shared.sqlite";
    ASSERT_EQ(strata.run(here, {"run", "s.yaml", "--json", "first.json", "--store", store}), 0);
    tamper(store);
    // Another study that comes to one of the points.
    const std::string there = with_scenario(folder / "b",
                                            "engines: [systemc]\nmodel: dense-4b\nplatform: {system: HGX_H200}\n"
                                            "workload: {context: 512, batch: 7, kind: decode}\n");
    ASSERT_EQ(strata.run(there, {"run", "s.yaml", "--json", "first.json", "--store", store}), 0);
    EXPECT_NE(content(there + "/first.json").find("12345.5"), std::string::npos);
    ASSERT_EQ(strata.run(here, {"run", "s.yaml", "--json", "anew.json", "--store", store, "--no-cache"}), 0);
    EXPECT_EQ(content(here + "/anew.json"), content(here + "/first.json"));
    ASSERT_EQ(strata.run(here, {"run", "s.yaml", "--json", "kept.json", "--store", store}), 0);
    EXPECT_EQ(content(here + "/kept.json"), content(here + "/first.json"));
}

TEST(Resume, two_processes_on_one_study_both_end_with_the_same_bytes) {
    const ScratchFolder folder;
    const StrataPrograms strata;
    const std::string alone = with_scenario(folder / "alone", kResumedSweep),
                      both = with_scenario(folder / "both", kResumedSweep);
    ASSERT_EQ(strata.run(alone, kRun), 0);
    const pid_t first = strata.start(both, kRun), second = strata.start(both, kRun);
    EXPECT_EQ(StrataPrograms::ended(first), 0) << content(both + "/stderr.txt");
    EXPECT_EQ(StrataPrograms::ended(second), 0) << content(both + "/stderr.txt");
    for (const char* name : {"out/report.html", "out/results.csv", "out/results.json"})
        EXPECT_EQ(content(both + "/" + name), content(alone + "/" + name)) << name;
    EXPECT_EQ(PointStore(both + "/out/study.sqlite").size(), PointStore(alone + "/out/study.sqlite").size());
}

TEST(Resume, without_a_store_and_with_one_results_are_the_same) {
    const ScratchFolder folder;
    const StrataPrograms strata;
    for (const char* example : {"serving", "training", "optical", "planes", "rl-iteration", "../memory-study"}) {
        const std::string file = std::string(STRATA_SOURCE_DIR "/scenarios/examples/") + example + ".yaml";
        const std::string here = folder / "a";
        const int code = strata.run(here, {"run", file, "--json", "without.json"});
        ASSERT_LT(code, 2) << content(here + "/stderr.txt");
        for (const char* name : {"new.json", "known.json"}) {
            EXPECT_EQ(strata.run(here, {"run", file, "--json", name, "--store", "s.sqlite"}), code);
            EXPECT_EQ(content(here + "/" + name), content(here + "/without.json")) << example << " " << name;
        }
    }
}

}  // namespace
}  // namespace strata
