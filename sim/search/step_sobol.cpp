#include "sim/search/step_sobol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/engine/analytic/hardware_sweep.hpp"
#include "sim/search/ranking.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

struct Knob {
    std::string name;
    std::function<void(Platform&, double)> scale;
};

template <class Quantity>
void faster(Quantity& rate, double factor) {
    rate = rate * factor;
}

// Those whose numbers the platform has; names as `strata binds` has them.
std::vector<Knob> knobs_of(const Platform& base) {
    std::vector<Knob> knobs{{"HBM bandwidth",
                             [](Platform& p, double f) {
                                 faster(p.device.memory, f);
                                 faster(p.machine.memory, f);
                             }},
                            {"tensor peak",
                             [](Platform& p, double f) {
                                 for (FlopRate* peak : {&p.device.bf16, &p.device.fp8, &p.device.int8})
                                     faster(*peak, f);
                             }},
                            {"kernel launch", [](Platform& p, double f) { p.launch /= f; }}};
    if (base.scale_up_missing.empty()) {
        knobs.push_back({"scale-up bandwidth", [](Platform& p, double f) {
                             for (Bandwidth* rate : {&p.device.link, &p.scale_up_raw, &p.machine.scale_up})
                                 faster(*rate, f);
                         }});
        knobs.push_back({"scale-up latency", [](Platform& p, double f) { faster(p.scale_up_latency, 1 / f); }});
    }
    if (base.scale_out_missing.empty()) {
        knobs.push_back({"scale-out bandwidth", [](Platform& p, double f) {
                             for (Bandwidth* rate : {&p.scale_out_raw, &p.machine.scale_out}) faster(*rate, f);
                         }});
        knobs.push_back({"scale-out latency", [](Platform& p, double f) { faster(p.scale_out_latency, 1 / f); }});
    }
    if (base.host_missing.empty()) {
        knobs.push_back({"host link bandwidth", [](Platform& p, double f) { faster(p.machine.host_link, f); }});
        knobs.push_back({"host link latency", [](Platform& p, double f) { faster(p.host_latency, 1 / f); }});
        knobs.push_back({"host memory bandwidth", [](Platform& p, double f) { faster(p.machine.host_memory, f); }});
    }
    if (base.nvme_missing.empty()) {
        knobs.push_back({"drives", [](Platform& p, double f) {
                             faster(p.machine.nvme, f);
                             p.machine.nvme_iops *= f;
                         }});
        knobs.push_back({"drive latency", [](Platform& p, double f) { faster(p.nvme_latency, 1 / f); }});
    }
    return knobs;
}

}  // namespace

StepSobol step_sobol(const Scenario& scenario, Inputs& inputs, double by, const SobolOptions& options) {
    Platform base = beside_exchanges(scenario, inputs.platform(scenario.platform));
    if (scenario.model.computes_in_int8()) base.device = in_int8(base.device);
    base.device.name.clear();
    base.device.cuda_name.clear();
    HardwareSweep sweep(inputs.program_of(scenario), inputs.costs(), scenario.placement.ranks());
    const std::vector<Knob> knobs = knobs_of(base);
    StepSobol found{.names = {}, .result = {}};
    for (const Knob& knob : knobs) found.names.push_back(knob.name);
    // One input a family and provenance, as it is priced on the platform as it is.
    std::map<std::pair<Family, Origin>, std::size_t> sources;
    found.base_ms = to_ms(sweep.makespan(base, [&](const Task& task, const Price& price) {
        const bool known = price.low < 1 || price.high > 1;
        if (known && sources.try_emplace({task.family, price.origin}, found.names.size()).second)
            found.names.push_back(fmt::format("{} ({})", to_string(task.family), to_string(price.origin)));
        return 1.0;
    }));
    const auto step_ms = [&](const std::vector<double>& uniform) {
        Platform there = base;
        for (std::size_t i = 0; i < knobs.size(); ++i) knobs[i].scale(there, std::pow(1 + by, 2 * uniform[i] - 1));
        return to_ms(sweep.makespan(there, [&](const Task& task, const Price& price) {
            const auto source = sources.find({task.family, price.origin});
            if (source == sources.end() || !(price.low < 1 || price.high > 1)) return 1.0;
            return split_lognormal(normal_quantile(uniform[source->second]), price.low, price.high);
        }));
    };
    found.result = sobol_indices(step_ms, found.names.size(), options);
    return found;
}

}  // namespace strata
