// What the verbs of `strata` do; main.cpp says what they are called with. Each returns the exit code: 0 fine, 1 ran but
// an assertion failed. Errors are thrown: InputError becomes 2, anything else 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/result/point_limits.hpp"

namespace strata {

class ScenarioFile;
struct StudyOptions;

// What a job array is asked for.
struct ClusterArguments {
    std::string partition, memory = "2G";
    std::vector<std::string> sbatch;
    int array = 1000;  // tasks at most
    int cores = 1;     // of a task
};

struct RunArguments {
    std::string scenario, json_file, out_folder;
    std::string figures_folder;  // empty: out_folder
    std::string trace_file, chakra_file, metrics_file;
    std::vector<std::string> set;
    std::vector<std::string> engines;  // replaces the scenario's own
    bool binds = false;                // of each point, what would make it better
    int jobs = 1;
    std::string store_file;  // empty: study.sqlite in the out folder, if there is one
    bool renew = false;      // compute what the store knows once more
    PointLimits limits{};
    std::string on = "this";  // machine, or slurm
    ClusterArguments cluster;
    std::string command;                    // as typed, for the report
    std::string junit_file, markdown_file;  // of the assertions, for CI
};

struct BindsArguments {
    std::string scenario, metric, json_file;
    std::string by = "10%";
    std::vector<std::string> set, engines;
};

struct SensitivityArguments {
    std::string scenario, metric, json_file;
    std::string by = "10%";
    int sobol = 0;  // samples; 0: the tornado alone
    std::vector<std::string> set;
};

struct MeasureArguments {
    std::vector<std::string> only;
    std::string out_file, scratch = ".", file_size, table_size;
    int threads = 1;
    bool quick = false, no_io_uring = false;
};

struct BalanceArguments {
    std::string scenario, json_file;
    std::vector<std::string> set;
    int layer = -1;  // the first that has a router
    int steps = 500;
    double bias_rate = 0.001;  // DeepSeek-V3, arXiv 2412.19437, section 4.2
    std::vector<std::int64_t> periods{0, 50, 200};
};

struct QualityArguments {
    std::string model, json_file;
    std::string accumulation = "promoted";  // as DeepSeek-V3 keeps the sums of FP8 products
    int depth = 0;                          // sublayers; 0: the model's own
    int iterations = 20;                    // mHC, arXiv 2512.24880: t_max
    int drafts = 0;                         // 0: as many as were published
    std::string allocation_points;          // CSV; empty: what was measured here at small scale
    std::optional<double> rho, slots;       // that the laws of allocation and of memory are asked for
};

struct TrainStudyArguments {
    std::string out_file;
    bool smoke = false;  // two tiny points instead of the study
    std::vector<std::string> budgets, residuals, optimisers;
    std::vector<double> rhos;
    std::vector<std::uint64_t> seeds{1};
};

struct ValidateArguments {
    std::string json_file, markdown_file;
    std::string only = "*";
    std::string against;  // a ledger of before: then what got worse fails, not what is off
};

struct CheckArguments {
    std::vector<std::string> scenarios;
    bool json = false;
};

// What a study of these arguments is run with. Throws InputError if its store cannot be written.
StudyOptions study_options(const RunArguments& arguments, const std::string& root);
int run_verb(const RunArguments& arguments, const std::string& root);
// Of a scenario with a search: what 'strata run' does then.
int search_verb(const RunArguments& arguments, const ScenarioFile& scenario, const std::string& root);
// With --on slurm: sends it there instead.
int submit_verb(const RunArguments& arguments, const std::string& root);
int study_chunk_verb(const std::string& folder, std::size_t chunk, int jobs, const std::string& root);
int study_merge_verb(const std::string& folder, const ClusterArguments& cluster, bool resubmit,
                     const std::string& root);
int binds_verb(const BindsArguments& arguments, const std::string& root);
int sensitivity_verb(const SensitivityArguments& arguments, const std::string& root);
// "10%", "10 %" or "0.1" of --by.
double share_from(const std::string& text);
int check_verb(const CheckArguments& arguments, const std::string& root);
int validate_verb(const ValidateArguments& arguments, const std::string& root);
int balance_verb(const BalanceArguments& arguments, const std::string& root);
int catalog_verb(const std::string& kind, const std::string& name, bool json, const std::string& root);
int measure_verb(const MeasureArguments& arguments);
int measure_precision_verb(const std::string& out_file, std::uint64_t seed);
int explain_verb(const std::string& op, const std::string& shape, const std::string& device, bool json,
                 const std::string& root);
int quality_verb(const QualityArguments& arguments, const std::string& root);
// Becomes strata-train; returns never, throws where that is not there.
int train_study_verb(const TrainStudyArguments& arguments, const std::string& root);
int schema_verb(const std::string& kind, const std::string& root);

}  // namespace strata
