#include "sim/result/run_json.hpp"

namespace strata {

nlohmann::ordered_json to_json(const Run& run) {
    nlohmann::ordered_json utilisation;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        utilisation[std::string(kLaneNames[lane])] = run.utilisation[lane];
    return {{"engine", run.engine},
            {"metrics", run.metrics},
            {"bottleneck", run.bottleneck},
            {"utilisation", utilisation},
            {"share_of_compute_by_origin", run.share_of_compute}};
}

}  // namespace strata
