// What the verbs of `strata` do; main.cpp says what they are called with. Each returns the exit code: 0 fine, 1 ran but
// an assertion failed. Errors are thrown: InputError becomes 2, anything else 3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strata {

class ScenarioFile;

struct RunArguments {
    std::string scenario, json_file, out_folder;
    std::string figures_folder;  // empty: out_folder
    std::string trace_file, chakra_file, metrics_file;
    std::vector<std::string> set;
    std::vector<std::string> engines;  // replaces the scenario's own
    bool binds = false;                // of each point, what would make it better
    int jobs = 1;
    std::string command;  // as typed, for the report
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
};

int run_verb(const RunArguments& arguments, const std::string& root);
// Of a scenario with a search: what 'strata run' does then.
int search_verb(const RunArguments& arguments, const ScenarioFile& scenario, const std::string& root);
int binds_verb(const BindsArguments& arguments, const std::string& root);
int sensitivity_verb(const SensitivityArguments& arguments, const std::string& root);
// "10%", "10 %" or "0.1" of --by.
double share_from(const std::string& text);
int check_verb(const std::vector<std::string>& scenarios, const std::string& root);
int validate_verb(const std::string& json_file, const std::string& only, const std::string& root);
int balance_verb(const BalanceArguments& arguments, const std::string& root);
int catalog_verb(const std::string& kind, const std::string& name, bool json, const std::string& root);
int measure_verb(const MeasureArguments& arguments);
int measure_precision_verb(const std::string& out_file, std::uint64_t seed);
int explain_verb(const std::string& op, const std::string& shape, const std::string& device, bool json,
                 const std::string& root);
int quality_verb(const QualityArguments& arguments, const std::string& root);
int schema_verb(const std::string& kind, const std::string& root);

}  // namespace strata
