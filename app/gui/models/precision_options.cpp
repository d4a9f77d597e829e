#include "app/gui/models/precision_options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "reports/study_view.hpp"
#include "sim/model/precision.hpp"
#include "sim/study/analytic_run.hpp"

namespace strata {

namespace {

struct TensorClass {
    std::string name;  // under model.precision
    const PrecisionNames* formats;
    std::optional<Precision> now;
};

std::vector<TensorClass> classes_of(const Model& model) {
    std::vector<TensorClass> classes{{"weights", &weight_precisions(), model.weights}};
    if (model.ffn.experts > 0) classes.push_back({"experts", &weight_precisions(), model.experts});
    classes.push_back({"activations", &activation_precisions(), model.activations_with(model.weights)});
    classes.push_back({"kv", &row_precisions(), model.kv});
    if (model.attention.indexer_heads > 0) classes.push_back({"index_keys", &row_precisions(), model.index_keys});
    if (model.engram) classes.push_back({"engram", &row_precisions(), model.engram_rows});
    return classes;
}

std::optional<double> metric(const Run& run, const std::string& name) {
    const auto at = run.metrics.find(name);
    return at == run.metrics.end() ? std::nullopt : std::optional(at->second);
}

// The worst of the data that the format was measured on.
std::optional<double> error_of(Precision format, const PrecisionLaw& law) {
    try {
        return 100 * std::sqrt(law.noise(format, Precision::bf16, 1).worst());
    } catch (const InputError&) {
        return std::nullopt;
    }
}

void price(PrecisionOption& option, const Scenario& scenario, Answerer& answerer) {
    const Run run = analytic_run(scenario, answerer.inputs(), answerer.bench());
    option.time_ms = time_ms(run);
    option.hbm_gb = metric(run, "memory.hbm_gb").value_or(0);
    option.loss = metric(run, "quality.precision_loss_percent");
    option.loss_low = metric(run, "quality.precision_loss_percent_low");
    option.loss_high = metric(run, "quality.precision_loss_percent_high");
}

}  // namespace

PrecisionOptions precision_options(Answerer& answerer, const AnswerRequest& request) {
    const Scenario here = answerer.read(request);
    if (!has_a_step(here))
        throw InputError("Formats are compared on a decode or prefill step; this workload has none.");
    const ScenarioFile file(request.file, parse_yaml(request.document, request.file),
                            answerer.root() + "/scenarios/models");
    const Point point = with_settings(file.first_point(), {{"workload.batch", fmt::format("{}", here.workload.batch)}});
    PrecisionOptions found{.time_label = here.workload.prefill ? "TTFT [ms]" : "TPOT [ms]", .options = {}};
    for (const TensorClass& tensors : classes_of(here.model)) {
        std::set<Precision> seen;
        for (const auto& [format, precision] : *tensors.formats) {
            if (!seen.insert(precision).second) continue;  // another name of the same
            PrecisionOption option{.tensors = tensors.name,
                                   .format = std::string(format),
                                   .chosen = tensors.now == precision,
                                   .error = error_of(precision, answerer.inputs().quality().precision())};
            try {
                price(option,
                      file.read(with_settings(point, {{"model.precision." + tensors.name, std::string(format)}}),
                                answerer.inputs().catalog()),
                      answerer);
            } catch (const InputError& error) {
                option.reason = error.what();
            }
            found.options.push_back(std::move(option));
        }
    }
    return found;
}

}  // namespace strata
