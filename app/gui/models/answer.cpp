#include "app/gui/models/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "reports/study_view.hpp"
#include "sim/placement/memory.hpp"
#include "sim/study/analytic_run.hpp"
#include "sim/study/point_runner.hpp"

namespace strata {

namespace {

double since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

std::optional<double> in_gb(const Sourced<Bytes>& bytes, double units = 1) {
    return bytes.value ? std::optional(to_GB(*bytes.value) * units) : std::nullopt;
}

std::vector<MemoryTier> tiers_of(const Scenario& scenario, int ranks) {
    const MemoryUse use = memory_use(scenario, ranks);
    const PlatformSpec& platform = scenario.platform;
    MemoryTier hbm{"accelerator", {}, in_gb(platform.accelerator.memory_capacity)};
    for (const auto& [name, bytes] : use.classes())
        if (bytes > Bytes(0)) hbm.used_gb.emplace_back(name, to_GB(bytes));
    std::vector<MemoryTier> tiers{hbm};
    const auto below = [&](const char* name, const MemoryUse::Below& used, std::optional<double> capacity) {
        MemoryTier tier{name, {}, capacity};
        for (const auto& [kept, bytes] : used.classes()) tier.used_gb.emplace_back(kept, to_GB(bytes));
        if (!tier.used_gb.empty()) tiers.push_back(std::move(tier));
    };
    below("host, a node", use.host, in_gb(platform.system.host_memory_capacity));
    const auto units = [](const Sourced<double>& count) { return count.value.value_or(0); };
    below("CXL, a node", use.cxl,
          platform.cxl ? in_gb(platform.cxl->capacity, units(platform.system.cxl_units)) : std::nullopt);
    below("NVMe, a node", use.nvme,
          platform.nvme ? in_gb(platform.nvme->capacity, units(platform.system.nvme_units)) : std::nullopt);
    return tiers;
}

}  // namespace

bool has_a_step(const Scenario& scenario) {
    return !scenario.access && !scenario.collective && !scenario.serving && !scenario.training && !scenario.rl;
}

std::vector<RooflineOp> roofline_ops(const Program& program) {
    using Key = std::tuple<Slot, std::string, Family, std::optional<OpPoint>, double, double>;
    std::map<Key, RooflineOp> ops;
    for (const Task& task : program.tasks) {
        if (task.pricing != Pricing::kernel) continue;
        const auto [at, is_new] = ops.try_emplace(
            Key{task.slot, std::string(task.name), task.family, task.point, task.flops.si(), task.moved.si()});
        RooflineOp& op = at->second;
        if (is_new)
            op = {.component = component_of(task.slot),
                  .name = std::string(task.name),
                  .family = task.family,
                  .origin = task.origin,
                  .outside = task.outside,
                  .memory_bound = task.memory_bound,
                  .fp8 = task.fp8,
                  .flops = task.flops.si(),
                  .bytes = task.moved.si(),
                  .time_us = to_us(task.duration),
                  .point = task.point};
        ++op.calls;
    }
    std::vector<RooflineOp> sorted;
    for (auto& [key, op] : ops) sorted.push_back(std::move(op));
    std::stable_sort(sorted.begin(), sorted.end(), [](const RooflineOp& a, const RooflineOp& b) {
        return a.calls * a.time_us > b.calls * b.time_us;
    });
    return sorted;
}

std::vector<Verdict> verdicts_of(const Run& run, const std::vector<Assertion>& assertions) {
    std::vector<Verdict> verdicts;
    for (const Assertion& assertion : assertions) {
        const auto metric = run.metrics.find(assertion.metric);
        const bool known = metric != run.metrics.end();
        verdicts.push_back({assertion.text, known ? std::optional(metric->second) : std::nullopt,
                            known && assertion.holds(metric->second)});
    }
    return verdicts;
}

Scenario Answerer::read(const AnswerRequest& request) {
    Scenario scenario = read_point(request.document, request.file, root_ + "/scenarios/models", inputs_.catalog());
    settle(scenario, inputs_);
    return scenario;
}

Answer Answerer::answer(const AnswerRequest& request) {
    const auto begin = std::chrono::steady_clock::now();
    Answer answer{.name = request.name};
    try {
        const Scenario scenario = read(request);
        answer.run = analytic_run(scenario, inputs_, bench_);
        answer.engine = answer.run->engine;
        answer.ms = since(begin);
        answer.verdicts = verdicts_of(*answer.run, request.assertions);
        if (has_a_step(scenario)) {
            const Platform& platform = inputs_.platform(scenario.platform);
            answer.device = platform.device;
            answer.ops = roofline_ops(inputs_.program_of(scenario));
            answer.memory = tiers_of(scenario, platform.machine.ranks);
        }
    } catch (const InputError& error) {
        answer.reason = error.what();
        answer.ms = since(begin);
    }
    return answer;
}

std::optional<Answer> Answerer::refined(const AnswerRequest& request, const std::string& simulator) {
    const auto begin = std::chrono::steady_clock::now();
    Answer answer{.engine = "systemc"};
    try {
        if (!has_a_step(read(request))) return std::nullopt;
        YAML::Node document = parse_yaml(request.document, request.file);
        document.remove("axes");
        document.remove("engines");
        const ScenarioFile file(request.file, document, root_ + "/scenarios/models");
        Study study = run_study(file, {.root = root_, .engines = {"systemc"}, .simulator = simulator});
        PointResult& result = study.results.front();
        answer.run = std::move(result.run);
        answer.reason = result.reason;
    } catch (const InputError& error) {
        answer.reason = error.what();
    }
    if (answer.run) answer.verdicts = verdicts_of(*answer.run, request.assertions);
    answer.ms = since(begin);
    return answer;
}

}  // namespace strata
