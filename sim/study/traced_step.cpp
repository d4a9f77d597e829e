#include "sim/study/traced_step.hpp"

#include <nlohmann/json.hpp>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/trace_json.hpp"
#include "sim/study/point_runner.hpp"
#include "sim/study/simulator_pool.hpp"

namespace strata {

namespace {

nlohmann::ordered_json traced(const PointText& point, const StudyOptions& options) {
    const nlohmann::ordered_json request{
        {"id", 0}, {"root", options.root}, {"file", point.file}, {"document", point.document}, {"trace", true}};
    nlohmann::ordered_json traced;
    simulate_lines(simulator_path(options.simulator), 1, options.limits, {request.dump()},
                   [&](std::size_t, const nlohmann::ordered_json& answer) {
                       const std::string status = answer.at("status");
                       if (status == "infeasible") throw InputError(answer.at("reason").get<std::string>());
                       if (status != "ok") throw std::runtime_error(answer.at("reason").get<std::string>());
                       traced = answer;
                   });
    return traced;
}

}  // namespace

Trace traced_step(const ScenarioFile& file, const Point& point, const StudyOptions& options) {
    PointRunner runner(options.root);
    Scenario scenario = file.read(point, runner.catalog());
    if (scenario.access || scenario.collective || scenario.serving || scenario.training || scenario.rl)
        throw InputError(file.file() + ": a trace", "a step of a model: workload.kind decode or prefill",
                         "another kind of workload");
    if (const std::string obstacle = runner.settle(scenario); !obstacle.empty()) throw InputError(obstacle);
    YAML::Node document = YAML::Clone(point.document);
    if (scenario.workload.largest_with) document["workload"]["batch"] = scenario.workload.batch;
    return trace_from_json(traced({YAML::Dump(document), file.file()}, options).at("trace"));
}

std::vector<RankTrace> traced_ranks(const PointText& point, const StudyOptions& options) {
    return traces_from_json(traced(point, options).at("ranks"));
}

std::vector<RankTrace> traced_by_analytic(const Program& program) {
    return {{.name = "every rank", .role = "all alike", .timeline = run_analytic(program)}};
}

}  // namespace strata
