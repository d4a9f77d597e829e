#include "sim/result/quality.hpp"

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

void add_band(Run& run, const std::string& name, double value, double low, double high) {
    run.metrics[name] = value;
    run.metrics[name + "_low"] = low;
    run.metrics[name + "_high"] = high;
}

}  // namespace

void add_quality(Run& run, const Model& model, QualityLaws& laws) {
    try {
        const ResidualGain& residual = laws.residual_of(model);
        add_band(run, "quality.residual_gain", residual.gain, residual.low, residual.high);
    } catch (const InputError& error) {
        run.absent["quality.residual_gain"] = error.what();
    }
    try {
        const LossEffect precision = laws.precision().loss_effect(model);
        add_band(run, "quality.precision_loss_percent", precision.percent, precision.low, precision.high);
    } catch (const InputError& error) {
        run.absent["quality.precision_loss_percent"] = error.what();
    }
}

}  // namespace strata
