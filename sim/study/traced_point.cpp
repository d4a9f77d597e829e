#include "sim/study/traced_point.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/study/simulator_pool.hpp"

namespace strata {

std::vector<RankTrace> traced_by_systemc(const PointText& point, const std::string& root,
                                         const std::string& simulator) {
    const nlohmann::ordered_json request{
        {"id", 0}, {"root", root}, {"file", point.file}, {"document", point.document}, {"trace", true}};
    std::vector<RankTrace> traces;
    simulate_lines(simulator_path(simulator), 1, {}, {request.dump()},
                   [&](std::size_t, const nlohmann::ordered_json& answer) {
                       if (answer.at("status") == "infeasible") throw InputError(answer.at("reason"));
                       if (answer.at("status") != "ok") throw std::runtime_error(answer.at("reason"));
                       traces = traces_from_json(answer.at("ranks"));
                   });
    return traces;
}

std::vector<RankTrace> traced_by_analytic(const Program& program) {
    return {{.name = "every rank", .role = "all alike", .timeline = run_analytic(program)}};
}

}  // namespace strata
