#include "tests/fuzz/targets.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "hwmodels/catalog.hpp"
#include "hwmodels/dram/dram_spec.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"
#include "hwmodels/measurement.hpp"
#include "hwmodels/protocol/pcie.hpp"
#include "hwmodels/storage/nvme_spec.hpp"
#include "reports/gate/ledger_comparison.hpp"
#include "reports/gate/predictions.hpp"
#include "sim/cost/cost_profile.hpp"
#include "sim/cost/measured_kernels.hpp"
#include "sim/model/model.hpp"
#include "sim/result/run_json.hpp"
#include "sim/routing/trace_routing.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/serving/request_trace.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {

namespace {

const std::string kSource = STRATA_SOURCE_DIR;

template <class Read>
void read_or_refuse(Read read) {
    try {
        read();
    } catch (const InputError&) {
    }
}

// Readers of files get one, always the same: thousands a second are written.
std::string file_with(const std::string& text, const std::string& name) {
    static const ScratchFolder folder;
    return folder.write(name, text);
}

// Its first point through everything that reading checks. Sweeps are cut short: their length is a question of memory.
void feed_scenario(const std::string& text) {
    static const Catalog catalog(kSource + "/hwmodels/catalog");
    read_or_refuse([&] {
        const ScenarioFile scenario("s.yaml", parse_yaml(text, "s.yaml"), kSource + "/scenarios/models");
        Settings settings;
        for (const Axis& axis : scenario.axes())
            for (std::size_t j = 0; j < axis.paths.size() && !axis.is_range(); ++j)
                settings.emplace_back(axis.paths[j], axis.values.front()[j]);
        scenario.read(scenario.point_with(settings), catalog);
    });
}

void feed_model(const std::string& text) {
    read_or_refuse([&] { load_model(file_with(text, "model.yaml")); });
}

void feed_catalogue(const std::string& text) {
    const std::string file = file_with(text, "part.yaml");
    read_or_refuse([&] { read_accelerator(file); });
    read_or_refuse([&] { read_dram_spec(file); });
    read_or_refuse([&] { read_nvme_spec(file); });
    read_or_refuse([&] { read_pcie_spec(file); });
    read_or_refuse([&] { read_fabric(file); });
}

void feed_cost_profile(const std::string& text) {
    read_or_refuse([&] { read_profile(file_with(text, "gemm_fp8.csv")); });
}

void feed_kernel_record(const std::string& text) {
    static const ScratchFolder folder;
    folder.write("record.jsonl", text);
    read_or_refuse([] { MeasuredKernels(folder.path(), kSource + "/kernels"); });
}

void feed_measurement(const std::string& text) {
    read_or_refuse([&] { read_measurements(file_with(text, "host.jsonl")); });
}

void feed_trace(const std::string& text) {
    const std::string file = file_with(text, "trace");
    read_or_refuse([&] { read_request_trace(file); });
    const TraceRoutingSpec counts{.experts = 8, .top_k = 2, .layers = 4, .counts_file = file};
    read_or_refuse([&] { TraceRouting(counts).loads(0, 0); });
    const TraceRoutingSpec tokens{.experts = 8, .top_k = 2, .layers = 4, .tokens_file = file};
    read_or_refuse([&] { TraceRouting(tokens).experts_of(0, 0, 3); });
}

// As results, baselines and searches, as a ledger, and as what a worker answers.
void feed_results(const std::string& text) {
    read_or_refuse([&] { predictions_from(text, "r.json"); });
    read_or_refuse([&] { read_verdicts(file_with(text, "ledger.json")); });
    try {
        run_from_json(nlohmann::ordered_json::parse(text));
    } catch (const nlohmann::json::exception&) {  // as its header says
    }
}

}  // namespace

const std::vector<FuzzTarget>& fuzz_targets() {
    static const std::vector<FuzzTarget> targets{
        {"scenario", feed_scenario, {"scenarios/examples", "scenarios/studies", "scenarios/engram-allocation.yaml"}},
        {"model", feed_model, {"scenarios/models"}},
        {"catalogue",
         feed_catalogue,
         {"hwmodels/catalog/accelerators", "hwmodels/catalog/dram", "hwmodels/catalog/nvme", "hwmodels/catalog/pcie",
          "hwmodels/catalog/fabrics"}},
        {"cost_profile", feed_cost_profile, {"sim/cost/published/H200_SXM/fp8_quantise.csv"}},
        {"kernel_record", feed_kernel_record, {}},
        {"measurement", feed_measurement, {}},
        {"trace", feed_trace, {}},
        {"results", feed_results, {}},
    };
    return targets;
}

}  // namespace strata
