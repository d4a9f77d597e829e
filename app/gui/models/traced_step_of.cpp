#include "app/gui/models/traced_step_of.hpp"

#include "hwmodels/input_error.hpp"
#include "sim/study/traced_step.hpp"

namespace strata {

StepTimeline traced_step_of(Answerer& answerer, const AnswerRequest& request, const std::string& simulator) {
    const Scenario scenario = answerer.read(request);
    if (!has_a_step(scenario))
        throw InputError("A timeline is of one step: decode or prefill. This workload has none.");
    const Program program = answerer.inputs().program_of(scenario);
    YAML::Node document = parse_yaml(request.document, request.file);
    document["workload"]["batch"] = scenario.workload.batch;  // where it was to be found, it is found
    try {
        StepTimeline timeline = timeline_of(program, traced_ranks({YAML::Dump(document), request.file},
                                                                  {.root = answerer.root(), .simulator = simulator}));
        timeline.engine = "systemc";
        return timeline;
    } catch (const std::exception& error) {
        StepTimeline timeline = timeline_of(program, traced_by_analytic(program));
        timeline.engine = "analytic";
        timeline.note = error.what();
        return timeline;
    }
}

}  // namespace strata
