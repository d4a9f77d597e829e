#include "reports/closer_look.hpp"

#include <algorithm>

#include "reports/study_view.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/study/point_runner.hpp"

namespace strata {

std::optional<CloserLook> closer_look(const ScenarioFile& file, const PointResult& at, const Study& study,
                                      const std::string& root) {
    if (!at.run || !at.run->path) return std::nullopt;
    const Point point = file.point_with(at.settings);
    PointRunner runner(root);
    Scenario scenario = file.read(point, runner.catalog());
    if (!runner.settle(scenario).empty()) return std::nullopt;
    scenario.workload.largest_with.reset();
    const Run run = runner.run(scenario);
    if (!run.path) return std::nullopt;
    Inputs inputs(root);
    const Program program = inputs.program_of(scenario);
    return CloserLook{.point = label_of(at, study),
                      .tornado = tornado_of(file, point, run, {.metric = speed_names(run).time}, {.root = root}),
                      .step = trace_of(program, run_analytic(program))};
}

}  // namespace strata
