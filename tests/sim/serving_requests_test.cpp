// Where requests come from: traces, with errors that say where, and distributions that are what they are called.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/input_error.hpp"
#include "sim/serving/arrivals.hpp"
#include "sim/serving/request_trace.hpp"
#include "sim/serving/step_times.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const ScratchFolder& folder() {
    static const ScratchFolder folder;
    return folder;
}

std::string refusal(const std::string& text) {
    const std::string file = folder().write("trace.csv", text);
    try {
        (void)read_request_trace(file);
    } catch (const InputError& error) {
        return std::string(error.what()).substr(folder().path().size() + 1);
    }
    return "accepted";
}

TEST(RequestTrace, is_read_with_and_without_prefixes) {
    const auto plain = read_request_trace(
        folder().write("plain.csv", "arrival_s,input_tokens,output_tokens\n0.5,100,20\r\n1.25,7,1\n"));
    ASSERT_EQ(plain.size(), 2u);
    EXPECT_EQ(plain[0].arrival, Seconds(0.5));
    EXPECT_EQ(plain[0].input_tokens, 100);
    EXPECT_EQ(plain[1].output_tokens, 1);
    EXPECT_EQ(plain[1].prefix, kNoPrefix);
    const auto shared = read_request_trace(folder().write(
        "shared.csv",
        "arrival_s,input_tokens,output_tokens,prefix_id,prefix_tokens\n0,100,20,7,64\n1,7,1,,\n2,9,1,3,\n"));
    EXPECT_EQ(shared[0].prefix, 7);
    EXPECT_EQ(shared[0].prefix_tokens, 64);
    EXPECT_EQ(shared[1].prefix, kNoPrefix);
    EXPECT_EQ(shared[2].prefix_tokens, 9);
}

TEST(RequestTrace, is_refused_with_file_and_line) {
    const std::string head = "arrival_s,input_tokens,output_tokens\n";
    EXPECT_EQ(
        refusal("time,input_tokens,output_tokens\n"),
        "trace.csv:1: expected columns arrival_s,input_tokens,output_tokens,prefix_id,prefix_tokens (the last two "
        "are optional), found 'time,input_tokens,output_tokens'");
    EXPECT_EQ(refusal(head + "0,10,1\n1,10\n"), "trace.csv:3: expected 3 cells, as in the first line, found '1,10'");
    EXPECT_EQ(refusal(head + "0,0,1\n"), "trace.csv:2: expected input tokens, at least 1, found '0'");
    EXPECT_EQ(refusal(head + "0,5,1.5\n"), "trace.csv:2: expected output tokens, at least 1, found '1.5'");
    EXPECT_EQ(refusal(head + "nan,5,1\n"),
              "trace.csv:2: expected an arrival time in seconds, not negative, found 'nan'");
    EXPECT_EQ(refusal(head + "inf,5,1\n"),
              "trace.csv:2: expected an arrival time in seconds, not negative, found 'inf'");
    EXPECT_EQ(refusal(head + "3,5,1\n2,5,1\n"),
              "trace.csv:3: expected an arrival no earlier than the one before, found '2,5,1'");
    EXPECT_EQ(refusal(head), "trace.csv: expected at least one request below a line of column names, found none");
    EXPECT_EQ(refusal("arrival_s,input_tokens,output_tokens,prefix_id,prefix_tokens\n0,5,1,2,6\n"),
              "trace.csv:2: expected prefix tokens, at most those of the input, found '6'");
    EXPECT_THROW((void)read_request_trace(folder() / "missing.csv"), InputError);
}

TEST(SyntheticRequests, have_the_moments_of_their_distributions) {
    const auto requests = synthetic_requests({.requests = 200'000,
                                              .per_second = 50,
                                              .input = UniformLength{10, 30},
                                              .output = LogNormalLength{200, 0.5, 100'000},
                                              .prefixes = 4,
                                              .prefix_tokens = 15,
                                              .prefix_share = 0.25,
                                              .seed = 3});
    const double count = double(requests.size());
    EXPECT_NEAR(count / requests.back().arrival.si(), 50, 0.5);
    double input = 0, logs = 0, squares = 0, shared = 0;
    for (const Request& request : requests) {
        input += request.input_tokens;
        const double log = std::log(request.output_tokens / 200.0);
        logs += log;
        squares += log * log;
        shared += request.prefix != kNoPrefix;
        EXPECT_LE(request.prefix_tokens, std::min(15, request.input_tokens));
    }
    EXPECT_NEAR(input / count, 20, 0.1);
    EXPECT_NEAR(logs / count, 0, 0.005);
    EXPECT_NEAR(std::sqrt(squares / count), 0.5, 0.005);
    EXPECT_NEAR(shared / count, 0.25, 0.005);
}

TEST(SyntheticRequests, are_refused_when_they_make_no_sense) {
    EXPECT_THROW((void)synthetic_requests({.requests = 0, .input = {}, .output = {}}), InputError);
    EXPECT_THROW((void)synthetic_requests({.requests = 1, .input = UniformLength{5, 4}, .output = {}}), InputError);
    EXPECT_THROW((void)synthetic_requests({.requests = 1, .input = {}, .output = LogNormalLength{0, 1, 1}}),
                 InputError);
}

TEST(StepTable, is_bilinear_between_its_points_and_refuses_what_lies_beyond) {
    const StepTable table = StepTable::of("decode times", {1, 4}, {0, 100},
                                          [](double batch, double context) { return Seconds(batch + 0.01 * context); });
    EXPECT_DOUBLE_EQ(table.at(4, 100).si(), 5);
    EXPECT_DOUBLE_EQ(table.at(2, 50).si(), 2.5);
    try {
        (void)table.at(5, 50);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "decode times: expected a shape in [1, 4], found 5");
    }
    EXPECT_DOUBLE_EQ(step_times_from(table, table).decode(2, 50).si(), 2.5);
    EXPECT_THROW((void)StepTable::of("t", {2, 1}, {0}, [](double, double) { return Seconds(1); }), InputError);
}

}  // namespace
}  // namespace strata
