// A scenario: model + platform + workload + placement, the axes to sweep and the assertions to hold. A sweep is
// substitution into the document, then ordinary reading: any field can be an axis by its path.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hwmodels/platform_spec.hpp"
#include "sim/model/accounting.hpp"
#include "sim/scenario/access.hpp"
#include "sim/scenario/serving_workload.hpp"
#include "sim/scenario/training_workload.hpp"

namespace strata {

enum class Tier { hbm, host, nvme };
std::string_view to_string(Tier tier);

enum class WorkloadKind { decode, prefill, access, serving, training };

// The step of a model that is run.
struct Workload {
    bool prefill = false;
    double batch = 1;    // sequences in flight over the whole deployment
    double context = 0;  // decode: tokens cached of each sequence; prefill: tokens cached before the prompt
    double prompt = 1;   // prefill: new tokens of each sequence
};

struct Placement {
    int tp = 1, dp = 1, ep = 1, pp = 1;
    int micro_batches = 1;  // of one rank, run interleaved so that exchanges hide behind the other's compute
    int redundant_experts = 0;
    Tier experts = Tier::hbm, kv = Tier::hbm;
    Tier engram = Tier::hbm;
    bool prefetch = true;      // false: rows are fetched when the layer needs them
    double hot_rows = 0;       // Engram rows of each layer kept in accelerator memory
    double zipf_exponent = 0;  // skew of row popularity; 0 is uniform

    int ranks() const { return tp * dp * pp; }
    // Ranks that hold different parts of the routed experts of one stage.
    int expert_shards() const { return ep > tp ? ep : tp; }
    int batches() const { return micro_batches * pp; }
};

// Which implementation runs where there are several.
enum class ExpertKernel {
    grouped,  // two grouped products with a SwiGLU between (DeepGEMM), exchanges before and after (DeepEP)
    fused,    // one Triton kernel a layer (SGLang), exchanges before and after
    mega      // one kernel that sends, computes and returns in waves (DeepGEMM's MegaMoE)
};
enum class ExchangeKernel {
    deepep,  // as measured: low latency in decode, normal in prefill
    wire     // every copy at the link's effective bandwidth and latency: the bound
};
struct Kernels {
    ExpertKernel experts = ExpertKernel::grouped;
    ExchangeKernel exchange = ExchangeKernel::deepep;
};

// How closely the systemc engine looks at host memory.
enum class Detail {
    op,   // fetches at the rate that the bank model found for their rows
    bank  // every row, in the banks that it lies in
};

struct Assertion {
    std::string metric;
    std::string comparison;  // <=, <, >=, >
    double bound = 0;
    std::string text;
    bool holds(double value) const;
};

// One point, fully read.
struct Scenario {
    std::string name;
    std::optional<Access> access{};  // then there is no model, and nothing is placed
    Model model;
    double rho = 1;
    std::string system;  // its name in the catalogue; `platform` is what the scenario made of it
    PlatformSpec platform;
    Workload workload;
    std::optional<ServingWorkload> serving{};    // then `workload` is not used: steps of many shapes are run
    std::optional<TrainingWorkload> training{};  // nor here
    Placement placement;
    Kernels kernels;
    Detail detail = Detail::op;
};

struct Axis {
    std::vector<std::string> paths;                // zipped: all take their i-th value together
    std::vector<std::vector<std::string>> values;  // values[i][j]: i-th step, j-th path
};

struct Point {
    std::vector<std::pair<std::string, std::string>> settings;  // path, value: what distinguishes it in the sweep
    YAML::Node document;
};

// A scenario file as given: points can be drawn from it, each read on its own.
class ScenarioFile {
public:
    // `models_folder` holds the presets. `overrides` are "path=value" as of --set. Throws InputError.
    ScenarioFile(const std::string& file, std::string models_folder, const std::vector<std::string>& overrides = {});
    // The same of a document that stands inside `file` (a ledger's).
    ScenarioFile(const std::string& file, const YAML::Node& document, std::string models_folder,
                 const std::vector<std::string>& overrides = {});

    const std::string& file() const { return file_; }
    const std::string& name() const { return name_; }
    const std::string& description() const { return description_; }
    const std::vector<std::string>& engines() const { return engines_; }  // analytic and systemc, or bank
    bool is_access() const { return access_; }
    const std::vector<Assertion>& assertions() const { return assertions_; }
    // The cross product of all axes; the last varies fastest. More than `kMaxPoints` is refused before any is made.
    std::vector<Point> points() const;
    // Throws InputError with all that is wrong, each at its place: the axis's where an axis set the value.
    Scenario read(const Point& point, const Catalog& catalog) const;

    static constexpr double kMaxPoints = 1e7;

private:
    Model read_model_of(const YamlField& field, Problems& problems) const;

    std::string file_, models_folder_, name_, description_;
    std::vector<std::string> engines_;
    bool access_ = false;
    YAML::Node document_;
    Places places_;
    std::vector<Axis> axes_;
    std::vector<Assertion> assertions_;
};

// One point from the text of its document, as a worker gets it; `file` is where errors say that it stands.
Scenario read_point(const std::string& document, const std::string& file, const std::string& models_folder,
                    const Catalog& catalog);

}  // namespace strata
