// Fits the curves of sim/cost/cost_curves.yaml on the H200 tables of the aiconfigurator project:
//   fit-cost-curves FOLDER > sim/cost/cost_curves.yaml
// Work comes from the op headers, never from here. A fifth of the rows, chosen by a hash of the line, is held out and
// gives the errors that are reported. Rows that beat the datasheet (their data was in cache) are dropped and counted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "sim/cost/cost_book.hpp"

namespace {

using namespace strata;

constexpr FlopRate kBf16 = 989.0_TFLOPS, kFp8 = 1979.0_TFLOPS;  // H200 SXM datasheet, dense
constexpr Bandwidth kMemory = 4800.0_GBps;
using Row = std::map<std::string, std::string>;

double of(const Row& row, const std::string& column) { return std::stod(row.at(column)); }

struct Sample {
    Work work;
    FlopRate peak;
    Seconds measured;
    bool held_out;
};

std::uint64_t fnv1a(const std::string& text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211ULL;
    return hash;
}

// `shape` returns the work and the time in ms, or nothing where the row is of another kind.
std::vector<Sample> read(const std::string& file, FlopRate peak,
                         const std::function<bool(const Row&, Work&, double&)>& shape) {
    std::ifstream lines(file);
    if (!lines) throw std::runtime_error("cannot read " + file);
    std::string line, cell;
    std::vector<std::string> columns;
    std::getline(lines, line);
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) columns.push_back(cell);
    std::vector<Sample> samples;
    while (std::getline(lines, line)) {
        Row row;
        std::istringstream cells(line);
        for (const std::string& column : columns) {
            std::getline(cells, cell, ',');
            row[column] = cell;
        }
        Work work;
        double time_ms = 0;
        if (shape(row, work, time_ms)) samples.push_back({work, peak, Seconds(time_ms * 1e-3), fnv1a(line) % 5 == 0});
    }
    return samples;
}

double error_of(const Sample& sample, const CostCurve& curve) {
    return std::abs(roofline(sample.work, sample.peak, kMemory, curve) / sample.measured - 1);
}

double percentile(std::vector<double> values, double p) {
    if (values.empty()) return 0;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(p * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

// Mean absolute log error, robust enough against the tables' outliers.
double loss(const std::vector<Sample>& samples, const CostCurve& curve) {
    double sum = 0;
    for (const Sample& sample : samples)
        if (!sample.held_out)
            sum +=
                std::min(2.0, std::abs(std::log(roofline(sample.work, sample.peak, kMemory, curve) / sample.measured)));
    return sum;
}

// Coordinate descent with shrinking multiplicative steps, from one start: the loss has a single basin in each
// coordinate.
CostCurve fit(const std::vector<Sample>& samples) {
    CostCurve best{.overhead = 5.0_us, .compute_efficiency = 0.5, .memory_efficiency = 0.5};
    double least = loss(samples, best);
    for (double step = 2; step > 1.005;) {
        bool better = false;
        for (int coordinate = 0; coordinate < 3; ++coordinate)
            for (const double factor : {step, 1 / step}) {
                CostCurve trial = best;
                if (coordinate == 0) trial.overhead = trial.overhead * factor;
                if (coordinate == 1) trial.compute_efficiency = std::min(1.0, trial.compute_efficiency * factor);
                if (coordinate == 2) trial.memory_efficiency = std::min(1.0, trial.memory_efficiency * factor);
                const double now = loss(samples, trial);
                if (now < least) {
                    least = now;
                    best = trial;
                    better = true;
                }
            }
        if (!better) step = std::sqrt(step);
    }
    return best;
}

void print(const char* name, const CostCurve& curve, const std::string& errors, const std::string& source) {
    std::cout << fmt::format(
        "  {}:\n    overhead: {:.3f} us\n    compute_efficiency: {:.3f}\n    memory_efficiency: {:.3f}\n{}    source: "
        "\"{}\"\n",
        name, to_us(curve.overhead), curve.compute_efficiency, curve.memory_efficiency, errors, source);
}

CostCurve fit_and_print(const char* name, std::vector<Sample> samples, const std::string& file) {
    const std::size_t all = samples.size();
    std::erase_if(samples, [](const Sample& s) { return s.measured < roofline(s.work, s.peak, kMemory, CostCurve{}); });
    const CostCurve curve = fit(samples);
    std::vector<double> errors;
    for (const Sample& sample : samples)
        if (sample.held_out) errors.push_back(error_of(sample, curve));
    const std::size_t fitted = samples.size() - errors.size();
    print(
        name, curve,
        fmt::format("    rows: {}\n    median_error: {:.3f}\n    p90_error: {:.3f}\n", fitted, percentile(errors, 0.5),
                    percentile(errors, 0.9)),
        fmt::format(
            "aiconfigurator H200 table {}, {} rows held out for the errors, {} dropped because they beat the datasheet",
            file, errors.size(), all - samples.size()));
    return curve;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: fit-cost-curves FOLDER (with gemm.csv, moe.csv, mla_generation.csv, ...) > "
                     "sim/cost/cost_curves.yaml\n";
        return 2;
    }
    const std::string folder = std::string(argv[1]) + "/";
    std::cout << "# Written by tools/fit_cost_curves.cpp on tables of github.com/ai-dynamo/aiconfigurator (Apache-2.0, "
                 "commit 095f58a5 of\n"
                 "# 2026-08-21, SGLang 0.5.14, one H200 SXM). Errors are relative, on rows that the fit never saw.\n"
                 "fitted_on: H200_SXM\ngenerated_by: fit-cost-curves\ncurves:\n";
    const auto gemm = [](const char* dtype, Precision weights) {
        return [=](const Row& row, Work& work, double& ms) {
            work = Gemm{of(row, "m"), of(row, "n"), of(row, "k"), weights}.work();
            ms = of(row, "latency");
            return row.at("gemm_dtype") == dtype;
        };
    };
    fit_and_print("gemm_bf16", read(folder + "gemm.csv", kBf16, gemm("bfloat16", Precision::bf16)), "gemm.csv");
    fit_and_print("gemm_fp8", read(folder + "gemm.csv", kFp8, gemm("fp8_block", Precision::fp8_block)), "gemm.csv");
    fit_and_print("moe_experts",
                  read(folder + "moe.csv", kFp8,
                       [](const Row& row, Work& work, double& ms) {
                           work = MoeExperts{.tokens = of(row, "num_tokens"),
                                             .hidden = of(row, "hidden_size"),
                                             .intermediate = of(row, "inter_size") / of(row, "moe_tp_size"),
                                             .top_k = of(row, "topk"),
                                             .experts = of(row, "num_experts"),
                                             .local_experts = of(row, "num_experts") / of(row, "moe_ep_size")}
                                      .work();
                           ms = of(row, "latency");
                           return row.at("distribution") == "balanced" && row.at("moe_dtype") == "fp8_block";
                       }),
                  "moe.csv (balanced)");
    fit_and_print("latent_attention",
                  read(folder + "mla_generation.csv", kBf16,
                       [](const Row& row, Work& work, double& ms) {
                           work = LatentAttention{.sequences = of(row, "batch_size"),
                                                  .heads = of(row, "num_heads"),
                                                  .attended = of(row, "step"),
                                                  .entry_bytes = 1152}
                                      .work();
                           ms = of(row, "latency");
                           return row.at("kv_cache_dtype") == "bfloat16";
                       }),
                  "mla_generation.csv (BF16 cache)");
    // The measured prefill runs the absorbed form: 576 + 512 wide for every pair.
    fit_and_print("context_attention",
                  read(folder + "mla_context.csv", kBf16,
                       [](const Row& row, Work& work, double& ms) {
                           work = ContextAttention{.sequences = of(row, "batch_size"),
                                                   .length = of(row, "isl"),
                                                   .past = 0,
                                                   .heads = of(row, "num_heads"),
                                                   .key_dim = 576,
                                                   .value_dim = 512}
                                      .work();
                           ms = of(row, "latency");
                           return row.at("kv_cache_dtype") == "bfloat16";
                       }),
                  "mla_context.csv (BF16 cache; absorbed form)");
    fit_and_print("indexer_logits",
                  read(folder + "indexer_logits.csv", kFp8,
                       [](const Row& row, Work& work, double& ms) {
                           work = IndexerLogits{.sequences = of(row, "batch_size"),
                                                .queries = of(row, "isl"),
                                                .keys = of(row, "step") + of(row, "isl") / 2,
                                                .heads = of(row, "num_heads"),
                                                .shared_reads = std::min(64.0, of(row, "isl"))}
                                      .work();
                           ms = of(row, "latency");
                           return true;
                       }),
                  "indexer_logits.csv");
    fit_and_print("indexer_top_k",
                  read(folder + "indexer_topk.csv", kBf16,
                       [](const Row& row, Work& work, double& ms) {
                           work = IndexerTopK{.rows = of(row, "batch_size") * of(row, "isl"),
                                              .keys = of(row, "step") + of(row, "isl") / 2,
                                              .k = 2048}
                                      .work();
                           ms = of(row, "latency");
                           return row.at("score_mode") == "top_last";
                       }),
                  "indexer_topk.csv (top_last)");
    const auto mhc = [&](const char* op, auto shape) {
        return read(folder + "mhc.csv", kBf16, [=](const Row& row, Work& work, double& ms) {
            work =
                decltype(shape){
                    .tokens = of(row, "num_tokens"), .hidden = of(row, "hidden_size"), .streams = of(row, "hc_mult")}
                    .work();
            ms = of(row, "latency") / of(row, "num_sites");  // a row times all its sites
            return row.at("op_name") == op;
        });
    };
    fit_and_print("mhc_pre", mhc("pre", MhcPre{}), "mhc.csv");
    const CostCurve post = fit_and_print("mhc_post", mhc("post", MhcPost{}), "mhc.csv");
    const std::string unmeasured = "    rows: 0\n";
    // Random rows of a few hundred bytes: 2.5 of 4.8 TB/s is the goal of the gather kernel, not yet measured.
    CostCurve gather = post;
    gather.memory_efficiency = 0.52;
    print("engram_gather", gather, unmeasured,
          "assumed: overhead of mhc_post; 2.5 of 4.8 TB/s for random rows, until the kernel is measured");
    print("engram_gate", post, unmeasured, "assumed: the streaming pattern of mhc_post, until the kernel is measured");
    return 0;
}
