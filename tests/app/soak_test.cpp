// Ten thousand points while workers and the study itself are killed at random: nothing is lost, nothing is there twice.
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "sim/study/point_store.hpp"
#include "tests/app/strata_process.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;

#ifdef __SANITIZE_ADDRESS__
constexpr int kPoints = 300;  // everything takes ten times as long
#else
constexpr int kPoints = 10000;
#endif

// Processes whose parent is `parent`: /proc says so in the fourth field of stat.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        // getline() takes an error for an end of file: a process may be gone between the opening and the reading.
        std::ifstream file(entry.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        if (stat.rfind(')') == std::string::npos) continue;
        std::istringstream fields(stat.substr(stat.rfind(')') + 1));
        char state = 0;
        pid_t its_parent = 0;
        fields >> state >> its_parent;
        if (its_parent == parent && state != 'Z') found.push_back(static_cast<pid_t>(std::stoi(name)));
    }
    return found;
}

// Kills its workers now and then, and in the end perhaps itself; its exit code.
int run_among_kills(pid_t study, std::mt19937& random) {
    using std::chrono::milliseconds;
    for (int round = static_cast<int>(random() % 40);; --round) {
        std::this_thread::sleep_for(milliseconds(20 + random() % 80));
        int status = 0;
        if (waitpid(study, &status, WNOHANG) == study)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        const std::vector<pid_t> workers = children_of(study);
        if (!workers.empty()) kill(workers[random() % workers.size()], SIGKILL);
        if (round > 0) continue;
        kill(study, SIGKILL);
        return StrataPrograms::ended(study);
    }
}

TEST(Soak, ten_thousand_points_survive_kills_of_workers_and_of_the_study) {
    const ScratchFolder folder;
    const StrataPrograms strata;
    fs::create_directories(folder / "a");
    std::ofstream(folder / "a/s.yaml") << "engines: [systemc]\nmodel: dense-4b\nplatform: {system: HGX_H200}\n"
                                          "workload: {kind: decode, batch: 8, context: 512}\n"
                                          "axes: [{path: workload.context, linear: {from: 1, to: "
                                       << kPoints << ", steps: " << kPoints << "}}]\n";
    const std::vector<std::string> run{"run", "s.yaml", "--json", "r.json", "--store", "s.sqlite", "--jobs", "2"};
    std::mt19937 random(7);
    int killed = 0;
    while (run_among_kills(strata.start(folder / "a", run), random) != 0 && killed < 100) ++killed;
    EXPECT_GT(killed, 0);
    // What failed because its worker was killed twice is tried again.
    ASSERT_EQ(strata.run(folder / "a", run), 0) << content(folder / "a/stderr.txt");
    EXPECT_EQ(PointStore(folder / "a/s.sqlite").size(), std::size_t(kPoints));
    const std::string json = content(folder / "a/r.json");
    std::set<std::string> contexts;
    std::istringstream lines(json);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_EQ(line.find("\"status\": \"failed\""), std::string::npos);
        if (line.find("\"workload.context\": ") != std::string::npos) contexts.insert(line);
    }
    EXPECT_EQ(contexts.size(), std::size_t(kPoints));
}

}  // namespace
}  // namespace strata
