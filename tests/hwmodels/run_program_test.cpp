#include "hwmodels/run_program.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(RunProgram, hands_words_on_as_they_are) {
    const FinishedProgram echo = run_program({"printf", "%s|", "$(id)", "a b", "'", "*"}, Kept::output);
    EXPECT_EQ(echo.code, 0);
    EXPECT_EQ(echo.said, "$(id)|a b|'|*|");
}

TEST(RunProgram, keeps_what_was_asked_for_and_tells_how_it_ended) {
    const std::vector<std::string> talks{"sh", "-c", "echo out; echo err >&2; exit 3"};
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_program(talks, Kept::output).said, "out\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "err\n");
    EXPECT_EQ(run_program(talks, Kept::output_and_errors).said, "out\nerr\n");
    EXPECT_EQ(run_program(talks, Kept::output_and_errors).code, 3);
    EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).code, 128 + 9);
}

TEST(RunProgram, says_what_cannot_be_started) {
    const FinishedProgram none = run_program({"/no/such/program"}, Kept::output);
    EXPECT_EQ(none.code, 127);
    EXPECT_EQ(none.said, "/no/such/program: No such file or directory");
}

// More than a pipe holds.
TEST(RunProgram, reads_while_the_other_writes) {
    EXPECT_EQ(run_program({"head", "-c", "1000000", "/dev/zero"}, Kept::output).said.size(), 1000000u);
}

}  // namespace
}  // namespace strata
