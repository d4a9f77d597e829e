// What the live pages show of one point: its run, and what that is made of. No Qt: a worker thread computes it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/access/access_bench.hpp"
#include "sim/result/run.hpp"
#include "sim/study/study.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Kernels of the step that are alike, as one mark on the roofline.
struct RooflineOp {
    std::string component, name;
    Family family = Family::gemm_bf16;
    Origin origin = Origin::modelled;
    bool outside = false, memory_bound = false, fp8 = false;
    double calls = 0, flops = 0, bytes = 0, time_us = 0;  // of one call
    std::optional<OpPoint> point{};

    double intensity() const { return bytes > 0 ? flops / bytes : 0; }  // FLOP a byte
    double tflops() const { return time_us > 0 ? flops / time_us / 1e6 : 0; }
};

struct MemoryTier {
    std::string name;                                     // "HBM of a GPU"
    std::vector<std::pair<std::string, double>> used_gb;  // by class
    std::optional<double> capacity_gb;                    // null: nobody says
};

struct Verdict {
    std::string text;
    std::optional<double> value;  // null: the run has no such metric
    bool holds = false;
};

struct Answer {
    std::string engine = "analytic";
    std::string name{};  // as of the request
    std::optional<Run> run{};
    std::string reason{};  // why there is none
    double ms = 0;         // that it took
    Device device{};
    std::vector<RooflineOp> ops{};  // by falling share of time; empty: the workload has no one step
    std::vector<MemoryTier> memory{};
    std::vector<Verdict> verdicts{};
};

// A point as text, with what is asked of it.
struct AnswerRequest {
    std::string document, file;  // YAML, and where errors say that it stands
    std::string name{};          // what sets it apart from the scenario: "rho 0.7, tier host"
    std::vector<Assertion> assertions{};
};

bool has_a_step(const Scenario& scenario);
std::vector<RooflineOp> roofline_ops(const Program& program);
std::vector<Verdict> verdicts_of(const Run& run, const std::vector<Assertion>& assertions);

class Answerer {
public:
    explicit Answerer(const std::string& root) : root_(root), inputs_(root), bench_(inputs_.catalog()) {}

    // Never throws what a user can mend: the answer says it.
    Answer answer(const AnswerRequest& request);
    // By the systemc engine, in strata-simulate; no value for workloads that it does not run.
    std::optional<Answer> refined(const AnswerRequest& request, const std::string& simulator);

    // For what a page shows beyond the answer. The batch is found where the scenario asks for that; throws InputError.
    Scenario read(const AnswerRequest& request);
    Inputs& inputs() { return inputs_; }
    AccessBench& bench() { return bench_; }
    const std::string& root() const { return root_; }

private:
    std::string root_;
    Inputs inputs_;
    AccessBench bench_;
};

}  // namespace strata
