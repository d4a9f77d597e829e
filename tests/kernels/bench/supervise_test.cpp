#include "kernels/bench/supervise.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <thread>

namespace strata {
namespace {

using namespace std::chrono_literals;

TEST(Supervise, GoesOnBehindWhatCrashesHangsOrLosesTheDevice) {
    std::map<int, std::string> lost;
    const auto work = [](Progress& progress) {
        for (int at = progress.done; at < 10; ++at) {
            progress.begin(at);
            if (at == 2) raise(SIGSEGV);
            if (at == 4) std::this_thread::sleep_for(60s);
            progress.finish(at == 6);
            if (at == 6) return kDeviceLost;  // its own result was written
        }
        return progress.failed + 100 * progress.restarts;
    };
    EXPECT_EQ(supervise(work, 1s, [&](int item, const std::string& why) { lost[item] = why; }) & 0xff,
              (3 + 300) & 0xff);
    ASSERT_EQ(lost.size(), 2u);
    EXPECT_EQ(lost[2], "crashed: Segmentation fault");
    EXPECT_EQ(lost[4], "not over after 1 s: stopped");
}

TEST(Supervise, GivesUpWhereNoItemIsReached) {
    const auto crash = [](Progress&) -> int { std::abort(); };
    EXPECT_THROW(supervise(crash, 1s, [](int, const std::string&) {}), std::runtime_error);
}

TEST(Supervise, AnExitCodeIsPassedOn) {
    EXPECT_EQ(supervise([](Progress&) { return 77; }, 1s, [](int, const std::string&) {}), 77);
}

}  // namespace
}  // namespace strata
