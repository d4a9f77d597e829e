// A small study with round numbers: rho 0.4, 0.8 and 1 in two tiers, through both engines; the last point does not fit.
#pragma once

#include "reports/report.hpp"
#include "tests/source_root.hpp"

namespace strata {

inline Run hand_made_run(const std::string& engine, double tpot_ms) {
    Run run;
    run.engine = engine;
    run.metrics = {{"decode.tpot_ms", tpot_ms},
                   {"decode.tokens_per_s_per_accelerator", 64e3 / tpot_ms},
                   {"decode.tokens_per_s", 512e3 / tpot_ms},
                   {"memory.hbm_gb", 50},
                   {"memory.host_gb", 100},
                   {"memory.cxl_gb", 0},
                   {"memory.nvme_gb", 0},
                   {"memory.weights_gb", 10},
                   {"memory.experts_gb", 20},
                   {"memory.kv_gb", 8},
                   {"memory.index_gb", 1},
                   {"memory.engram_gb", 5},
                   {"memory.activations_gb", 2},
                   {"memory.buffers_gb", 4},
                   {"engram.stall_ms", 0}};
    run.share_of_compute = {{"interpolated", 0.75}, {"assumed", 0.25}};
    run.utilisation[0] = 0.9;
    run.bottleneck = "memory";
    run.components["experts"] = {.memory = tpot_ms * 0.5, .overhead = tpot_ms * 0.05, .exchange = tpot_ms * 0.1};
    run.components["attention"] = {.arithmetic = tpot_ms * 0.2, .fetch = 0};
    return run;
}

// TPOT 10, 20, 25 ms in HBM, 1 ms more in host memory; SystemC sees 10 % more.
inline Study hand_made_study() {
    Study study{"hand-made </script><b>", "a, \"quoted\" & <odd> study", {"analytic", "systemc"}, {}};
    for (const auto& [rho, tpot] : {std::pair{"0.4", 10.0}, {"0.8", 20.0}, {"1", 25.0}})
        for (const auto& [tier, more] : {std::pair{"hbm", 0.0}, {"host", 1.0}})
            for (const auto& [engine, factor] : {std::pair{"analytic", 1.0}, {"systemc", 1.1}})
                study.results.push_back({{{"model.rho", rho}, {"placement.engram.tier", tier}},
                                         engine,
                                         PointStatus::ok,
                                         {},
                                         hand_made_run(engine, (tpot + more) * factor)});
    for (std::size_t i = study.results.size() - 2; i < study.results.size(); ++i) {
        study.results[i].status = PointStatus::infeasible;
        study.results[i].reason = "needs 3 GB, \"has\" 2";
        study.results[i].run.reset();
    }
    return study;
}

// What a report needs beside a study, from the shipped files.
struct ReportFixture {
    Study study = hand_made_study();
    AllocationLaw law{kRoot + "/sim/quality/allocation_anchors.yaml"};
    Catalog catalog{kRoot + "/hwmodels/catalog"};
    CostBook costs{kRoot + "/sim/cost/cost_curves.yaml"};
    std::vector<Assertion> assertions{};

    Document document() const {
        return report_of({study, law, catalog, costs, "v4.1-flash", {"HGX_H200"}, assertions, Manifest{}});
    }
    Recommendation recommendation() const { return recommend(study, assertions, law, "v4.1-flash"); }
};

}  // namespace strata
