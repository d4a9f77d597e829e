// Turns measured tables in the columns of the aiconfigurator project into profiles of the cost book:
//   import-cost-profiles FOLDER DEVICE OUT "SOURCE"
// Reads FOLDER/gemm.csv, moe.csv, ...; what is absent is left out. Writes OUT/<family>.csv. Rows that are faster than
// the device's datasheet allows (their data was in a cache) are dropped and counted in the profile's source.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <utility>

#include "hwmodels/catalog.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/cost/cost_profile.hpp"

namespace {

using namespace strata;

using Cells = std::map<std::string, std::string>;

double of(const Cells& row, const std::string& column) { return std::stod(row.at(column)); }

// "sgl-project/DeepSeek-V4-Pro-FP8" is DeepSeek-V4-Pro-FP8 wherever it is kept.
std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

struct Import {
    Family family;
    std::string file;
    std::vector<std::string> sides;  // columns, in the order of the family's sides
    std::vector<std::string> words;
    std::string time;
    double us = 1000;  // of one unit of the time column
    Cells only{};      // rows with these cells
    std::function<void(const Cells&, CostProfile::Row&)> amend{};
};

std::vector<Import> imports() {
    std::vector<Import> all{
        {Family::gemm_bf16, "gemm.csv", {"m", "n", "k"}, {}, "latency", 1000, {{"gemm_dtype", "bfloat16"}}},
        {Family::gemm_fp8, "gemm.csv", {"m", "n", "k"}, {}, "latency", 1000, {{"gemm_dtype", "fp8_block"}}},
        {Family::moe_experts,
         "moe.csv",
         {"num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size"},
         {"distribution", "moe_dtype"},
         "latency"},
        {Family::moe_experts_cutlass,
         "moe_cutlass.csv",
         {"num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size"},
         {"distribution", "moe_dtype"},
         "latency",
         1000,
         {},
         [](const Cells&, CostProfile::Row& to) {  // the slice that a rank holds, as steps ask for it
             to.point.sides[2] /= std::exchange(to.point.sides[5], 1.0);
         }},
        {Family::latent_attention,
         "mla_generation.csv",
         {"batch_size", "step", "num_heads"},
         {"kv_cache_dtype"},
         "latency"},
        {Family::context_attention,
         "mla_context.csv",
         {"batch_size", "isl", "num_heads"},
         {"kv_cache_dtype"},
         "latency"},
        {Family::indexer_top_k, "indexer_topk.csv", {"batch_size", "isl", "step"}, {"score_mode"}, "latency"},
        {Family::fp8_quantise, "fp8_quantize.csv", {"m", "k"}, {}, "latency"},
    };
    const auto queries = [&](Family family, const char* file) {
        all.push_back({family, file, {"batch_size", "isl", "step"}, {}, "latency"});
    };
    queries(Family::indexer_logits, "indexer_logits.csv");
    queries(Family::indexer_logits_paged, "indexer_logits_paged.csv");
    queries(Family::sparse_attention, "sparse_mla.csv");
    const auto mhc = [&](Family family, const char* op) {
        all.push_back({family,
                       "mhc.csv",
                       {"num_tokens", "hidden_size"},
                       {},
                       "latency",
                       1000,
                       {{"op_name", op}},
                       [](const Cells& row, CostProfile::Row& to) {  // a row times all its sites
                           to.time = to.time / of(row, "num_sites");
                       }});
    };
    mhc(Family::mhc_pre, "pre");
    mhc(Family::mhc_post, "post");
    const std::vector<std::string> context{"batch_size", "isl", "step", "num_heads"},
        generation{"batch_size", "step", "num_heads"};
    const std::vector<std::string> dsa{"model", "gemm_type", "kv_cache_dtype", "op_name", "kernel_source"},
        compressed{"model", "gemm_type"};
    all.push_back({Family::dsa_context, "dsa_context.csv", context, dsa, "latency"});
    all.push_back({Family::dsa_generation, "dsa_generation.csv", generation, dsa, "latency"});
    all.push_back({Family::csa_context, "csa_context.csv", context, compressed, "latency"});
    all.push_back({Family::csa_generation, "csa_generation.csv", generation, compressed, "latency"});
    all.push_back({Family::hca_context, "hca_context.csv", context, compressed, "latency"});
    all.push_back({Family::hca_generation, "hca_generation.csv", generation, compressed, "latency"});
    const auto collective = [&](Family family, const char* op) {
        all.push_back({family,
                       "nccl.csv",
                       {"message_size", "num_gpus"},
                       {"nccl_dtype"},
                       "latency",
                       1000,
                       {{"op_name", op}},
                       [](const Cells& row, CostProfile::Row& to) {
                           if (row.at("nccl_dtype") == "half") to.point.sides[0] *= 2;  // elements
                       }});
    };
    collective(Family::all_reduce_nccl, "all_reduce");
    collective(Family::all_gather, "all_gather");
    collective(Family::reduce_scatter, "reduce_scatter");
    collective(Family::all_to_all, "alltoall");
    all.push_back({Family::all_reduce,
                   "custom_allreduce.csv",
                   {"message_size", "num_gpus"},
                   {"backend"},
                   "latency",
                   1000,
                   {},
                   [](const Cells&, CostProfile::Row& to) { to.point.sides[0] *= 2; }});  // BF16 elements
    const std::vector<std::string> expert{"num_token", "hidden_size", "num_topk", "num_experts"};
    for (const std::string op : {"dispatch", "combine"}) {
        const bool dispatch = op == "dispatch";
        const Cells one_node{{"node_num", "1"}};
        all.push_back({dispatch ? Family::dispatch_low_latency : Family::combine_low_latency,
                       "deepep_low_latency.csv",
                       expert,
                       {},
                       op + "_avg_t_us",
                       1,
                       one_node});
        std::vector<std::string> with_sms = expert;
        with_sms.push_back(op + "_sms");
        all.push_back({dispatch ? Family::dispatch_normal : Family::combine_normal,
                       "deepep_normal.csv",
                       with_sms,
                       {},
                       op + "_transmit_us",
                       1,
                       one_node});
    }
    return all;
}

std::vector<Cells> read_cells(const std::string& file) {
    std::ifstream lines(file);
    std::string line, cell;
    std::vector<std::string> columns;
    std::getline(lines, line);
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) columns.push_back(cell);
    std::vector<Cells> rows;
    while (std::getline(lines, line)) {
        Cells row;
        std::istringstream cells(line);
        for (const std::string& column : columns) {
            cell.clear();
            std::getline(cells, cell, ',');
            row[column] = cell;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

CostProfile::Row row_of(const Import& import, const Cells& cells) {
    CostProfile::Row row{.point = {.family = import.family}, .time = {}};
    for (std::size_t i = 0; i < import.sides.size(); ++i) row.point.sides[i] = of(cells, import.sides[i]);
    for (std::size_t i = 0; i < import.words.size(); ++i)
        row.point.labels[i] = label_of(last_part(cells.at(import.words[i])));
    row.time = Seconds(of(cells, import.time) * import.us * 1e-6);
    if (import.amend) import.amend(cells, row);
    return row;
}

void run(const Import& import, const std::string& folder, const std::string& device_name, const Device& device,
         const std::string& out, const std::string& source) {
    if (!std::filesystem::exists(folder + "/" + import.file)) return;
    CostProfile profile{.family = import.family,
                        .file = fmt::format("{}/{}.csv", out, to_string(import.family)),
                        .device = device_name,
                        .origin = "published",
                        .source = {},
                        .band = 0,
                        .rows = {}};
    int dropped = 0;
    for (const Cells& cells : read_cells(folder + "/" + import.file)) {
        const bool wanted = std::all_of(import.only.begin(), import.only.end(),
                                        [&](const auto& cell) { return cells.at(cell.first) == cell.second; });
        if (!wanted) continue;
        const CostProfile::Row row = row_of(import, cells);
        if (row.time <= Seconds(0)) continue;
        // The file keeps six digits, which must not undercut the bound either.
        const bool possible = row.time > bound_of(row.point, device) * (1 + 1e-5);
        possible ? profile.rows.push_back(row) : void(++dropped);
    }
    if (profile.rows.empty()) return;
    profile.source = fmt::format("{}; {} rows dropped because they beat the datasheet", source, dropped);
    write_profile(profile);
    std::cout << fmt::format("{}: {} rows, {} dropped\n", profile.file, profile.rows.size(), dropped);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: import-cost-profiles FOLDER DEVICE OUT SOURCE\n";
        return 2;
    }
    try {
        const std::string root = STRATA_SOURCE_DIR;
        const Device device = device_of(Catalog(root + "/hwmodels/catalog").accelerator(argv[2]));
        std::filesystem::create_directories(argv[3]);
        for (const Import& import : imports()) run(import, argv[1], argv[2], device, argv[3], argv[4]);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
    return 0;
}
