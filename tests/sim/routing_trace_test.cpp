#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "sim/routing/trace_routing.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

class Trace : public ::testing::Test {
protected:
    TraceRouting counts(const std::string& text) {
        return TraceRouting({.experts = 4, .top_k = 2, .layers = 2, .counts_file = folder_.write("counts.csv", text)});
    }
    TraceRouting tokens(const std::string& text) {
        return TraceRouting(
            {.experts = 4, .top_k = 2, .layers = 2, .tokens_file = folder_.write("tokens.jsonl", text)});
    }
    // What reading it says, after the folder.
    template <class Read>
    std::string refusal(Read read) {
        try {
            read();
        } catch (const InputError& error) {
            return std::string(error.what()).substr(folder_.path().size() + 1);
        }
        return "not refused";
    }
    std::string counts_refusal(const std::string& rows) {
        return refusal([&] { counts("layer,step,expert,count\n" + rows); });
    }
    std::string tokens_refusal(const std::string& text) {
        return refusal([&] { tokens(text); });
    }

    ScratchFolder folder_;
};

TEST_F(Trace, counts_are_loads_and_what_is_not_listed_is_zero) {
    TraceRouting trace = counts("layer,step,expert,count\n0,0,1,30\n0,0,3,10\r\n\n1,7,0,5\n");
    EXPECT_EQ(trace.loads(0, 0), (std::vector<std::int64_t>{0, 30, 0, 10}));
    EXPECT_EQ(trace.loads(1, 7), (std::vector<std::int64_t>{5, 0, 0, 0}));
    EXPECT_EQ(trace.steps(), 8);
}

TEST_F(Trace, tokens_are_replayed_and_counted) {
    TraceRouting trace = tokens(R"({"layer": 0, "step": 0, "experts": [1, 2]}
{"layer": 0, "step": 0, "experts": [3, 1]}
)");
    EXPECT_EQ(trace.experts_of(0, 0, 0), (std::vector{1, 2}));
    EXPECT_EQ(trace.experts_of(0, 0, 1), (std::vector{3, 1}));
    EXPECT_EQ(trace.experts_of(0, 0, 2), (std::vector{1, 2}));  // again
    EXPECT_EQ(trace.loads(0, 0), (std::vector<std::int64_t>{0, 2, 1, 1}));
}

TEST_F(Trace, tokens_drawn_from_counts_follow_them) {
    // 1000 tokens, 2 experts each; the one with a count of every token is in all of them.
    TraceRouting trace = counts("layer,step,expert,count\n0,0,0,1000\n0,0,1,500\n0,0,2,300\n0,0,3,200\n");
    std::vector<double> drawn(4);
    for (int token = 0; token < 20000; ++token)
        for (const int expert : trace.experts_of(0, 0, token)) drawn[std::size_t(expert)] += 1.0 / 20;
    EXPECT_NEAR(drawn[0], 1000, 10);
    EXPECT_NEAR(drawn[1], 500, 50);
    EXPECT_NEAR(drawn[2], 300, 50);
    EXPECT_NEAR(drawn[3], 200, 50);
}

TEST_F(Trace, refuses_counts_by_line) {
    EXPECT_EQ(refusal([&] { counts("layer,step,count\n"); }),
              "counts.csv:1: expected the header layer,step,expert,count, found layer,step,count");
    EXPECT_EQ(counts_refusal("0,0,1,2\n0,0,x,2\n"),
              "counts.csv:3: expected four whole numbers: layer,step,expert,count, found 0,0,x,2");
    EXPECT_EQ(counts_refusal("0,0,1\n"),
              "counts.csv:2: expected four whole numbers: layer,step,expert,count, found 0,0,1");
    EXPECT_EQ(counts_refusal("2,0,1,2\n"), "counts.csv:2: expected a layer from 0 to 1, found 2");
    EXPECT_EQ(counts_refusal("0,-1,1,2\n"), "counts.csv:2: expected a step from 0, found -1");
    EXPECT_EQ(counts_refusal("0,0,4,2\n"), "counts.csv:2: expected an expert from 0 to 3, found 4");
    EXPECT_EQ(counts_refusal("0,0,1,-2\n"), "counts.csv:2: expected a count from 0, found -2");
    EXPECT_EQ(counts_refusal("0,0,1,2\n0,0,1,2\n"),
              "counts.csv:3: expected one row for each layer, step and expert, found a second one of 0, 0, 1");
    EXPECT_EQ(
        counts_refusal("0,3,1,0\n"),
        "counts.csv: expected a token at least in each layer and step that it has, found none in layer 0, step 3");
    EXPECT_EQ(refusal([&] { counts(""); }),
              "counts.csv: expected the header layer,step,expert,count, found an empty file");
}

TEST_F(Trace, refuses_tokens_by_line) {
    EXPECT_EQ(tokens_refusal("{\"layer\": 0}\n"),
              "tokens.jsonl:1: expected {\"layer\": 0, \"step\": 0, \"experts\": [1, 2]}, found {\"layer\": 0}");
    EXPECT_EQ(tokens_refusal("nonsense\n"),
              "tokens.jsonl:1: expected {\"layer\": 0, \"step\": 0, \"experts\": [1, 2]}, found nonsense");
    const auto line = [](const std::string& experts) {
        return "{\"layer\": 0, \"step\": 0, \"experts\": " + experts + "}\n";
    };
    EXPECT_EQ(tokens_refusal(line("[0, 1]") + line("[0]")), "tokens.jsonl:2: expected 2 experts (top_k), found 1");
    EXPECT_EQ(tokens_refusal(line("[0, 0]")), "tokens.jsonl:1: expected different experts, found 0 twice");
    EXPECT_EQ(tokens_refusal(line("[0, 4]")), "tokens.jsonl:1: expected an expert from 0 to 3, found 4");
    EXPECT_EQ(tokens_refusal(line("[0, 1.5]")), "tokens.jsonl:1: expected whole numbers in experts, found 1.5");
}

TEST_F(Trace, names_a_layer_and_step_that_it_does_not_have) {
    TraceRouting trace = counts("layer,step,expert,count\n0,0,1,30\n");
    EXPECT_EQ(refusal([&] { trace.loads(1, 0); }), "counts.csv: expected rows of layer 1, step 0, found none");
    EXPECT_THROW(TraceRouting({.experts = 4, .top_k = 2, .layers = 1}), InputError);
    EXPECT_THROW(TraceRouting({.experts = 4, .top_k = 2, .layers = 1, .counts_file = folder_ / "none.csv"}),
                 InputError);
}

}  // namespace
}  // namespace strata
