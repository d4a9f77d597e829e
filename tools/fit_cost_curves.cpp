// Fits the curves of sim/cost/cost_curves.yaml on the H200 tables of the aiconfigurator project (FOLDER) and on the
// published H800 tables beside the curves (PUBLISHED):
//   fit-cost-curves FOLDER sim/cost/published > sim/cost/cost_curves.yaml
// Work comes from the op headers, never from here. A fifth of the rows, chosen by a hash of the line, is held out and
// gives the errors that are reported; a table of a dozen rows is fitted whole, and its errors are those of each row
// under the fit without it. Rows that beat the datasheet (their data was in cache) are dropped and counted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "kernels/collective/collective.hpp"
#include "sim/cost/cost_book.hpp"

namespace {

using namespace strata;

// What a row ran on: datasheet peaks of the compute units and of the memory or link that its bytes cross.
struct Roof {
    FlopRate peak;
    Bandwidth wire;
    const char* device;
};
constexpr Roof kH200Bf16{989.0_TFLOPS, 4800.0_GBps, "H200_SXM"}, kH200Fp8{1979.0_TFLOPS, 4800.0_GBps, "H200_SXM"},
    kH200Link{989.0_TFLOPS, 450.0_GBps, "H200_SXM"}, kH800Fp8{1979.0_TFLOPS, 3350.0_GBps, "H800_SXM"},
    kH800Nic{989.0_TFLOPS, 50.0_GBps, "H800_SXM"};
using Row = std::map<std::string, std::string>;

double of(const Row& row, const std::string& column) { return std::stod(row.at(column)); }

struct Sample {
    Work work;
    Roof roof;
    Seconds measured;
    bool held_out;

    Seconds predicted(const CostCurve& curve) const { return roofline(work, roof.peak, roof.wire, curve); }
};

std::uint64_t fnv1a(const std::string& text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211ULL;
    return hash;
}

// `shape` returns the work and the time in ms, or nothing where the row is of another kind.
std::vector<Sample> read(const std::string& file, const Roof& roof,
                         const std::function<bool(const Row&, Work&, double&)>& shape) {
    std::ifstream lines(file);
    if (!lines) throw std::runtime_error("cannot read " + file);
    std::string line, cell;
    std::vector<std::string> columns;
    do std::getline(lines, line);
    while (line.starts_with('#'));
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) columns.push_back(cell);
    std::vector<Sample> samples;
    while (std::getline(lines, line)) {
        Row row;
        std::istringstream cells(line);
        for (const std::string& column : columns) {
            cell.clear();
            std::getline(cells, cell, ',');
            row[column] = cell;
        }
        Work work;
        double time_ms = 0;
        if (shape(row, work, time_ms)) samples.push_back({work, roof, Seconds(time_ms * 1e-3), fnv1a(line) % 5 == 0});
    }
    return samples;
}

double error_of(const Sample& sample, const CostCurve& curve) {
    return std::abs(sample.predicted(curve) / sample.measured - 1);
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
        if (!sample.held_out) sum += std::min(2.0, std::abs(std::log(sample.predicted(curve) / sample.measured)));
    return sum;
}

// `overhead`, where given, is kept: two rows cannot tell it from the slope. Coordinate descent with shrinking
// multiplicative steps, from one start: the loss has a single basin in each coordinate.
CostCurve fit(const std::vector<Sample>& samples, std::optional<Seconds> overhead = {}) {
    CostCurve best{.overhead = overhead.value_or(5.0_us), .compute_efficiency = 0.5, .memory_efficiency = 0.5};
    double least = loss(samples, best);
    for (double step = 2; step > 1.005;) {
        bool better = false;
        for (int coordinate = overhead ? 1 : 0; coordinate < 3; ++coordinate)
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

void print(const char* name, const char* device, const CostCurve& curve, const std::string& errors,
           const std::string& source) {
    std::cout << fmt::format(
        "  {}:\n    device: {}\n    overhead: {:.3f} us\n    compute_efficiency: {:.3f}\n    memory_efficiency: "
        "{:.3f}\n{}    source: \"{}\"\n",
        name, device, to_us(curve.overhead), curve.compute_efficiency, curve.memory_efficiency, errors, source);
}

std::string errors_of(std::size_t rows, const std::vector<double>& errors) {
    return fmt::format("    rows: {}\n    median_error: {:.3f}\n    p90_error: {:.3f}\n", rows, percentile(errors, 0.5),
                       percentile(errors, 0.9));
}

CostCurve fit_and_print(const char* name, std::vector<Sample> samples, const std::string& file) {
    const std::size_t all = samples.size();
    std::erase_if(samples, [](const Sample& s) { return s.measured < s.predicted(CostCurve{}); });
    const CostCurve curve = fit(samples);
    std::vector<double> errors;
    for (const Sample& sample : samples)
        if (sample.held_out) errors.push_back(error_of(sample, curve));
    print(name, samples.front().roof.device, curve, errors_of(samples.size() - errors.size(), errors),
          fmt::format("aiconfigurator H200 table {}, {} rows held out for the errors, {} dropped because they beat the "
                      "datasheet",
                      file, errors.size(), all - samples.size()));
    return curve;
}

void fit_few_and_print(const char* name, std::vector<Sample> samples, const std::string& source,
                       std::optional<Seconds> overhead = {}) {
    std::vector<double> errors;
    for (Sample& sample : samples) sample.held_out = false;
    for (Sample& sample : samples) {
        sample.held_out = true;
        errors.push_back(error_of(sample, fit(samples, overhead)));
        sample.held_out = false;
    }
    print(name, samples.front().roof.device, fit(samples, overhead), errors_of(samples.size(), errors),
          source + "; errors are those of each row under the fit without it");
}

// One op of an expert-parallel exchange: bytes that a rank sends, by what the kernel does with copies (collective.hpp).
std::vector<Sample> exchange(const std::string& file, const Roof& roof, const std::string& op, bool low_latency) {
    return read(file, roof, [=](const Row& row, Work& work, double& ms) {
        const double top_k = of(row, "num_topk"), ranks = 8;
        if (of(row, "node_num") != 1 || top_k < 4) return false;       // V4-style models route to six experts or more
        if (!low_latency && of(row, op + "_sms") != 20) return false;  // DeepEP's default, and DeepSeek-V3's
        const ExpertAllToAll all_to_all{.tokens = of(row, "num_token"),
                                        .hidden = of(row, "hidden_size"),
                                        .copies = low_latency ? top_k : copies_per_rank(top_k, ranks),
                                        .bytes_per_element = op == "dispatch" ? kDispatchBytes : kCombineBytes,
                                        .peers = ranks};
        work = {.flops = Flops(0), .read = all_to_all.sent(), .written = Bytes(0)};
        ms = 1e-3 * of(row, op + (low_latency ? "_avg_t_us" : "_transmit_us"));
        return true;
    });
}

// The same between nodes. The README's GB/s count the copies that stay in the own node; they do not cross a NIC.
std::vector<Sample> exchange_between_nodes(const std::string& file, const std::string& op, bool low_latency) {
    return read(file, kH800Nic, [=](const Row& row, Work& work, double& ms) {
        if (row.at("mode") != (low_latency ? "low_latency" : "normal") || row.at("op") != op) return false;
        // Two nodes in normal mode are bound by NVLink forwarding, not by the NIC.
        if (!low_latency && of(row, "ranks") < 32) return false;
        const double nodes = of(row, "ranks") / 8, element = op == "dispatch" ? kDispatchBytes : kCombineBytes;
        const double copies = low_latency ? 8 : std::min(4.0, nodes), hidden = 7168;
        const Bytes all(of(row, "tokens") * hidden * copies * element);
        work = {.flops = Flops(0), .read = all * ((nodes - 1) / nodes), .written = Bytes(0)};
        ms = low_latency ? 1e-3 * of(row, "time_us") : 1e3 * (all / Bandwidth(of(row, "gbps") * 1e9)).si();
        return true;
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: fit-cost-curves FOLDER (with gemm.csv, moe.csv, mla_generation.csv, ...) "
                     "sim/cost/published > sim/cost/cost_curves.yaml\n";
        return 2;
    }
    const std::string folder = std::string(argv[1]) + "/", published = std::string(argv[2]) + "/";
    std::cout << "# Written by tools/fit_cost_curves.cpp on tables of github.com/ai-dynamo/aiconfigurator (Apache-2.0, "
                 "commit 095f58a5 of\n"
                 "# 2026-08-21, SGLang 0.5.14, one H200 SXM) and on sim/cost/published. Errors are relative, on rows "
                 "that the "
                 "fit never saw.\ngenerated_by: fit-cost-curves\ncurves:\n";
    const auto gemm = [](const char* dtype, Precision weights) {
        return [=](const Row& row, Work& work, double& ms) {
            work = Gemm{of(row, "m"), of(row, "n"), of(row, "k"), weights}.work();
            ms = of(row, "latency");
            return row.at("gemm_dtype") == dtype;
        };
    };
    fit_and_print("gemm_bf16", read(folder + "gemm.csv", kH200Bf16, gemm("bfloat16", Precision::bf16)), "gemm.csv");
    fit_and_print("gemm_fp8", read(folder + "gemm.csv", kH200Fp8, gemm("fp8_block", Precision::fp8_block)), "gemm.csv");
    fit_and_print("moe_experts",
                  read(folder + "moe.csv", kH200Fp8,
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
                  read(folder + "mla_generation.csv", kH200Bf16,
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
                  read(folder + "mla_context.csv", kH200Bf16,
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
                  read(folder + "indexer_logits.csv", kH200Fp8,
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
                  read(folder + "indexer_topk.csv", kH200Bf16,
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
        return read(folder + "mhc.csv", kH200Bf16, [=](const Row& row, Work& work, double& ms) {
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
    fit_few_and_print(
        "grouped_gemm",
        read(published + "deepgemm_h800.csv", kH800Fp8,
             [](const Row& row, Work& work, double& ms) {
                 const double groups = of(row, "groups"), rows = groups * of(row, "rows_per_group");
                 const GroupedGemm product{.rows = rows, .groups = groups, .n = of(row, "n"), .k = of(row, "k")};
                 work = product.work();
                 ms = 1e3 * (work.flops / FlopRate(of(row, "tflops") * 1e12)).si();  // these rows fill their tiles
                 return true;
             }),
        "DeepGEMM README, H800 (published/deepgemm_h800.csv)");
    for (const std::string op : {"dispatch", "combine"}) {
        fit_and_print((op + "_low_latency").c_str(), exchange(folder + "deepep_low_latency.csv", kH200Link, op, true),
                      "deepep_low_latency.csv (one node, top 4 or more)");
        const CostCurve normal =
            fit_and_print((op + "_normal").c_str(), exchange(folder + "deepep_normal.csv", kH200Link, op, false),
                          "deepep_normal.csv (one node, 20 SMs, top 4 or more)");
        const std::string readme = "DeepEP README, H800 with 400 Gb/s NICs (published/deepep_h800.csv)";
        fit_few_and_print((op + "_low_latency_between_nodes").c_str(),
                          exchange_between_nodes(published + "deepep_h800.csv", op, true), readme);
        fit_few_and_print((op + "_normal_between_nodes").c_str(),
                          exchange_between_nodes(published + "deepep_h800.csv", op, false),
                          readme + ", overhead as inside a node", normal.overhead);
    }
    fit_and_print("all_reduce",
                  read(folder + "custom_allreduce.csv", kH200Link,
                       [](const Row& row, Work& work, double& ms) {
                           const AllReduce op{.elements = of(row, "message_size"), .peers = of(row, "num_gpus")};
                           work = {.flops = Flops(0), .read = op.sent(), .written = Bytes(0)};
                           ms = of(row, "latency");
                           return row.at("backend") == "sglang_graph";
                       }),
                  "custom_allreduce.csv (in a CUDA graph)");
    const std::string unmeasured = "    rows: 0\n";
    // Random rows of a few hundred bytes: 2.5 of 4.8 TB/s is the goal of the gather kernel, not yet measured.
    CostCurve gather = post;
    gather.memory_efficiency = 0.52;
    print("engram_gather", "H200_SXM", gather, unmeasured,
          "assumed: overhead of mhc_post; 2.5 of 4.8 TB/s for random rows, until the kernel is measured");
    print("engram_gate", "H200_SXM", post, unmeasured,
          "assumed: the streaming pattern of mhc_post, until the kernel is measured");
    print("swiglu_quantise", "H200_SXM", post, unmeasured,
          "assumed: the streaming pattern of mhc_post, until the kernel is measured (the published table of a plain "
          "quantisation runs at 9 % of the memory's bandwidth, no kernel to plan with)");
    return 0;
}
