// A scenario: model + platform + workload + placement, the axes to sweep and the assertions to hold. A sweep is
// substitution into the document, then ordinary reading: any field can be an axis by its path.
#pragma once

#include <yaml-cpp/yaml.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hwmodels/fabric/fabric_spec.hpp"
#include "hwmodels/platform_spec.hpp"
#include "sim/model/accounting.hpp"
#include "sim/placement/rank_shares.hpp"
#include "sim/quality/optical_schedule.hpp"
#include "sim/scenario/access.hpp"
#include "sim/scenario/assertion.hpp"
#include "sim/scenario/axis.hpp"
#include "sim/scenario/collective.hpp"
#include "sim/scenario/economics.hpp"
#include "sim/scenario/search_field.hpp"
#include "sim/scenario/serving_workload.hpp"
#include "sim/scenario/training_workload.hpp"

namespace strata {

enum class Tier { hbm, host, cxl, nvme };
std::string_view to_string(Tier tier);

enum class WorkloadKind { decode, prefill, access, serving, training, rl, collective };

// The step of a model that is run.
struct Workload {
    bool prefill = false;
    double batch = 1;        // sequences in flight over the whole deployment
    double context = 0;      // decode: tokens cached of each sequence; prefill: tokens cached before the prompt
    double prompt = 1;       // prefill: tokens of each prompt
    double prefix_hits = 0;  // prefill: the share of a prompt whose KV is found and not computed
    double drafts = 0;       // decode: tokens that MTP layers draft a step
    double acceptance = 0;   // of a drafted token, those before it accepted
    // Part of prompt and context are pictures: `prompt` and `context` are then what the model sees of them.
    std::optional<OpticalContext> optical{};
    std::optional<Assertion> largest_with{};  // `batch` is to be found: the largest with which this holds

    double computed() const { return prompt * (1 - prefix_hits); }
    // Tokens already cached of each sequence when the step begins.
    double cached() const { return context + (prefill ? prompt * prefix_hits : 0); }
    // New positions of each sequence that the step computes.
    double queries() const { return prefill ? computed() : 1 + drafts; }
    // Tokens of each sequence that it answers for: a prompt's (as text), or the sampled one and the drafts accepted
    // before it.
    double tokens() const;
};

// Who computes the routed experts that lie below the accelerator's memory.
enum class ExpertProcessor {
    accelerator,  // which fetches their weights
    host          // whose cores read them where they lie; activations travel
};

// Engram tables of several domains, of which a deployment uses one at a time.
struct TableDomains {
    int tables = 1;
    Tier waiting = Tier::nvme;  // where all of them lie; where that is the tables' own tier, nothing is ever copied
    double tokens = 0;          // that the deployment answers before the next domain's turn
    bool behind = false;        // the next table is copied while the last is in use: there is room for two
};

struct Placement {
    int tp = 1, dp = 1, ep = 1, pp = 1;
    int cp = 1;                  // ranks that share the tokens of a prompt; each attends with its own, over all of them
    int micro_batches = 1;       // of one rank, run interleaved so that exchanges hide behind the other's compute
    ExpertDials expert_dials{};  // copies, and who holds what
    Tier experts = Tier::hbm, kv = Tier::hbm;
    ExpertProcessor expert_processor = ExpertProcessor::accelerator;
    double cached_experts = 0;  // of each layer, the most popular, also in accelerator memory
    double expert_skew = 0;     // Zipf exponent of their popularity; 0 is uniform
    double cached_kv = 0;       // share of the KV entries that is also there
    double kv_skew = 0;         // Zipf exponent of how often selected entries are read; 0 is uniform
    Tier engram = Tier::hbm;
    bool prefetch = true;      // false: rows are fetched when the layer needs them
    double hot_rows = 0;       // Engram rows of each layer kept in accelerator memory
    double zipf_exponent = 0;  // skew of row popularity; 0 is uniform
    std::optional<TableDomains> domains{};

    bool swaps_tables() const { return domains && domains->waiting != engram; }
    int ranks() const { return stage_ranks() * pp; }
    int stage_ranks() const { return tp * cp * dp; }  // neighbours split tensors, then prompts
    // Ranks that hold different parts of the routed experts of one stage.
    int expert_shards() const { return ep > tp ? ep : tp; }
    int batches() const { return micro_batches * pp; }
    bool host_computes() const { return expert_processor == ExpertProcessor::host; }
};

Placement read_placement(const YamlField& field, bool routing = false);

// Which implementation runs where there are several.
enum class ExpertKernel {
    grouped,  // two grouped products with a SwiGLU between (DeepGEMM), exchanges before and after (DeepEP)
    fused,    // one Triton kernel a layer (SGLang), exchanges before and after
    cutlass,  // grouped products of CUTLASS with all around them (TensorRT-LLM), exchanges before and after
    mega      // one kernel that sends, computes and returns in waves (DeepGEMM's MegaMoE)
};
enum class ExchangeKernel {
    deepep,  // as measured: low latency in decode, normal in prefill
    fabric,  // flows on the platform's fabric, which then must have one
    wire     // every copy at the link's effective bandwidth and latency: the bound
};
struct Kernels {
    ExpertKernel experts = ExpertKernel::grouped;
    ExchangeKernel exchange = ExchangeKernel::deepep;
    Seconds launch{};  // what the host takes to issue a kernel; 0: a graph of kernels is replayed
};

// How closely the systemc engine looks at host memory.
enum class Detail {
    op,   // fetches at the rate that the bank model found for their rows
    bank  // every row, in the banks that it lies in
};

struct RlWorkload;  // sim/scenario/rl_workload.hpp

// One point, fully read.
struct Scenario {
    std::string name;
    std::optional<Access> access{};                  // then there is no model, and nothing is placed
    std::optional<CollectiveWorkload> collective{};  // nor is there here, and no system
    Model model;
    double rho = 1;
    bool allocated = false;  // by model.rho, not as the preset has it
    std::string system;      // its name in the catalogue; `platform` is what the scenario made of it
    PlatformSpec platform;
    std::optional<FabricSpec> fabric{};  // what ranks exchange over, where kernels.exchange asks for it
    Workload workload;
    std::optional<RoutingDials> routing{};       // none: tokens spread evenly over all experts
    std::optional<ServingWorkload> serving{};    // then `workload` is not used: steps of many shapes are run
    std::optional<TrainingWorkload> training{};  // nor here
    std::shared_ptr<const RlWorkload> rl{};      // nor here
    Placement placement;
    Kernels kernels;
    Detail detail = Detail::op;
    Economics economics{};
};

struct Point {
    Settings settings;  // what distinguishes it in the sweep
    YAML::Node document;
};

// The point with more fields set, each by its path, as --set would.
Point with_settings(const Point& point, const std::vector<std::pair<std::string, std::string>>& settings);

// Measurements that replace published laws.
struct QualitySources {
    std::string allocation;  // a CSV of losses against rho; empty: the published law
    std::string budget;      // of those in it; empty: it has one
};

// The dial of allocation: what is read of the rest of a model does not depend on it.
inline const std::string kRhoPath = "model.rho";

class KnownSections;

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
    const std::vector<std::string>& engines() const { return engines_; }  // those of its kind of workload
    const std::vector<std::string>& engines_of_kind() const;
    bool is_access() const { return kind_ == "access"; }
    bool is_collective() const { return kind_ == "collective"; }
    const std::vector<Assertion>& assertions() const { return assertions_; }
    const std::vector<Axis>& axes() const { return axes_; }
    const QualitySources& quality() const { return quality_; }
    const std::optional<SearchSpec>& search() const { return search_; }
    // The same with a document of its own: nodes of YAML cannot be read by two threads.
    ScenarioFile apart() const;
    // With these fields set, which distinguish it.
    Point point_with(Settings settings) const;
    // The cross product of all axes; the last varies fastest. Refused where an axis is a range. More than `kMaxPoints`
    // is refused before any is made.
    std::vector<Settings> settings() const;
    std::vector<Point> points() const;  // the same with their documents
    Point first_point() const { return point_with(settings().front()); }
    // Throws InputError with all that is wrong, each at its place: the axis's where an axis set the value.
    // `known`: what earlier points have read of it.
    Scenario read(const Point& point, const Catalog& catalog, KnownSections* known = nullptr) const;

    static constexpr double kMaxPoints = 1e7;

private:
    Model read_model_of(const YamlField& field, Problems& problems) const;

    std::string file_, models_folder_, name_, description_;
    std::vector<std::string> engines_;
    std::string kind_;  // of the workload as the file has it; what has engines of its own is no value of an axis
    YAML::Node document_;
    Places places_;
    std::vector<Axis> axes_;
    QualitySources quality_;
    std::vector<Assertion> assertions_;
    std::optional<SearchSpec> search_;
};

// One point from the text of its document, as a worker gets it; `file` is where errors say that it stands.
Scenario read_point(const std::string& document, const std::string& file, const std::string& models_folder,
                    const Catalog& catalog);

}  // namespace strata
