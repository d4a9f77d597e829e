// A scenario of kind serving: what it reads, and that its steps are those of the analytic engine.
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

std::string scenario_text(const std::string& workload, const std::string& rest = "") {
    return "model: v3\nplatform: {system: HGX_H200}\nplacement: {tp: 8}\nworkload: {kind: serving, " + workload +
           "}\n" + rest;
}

class ServingScenario : public ::testing::Test {
protected:
    Study study_of(const std::string& text) {
        return run_study(ScenarioFile(folder.write("scenario.yaml", text), kRoot + "/scenarios/models"),
                         {.root = kRoot});
    }
    strata::Run run_of(const std::string& workload) { return *study_of(scenario_text(workload)).results.front().run; }
    Scenario read(const std::string& workload) {
        const ScenarioFile file(folder.write("scenario.yaml", scenario_text(workload)), kRoot + "/scenarios/models");
        return file.read(file.points().front(), inputs.catalog());
    }
    std::string refusal_of(const std::string& workload, const std::string& rest = "") {
        try {
            return study_of(scenario_text(workload, rest)).results.front().reason;
        } catch (const InputError& error) {
            return error.what();
        }
    }
    const ScratchFolder folder;
    Inputs inputs{kRoot};
};

// One user at a time: a prompt, then decode steps of one sequence. 1024 tokens of context on average.
TEST_F(ServingScenario, one_request_takes_what_its_steps_take) {
    const strata::Run run = run_of("requests: 1, input: 1000, output: 49, concurrency: 1");
    Scenario step = read("requests: 1, input: 1000, output: 49");
    step.serving.reset();
    step.workload = {.batch = 1, .context = 1024};
    const double decode_ms = to_ms(run_analytic(inputs.program_of(step)).makespan);
    EXPECT_NEAR(run.metrics.at("serving.tpot_ms"), decode_ms, 0.01 * decode_ms);
    step.workload = {.prefill = true, .batch = 1, .context = 0, .prompt = 1000};
    const double prefill_ms = to_ms(run_analytic(inputs.program_of(step)).makespan);
    EXPECT_NEAR(run.metrics.at("serving.ttft_ms"), prefill_ms, 0.05 * prefill_ms);
}

TEST_F(ServingScenario, more_requests_a_second_never_shorten_the_wait) {
    double before = 0;
    for (const char* rate : {"0.5", "2", "8"}) {
        const double ttft =
            run_of(std::string("requests: 300, rate: ") + rate + ", input: 1024, output: 128, concurrency: 64")
                .metrics.at("serving.ttft_ms");
        EXPECT_GE(ttft, before);
        before = ttft;
    }
}

TEST_F(ServingScenario, room_for_kv_is_what_weights_leave) {
    const Scenario all = read("requests: 1"), half = read("requests: 1, memory_share: 0.8");
    const double memory = all.platform.accelerator.memory_capacity.get().si();
    EXPECT_NEAR(kv_capacity(all) - kv_capacity(half), 0.1 * memory / kv_bytes_per_token(all.model), 1);
    EXPECT_NE(refusal_of("requests: 1, memory_share: 0.3").find("weights that leave room for KV"), std::string::npos);
}

TEST_F(ServingScenario, takes_a_trace_beside_the_scenario) {
    folder.write("requests.csv", "arrival_s,input_tokens,output_tokens\n0,100,10\n1,200,20\n");
    const strata::Run run = run_of("trace: requests.csv, concurrency: 4");
    EXPECT_GT(run.metrics.at("serving.requests_per_s"), 0);
    folder.write("requests.csv", "arrival_s,input_tokens,output_tokens\n0,100,10\n1,two hundred,20\n");
    EXPECT_NE(refusal_of("trace: requests.csv").find("requests.csv:3"), std::string::npos);
}

TEST_F(ServingScenario, refuses_what_makes_no_sense) {
    EXPECT_NE(refusal_of("requests: 1, batch: 4").find("workload.batch"), std::string::npos);
    EXPECT_NE(refusal_of("requests: 0").find("workload.requests"), std::string::npos);
    EXPECT_NE(refusal_of("requests: 1, input: {least: 5, most: 4}").find("workload.input.most"), std::string::npos);
    EXPECT_NE(refusal_of("trace: r.csv, rate: 3").find("a trace says this"), std::string::npos);
    EXPECT_NE(refusal_of("requests: 1, acceptance: [1.5]").find("acceptance"), std::string::npos);
    EXPECT_NE(refusal_of("requests: 1", "engines: [systemc]\n").find("analytic"), std::string::npos);
}

}  // namespace
}  // namespace strata
