// Fits the curves of sim/cost/cost_curves.yaml on the tables of the cost book (PUBLISHED/H200_SXM) and on the published
// H800 tables beside them:
//   fit-cost-curves sim/cost/published > cost_curves.yaml
// Work comes from the op headers, never from here. A fifth of the rows, chosen by a hash of the line, is held out and
// gives the errors that are reported; a table of a dozen rows is fitted whole, and its errors are those of each row
// under the fit without it. Each table's `band` is set from leaving out its rows one by one, held-out rows apart.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "hwmodels/catalog.hpp"
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
constexpr Roof kH800Fp8{1979.0_TFLOPS, 3350.0_GBps, "H800_SXM"}, kH800Nic{989.0_TFLOPS, 50.0_GBps, "H800_SXM"};
using Row = std::map<std::string, std::string>;

double of(const Row& row, const std::string& column) { return std::stod(row.at(column)); }

struct Sample {
    Work work;
    Roof roof;
    Seconds measured;
    bool held_out;

    Seconds predicted(const CostCurve& curve) const { return roofline(work, roof.peak, roof.wire, curve); }
};

// A row of a table of the cost book.
struct TableRow {
    const CostProfile::Row& row;
    const Device& device;
    Seconds measured = row.time;
    bool held_out = row.held_out;

    Seconds predicted(const CostCurve& curve) const { return physics_of(row.point, curve, device).time(); }
};

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
        if (shape(row, work, time_ms)) samples.push_back({work, roof, Seconds(time_ms * 1e-3), false});
    }
    return samples;
}

template <class Sample>
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
template <class Sample>
double loss(const std::vector<Sample>& samples, const CostCurve& curve) {
    double sum = 0;
    for (const Sample& sample : samples)
        if (!sample.held_out) sum += std::min(2.0, std::abs(std::log(sample.predicted(curve) / sample.measured)));
    return sum;
}

// Coordinate descent with shrinking multiplicative steps, from one start: the loss has a single basin in each
// coordinate. `overhead`, where given, is kept: two rows cannot tell it from the slope.
template <class Sample>
CostCurve fit(const std::vector<Sample>& samples, std::optional<Seconds> overhead = {},
              Family family = Family::grouped_gemm) {
    CostCurve best{.overhead = overhead.value_or(5.0_us), .compute_efficiency = 0.5, .memory_efficiency = 0.5};
    const bool product = family == Family::gemm_bf16 || family == Family::gemm_fp8;
    const bool looks = family == Family::indexer_top_k;
    if (product) best.wave = 1.0_us;
    if (product) best.operand_ratio = 100;
    // Logits stream at what the memory gives to any stream (mhc_post); looking at them is what is fitted.
    if (looks) best.elements_per_us = 2000;
    if (looks) best.memory_efficiency = 0.87;
    // Prompts in the table compute long after they have read: what their memory gives is the same kernel's in decoding.
    const bool prompt = family == Family::context_attention, fixed_memory = looks || prompt;
    if (prompt) best.memory_efficiency = 0.80;
    double least = loss(samples, best);
    for (double step = 2; step > 1.005;) {
        bool better = false;
        for (int coordinate = overhead ? 1 : 0; coordinate < 6; ++coordinate)
            for (const double factor : {step, 1 / step}) {
                CostCurve trial = best;
                // No kernel of the tables ends sooner than 2 us after it is launched.
                if (coordinate == 0) trial.overhead = std::max(2.0_us, trial.overhead * factor);
                if (coordinate == 1) trial.compute_efficiency = std::min(1.0, trial.compute_efficiency * factor);
                if (coordinate == 2) trial.memory_efficiency = std::min(1.0, trial.memory_efficiency * factor);
                if ((coordinate == 3 || coordinate == 4) && !product) continue;
                if (coordinate == (fixed_memory ? 2 : 5) || (coordinate == 5 && !looks)) continue;
                if (coordinate == 5) trial.elements_per_us *= factor;
                if (coordinate == 3) trial.wave = trial.wave * factor;
                if (coordinate == 4) trial.operand_ratio *= factor;
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

void print(std::string_view name, const std::string& device, const CostCurve& curve, const std::string& errors,
           const std::string& source) {
    std::cout << fmt::format("  {}:\n    device: {}\n    overhead: {:.3f} us\n    compute_efficiency: {:.3f}\n", name,
                             device, to_us(curve.overhead), curve.compute_efficiency)
              << fmt::format("    memory_efficiency: {:.3f}\n", curve.memory_efficiency);
    if (curve.operand_ratio > 0)
        std::cout << fmt::format("    wave: {:.3f} us\n    operand_ratio: {:.2f}\n", to_us(curve.wave),
                                 curve.operand_ratio);
    if (curve.elements_per_us > 0) std::cout << fmt::format("    elements_per_us: {:.1f}\n", curve.elements_per_us);
    std::cout << fmt::format("{}    source: \"{}\"\n", errors, source);
}

std::string errors_of(std::size_t rows, const std::vector<double>& errors) {
    return fmt::format("    rows: {}\n    median_error: {:.3f}\n    p90_error: {:.3f}\n", rows, percentile(errors, 0.5),
                       percentile(errors, 0.9));
}

// What a family's curve is fitted on: the kind of row that steps ask for. The rest of a table has its own residuals.
bool asked_for(const OpPoint& point) {
    static const std::map<Family, std::string> first_word{
        {Family::moe_experts, "balanced"},      {Family::moe_experts_cutlass, "balanced"},
        {Family::latent_attention, "bfloat16"}, {Family::context_attention, "bfloat16"},
        {Family::indexer_top_k, "top_last"},    {Family::all_reduce, "sglang_graph"}};
    const auto word = first_word.find(point.family);
    if (word != first_word.end()) return word_of(point.labels[0]) == word->second;
    switch (point.family) {  // V4-style models route to six experts or more; 20 SMs are DeepEP's default
        case Family::dispatch_low_latency:
        case Family::combine_low_latency: return point.sides[2] >= 4;
        case Family::dispatch_normal:
        case Family::combine_normal: return point.sides[2] >= 4 && point.sides[4] == 20;
        default: return true;
    }
}

CostCurve fit_table(const std::string& file, const Catalog& catalog) {
    CostProfile profile = read_profile(file);
    const Device device = device_of(catalog.accelerator(profile.device));
    std::vector<TableRow> samples;
    for (const CostProfile::Row& row : profile.rows)
        if (asked_for(row.point)) samples.push_back({row, device});
    const CostCurve curve = fit(samples, {}, profile.family);
    std::vector<double> errors;
    for (const TableRow& sample : samples)
        if (sample.held_out) errors.push_back(error_of(sample, curve));
    print(to_string(profile.family), profile.device, curve, errors_of(samples.size() - errors.size(), errors),
          fmt::format("table {}/{}.csv, {} rows held out for the errors", profile.device, to_string(profile.family),
                      errors.size()));
    profile.band = CostTable(profile, curve, device, true).band_by_leaving_out();
    write_profile(profile);
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

void fit(const std::string& published) {
    if (!std::filesystem::is_directory(published + "H200_SXM"))
        throw InputError(published + ": expected a folder of published tables with a folder H200_SXM in it");
    const Catalog catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog");
    std::cout << "# Written by tools/fit_cost_curves.cpp from the tables in sim/cost/published. Errors are relative, "
                 "those of "
                 "physics alone,\n# on rows that the fit never saw.\ngenerated_by: fit-cost-curves\ncurves:\n";
    std::map<Family, CostCurve> fitted;
    for (int i = 0; i < kFamilies; ++i) {
        const auto family = static_cast<Family>(i);
        const std::string file = fmt::format("{}H200_SXM/{}.csv", published, to_string(family));
        if (std::filesystem::exists(file)) fitted[family] = fit_table(file, catalog);
    }
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
        const std::string readme = "DeepEP README, H800 with 400 Gb/s NICs (published/deepep_h800.csv)";
        const CostCurve& normal = fitted.at(op == "dispatch" ? Family::dispatch_normal : Family::combine_normal);
        fit_few_and_print((op + "_low_latency_between_nodes").c_str(),
                          exchange_between_nodes(published + "deepep_h800.csv", op, true), readme);
        fit_few_and_print((op + "_normal_between_nodes").c_str(),
                          exchange_between_nodes(published + "deepep_h800.csv", op, false),
                          readme + ", overhead as inside a node", normal.overhead);
    }
    const std::string unmeasured = "    rows: 0\n";
    // Random rows of a few hundred bytes: 2.5 of 4.8 TB/s is the goal of the gather kernel, not yet measured.
    const CostCurve& post = fitted.at(Family::mhc_post);
    CostCurve gather = post;
    gather.memory_efficiency = 0.52;
    print("engram_gather", "H200_SXM", gather, unmeasured,
          "assumed: overhead of mhc_post; 2.5 of 4.8 TB/s for random rows, until the kernel is measured");
    print("engram_gate", "H200_SXM", post, unmeasured,
          "assumed: the streaming pattern of mhc_post, until the kernel is measured");
    print("swiglu_quantise", "H200_SXM", post, unmeasured,
          "assumed: the streaming pattern of mhc_post, until the kernel is measured (the published table of a plain "
          "quantisation runs at 9 % of the memory's bandwidth, no kernel to plan with)");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: fit-cost-curves sim/cost/published > cost_curves.yaml\n";
        return 2;
    }
    try {
        fit(std::string(argv[1]) + "/");
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
    return 0;
}
