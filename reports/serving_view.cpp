#include "reports/serving_view.hpp"

#include "reports/study_view.hpp"

namespace strata {

bool is_serving(const Study& study) { return some_has(study, "serving.ttft_ms"); }

std::vector<AccessColumn> serving_columns(const Study& study) {
    std::vector<AccessColumn> columns;
    for (const AccessColumn& load :
         {AccessColumn{"workload.rate", "rate [1/s]", 1, 2}, {"workload.concurrency", "concurrency", 1, 0}})
        if (some_has(study, load.metric) && !setting(study.results.front(), load.metric)) columns.push_back(load);
    const std::vector<AccessColumn> all{{"serving.ttft_p50_ms", "TTFT p50 [ms]", 1, 0},
                                        {"serving.ttft_p99_ms", "p99", 1, 0},
                                        {"serving.tpot_p50_ms", "TPOT p50 [ms]", 1, 1},
                                        {"serving.tpot_p99_ms", "p99", 1, 1},
                                        {"serving.output_tokens_per_s", "output tok/s", 1, 0},
                                        {"serving.output_tokens_per_s_per_accelerator", "an accelerator", 1, 0},
                                        {"serving.served_well", "within limits [%]", 100, 1},
                                        {"serving.goodput_per_s", "goodput [1/s]", 1, 2},
                                        {"serving.batch", "batch", 1, 0},
                                        {"serving.queue", "queue", 1, 1},
                                        {"serving.preemptions", "put out", 1, 0},
                                        {"serving.failures", "failures", 1, 0},
                                        {"serving.availability", "available [%]", 100, 2}};
    columns.insert(columns.end(), all.begin(), all.end());
    if (some_has(study, "moe.load_max_over_mean"))
        columns.push_back({"moe.load_max_over_mean", "busiest rank / mean", 1, 2});
    return columns;
}

}  // namespace strata
