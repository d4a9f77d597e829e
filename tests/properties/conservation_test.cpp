// Parts add up to their whole, shares to one, and nothing is used more than it is there.
#include <algorithm>
#include <numeric>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/placement/memory.hpp"
#include "tests/properties/random_points.hpp"

namespace strata {
namespace {

#define EXPECT_SAME(a, b) EXPECT_NEAR(a, b, kRounding* std::max(std::abs(a), std::abs(b)))

Bytes sum_of(const std::vector<std::pair<std::string, Bytes>>& classes) {
    return std::accumulate(classes.begin(), classes.end(), Bytes(0),
                           [](Bytes sum, const auto& one) { return sum + one.second; });
}

double sum_of(const std::map<std::string, double>& shares) {
    return std::accumulate(shares.begin(), shares.end(), 0.0,
                           [](double sum, const auto& share) { return sum + share.second; });
}

class Conservation : public RandomPoints, public testing::WithParamInterface<RandomKind> {
protected:
    using RandomPoints::RandomPoints;
    struct Step {
        Scenario scenario;
        Program program;
        Timeline timeline;
        Run run;
    };
    Step step_of(const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        Program program = inputs.program_of(scenario);
        Timeline timeline = run_analytic(program);
        Run of_it = summarise(scenario, inputs.platform(scenario.platform).machine, program, timeline, "analytic");
        return {scenario, std::move(program), std::move(timeline), std::move(of_it)};
    }
};

class ConservationByPhysics : public Conservation {
protected:
    ConservationByPhysics() : Conservation(physics_alone()) {}
};

void expect_in_order(const Program& program, const Timeline& timeline) {
    const double rounding = kRounding * timeline.makespan.si();
    for (const Edge& edge : program.edges)
        EXPECT_LE(timeline.tasks[edge.before].end.si(), timeline.tasks[edge.after].begin.si() + rounding);
    std::array<double, kLanes> free{};
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        double& lane = free[static_cast<std::size_t>(program.tasks[i].lane)];
        EXPECT_LE(lane, timeline.tasks[i].begin.si() + rounding);
        lane = (timeline.tasks[i].end - program.tasks[i].latency).si();
    }
}

TEST_P(Conservation, of_a_steps_time) {
    each(GetParam(), 100, [&](const RandomPoint& point) {
        const Step step = step_of(point);
        expect_in_order(step.program, step.timeline);
        EXPECT_SAME(step.run.path->total_ms(), to_ms(step.timeline.makespan));
        EXPECT_SAME(sum_of(step.run.share_of_compute), 1.0);
        double kernels = 0, fetches = 0, exchanges = 0;
        for (const auto& [name, time] : step.run.components)
            kernels += time.kernels(), fetches += time.fetch, exchanges += time.exchange;
        const auto on = [&](auto which) {
            double ms = 0;
            for (const Task& task : step.program.tasks)
                if (task.pricing != Pricing::given && which(task.lane)) ms += to_ms(task.duration);
            return ms;
        };
        EXPECT_SAME(kernels, on([](Lane lane) { return lane == Lane::compute || lane == Lane::host_compute; }));
        EXPECT_SAME(fetches, on([](Lane lane) { return is_fetch(lane); }));
        EXPECT_SAME(exchanges, on([](Lane lane) { return lane == Lane::scale_up || lane == Lane::scale_out; }));
        for (const double share : step.run.utilisation) EXPECT_LE(share, 1 + kRounding);
        for (const ResourceUse& use : step.run.resources) EXPECT_LE(use.busy, 1 + kRounding) << use.name;
    });
}

TEST_P(ConservationByPhysics, of_memory) {
    each(GetParam(), 100, [&](const RandomPoint& point) {
        const Step step = step_of(point);
        const int ranks = inputs.platform(step.scenario.platform).machine.ranks;
        const MemoryUse use = memory_use(step.scenario, ranks);
        EXPECT_SAME(sum_of(use.classes()).si(), use.hbm_of_a_rank().si());
        EXPECT_SAME(sum_of(use.host.classes()).si(), use.host_of_a_node.si());
        EXPECT_SAME(sum_of(use.cxl.classes()).si(), use.cxl_of_a_node.si());
        EXPECT_SAME(sum_of(use.nvme.classes()).si(), use.nvme_of_a_node.si());
        double classes = 0;
        for (const char* name : {"weights", "experts", "kv", "index", "engram", "activations", "buffers"})
            classes += step.run.metrics.at(fmt::format("memory.{}_gb", name));
        EXPECT_SAME(classes, step.run.metrics.at("memory.hbm_gb"));
        EXPECT_LE(classes, to_GB(step.scenario.platform.accelerator.memory_capacity.get()) * (1 + kRounding));
    });
}

TEST_P(ConservationByPhysics, of_tokens_and_of_what_ranks_send_each_other) {
    each(GetParam(), 100, [&](const RandomPoint& point) {
        const Step step = step_of(point);
        const auto& metrics = step.run.metrics;
        const bool prefill = GetParam() == RandomKind::prefill;
        const double step_s = metrics.at(prefill ? "prefill.ttft_ms" : "decode.step_ms") / 1e3;
        const double tokens_per_s = metrics.at(prefill ? "prefill.tokens_per_s" : "decode.tokens_per_s");
        EXPECT_SAME(tokens_per_s * step_s, step.scenario.workload.batch * step.scenario.workload.tokens());
        for (const Task& task : step.program.tasks) {
            if (!task.joins || task.variation < 0) continue;
            const Variation& ranks = step.program.variations.at(static_cast<std::size_t>(task.variation));
            EXPECT_SAME(std::accumulate(ranks.done.begin(), ranks.done.end(), 0.0),
                        std::accumulate(ranks.received.begin(), ranks.received.end(), 0.0));
        }
        if (metrics.contains("moe.load_max_over_mean")) {
            EXPECT_GE(metrics.at("moe.load_max_over_mean"), 1 - kRounding);
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Of, Conservation, testing::Values(RandomKind::decode, RandomKind::prefill),
                         [](const auto& given) { return name_of(given.param); });

INSTANTIATE_TEST_SUITE_P(Of, ConservationByPhysics, testing::Values(RandomKind::decode, RandomKind::prefill),
                         [](const auto& given) { return name_of(given.param); });

using ConservationOfServing = RandomPoints;
using ConservationOfTraining = RandomPoints;
using ConservationOfCollectives = RandomPoints;

TEST_F(ConservationOfServing, of_tokens_and_time) {
    each(RandomKind::serving, 100, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const Run served = run(scenario);
        const auto of = [&](const char* name) { return served.metrics.at(fmt::format("serving.{}", name)); };
        EXPECT_SAME(sum_of(served.share_of_compute), 1.0);
        for (const char* share : {"utilisation", "served_well", "prefix_hits", "availability"})
            EXPECT_LE(of(share), 1 + kRounding) << share;
        EXPECT_LE(of("goodput_per_s"), of("requests_per_s") * (1 + kRounding));
        EXPECT_LE(of("ttft_ms"), of("end_to_end_ms") * (1 + kRounding));
        if (const auto* output = std::get_if<FixedLength>(&scenario.serving->arrivals.output)) {
            EXPECT_SAME(of("output_tokens_per_s"), of("requests_per_s") * output->tokens);
            EXPECT_SAME(of("end_to_end_ms"), of("ttft_ms") + of("tpot_ms") * (output->tokens - 1));
        }
        for (const char* name : {"ttft", "tpot", "itl", "end_to_end"}) {
            const auto at = [&](const char* p) { return of(fmt::format("{}_{}_ms", name, p).c_str()); };
            EXPECT_LE(at("p50"), at("p90")) << name;
            EXPECT_LE(at("p90"), at("p99")) << name;
        }
    });
}

TEST_F(ConservationOfTraining, of_time_and_memory) {
    each(RandomKind::training, 60, [&](const RandomPoint& point) {
        const Run trained = run(point.read(inputs.catalog()));
        const auto sum = [&](const char* group, std::initializer_list<const char*> parts) {
            double all = 0;
            for (const char* part : parts) all += trained.metrics.at(fmt::format("{}.{}", group, part));
            return all;
        };
        EXPECT_SAME(sum("training", {"forward_s", "backward_s", "weight_gradients_s", "forward_and_backward_s",
                                     "bubble_s", "update_s"}),
                    trained.metrics.at("training.step_s"));
        EXPECT_SAME(
            sum("memory", {"weights_gb", "gradients_gb", "optimiser_gb", "activations_gb", "engram_gb", "buffers_gb"}),
            trained.metrics.at("memory.hbm_gb"));
        EXPECT_SAME(sum_of(trained.share_of_compute), 1.0);
        if (trained.metrics.contains("goodput.effective_share")) {
            EXPECT_SAME(
                sum("goodput", {"effective_share", "lost_share", "checkpoint_share", "restart_share", "waiting_share"}),
                1.0);
        }
        EXPECT_LE(trained.metrics.at("training.mfu_causal"), 1);
        EXPECT_LE(trained.metrics.at("training.bubble_share"), 1);
    });
}

TEST_F(ConservationOfCollectives, of_time) {
    each(RandomKind::collective, 300, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const auto metrics = run(scenario).metrics;
        EXPECT_SAME(to_us(scenario.collective->terms.startup) + metrics.at("collective.latency_us") +
                        metrics.at("collective.wire_us") + metrics.at("collective.waiting_us"),
                    metrics.at("collective.time_us"));
        EXPECT_LE(metrics.at("collective.busiest_link_share"), 1);
        EXPECT_LE(metrics.at("collective.bus_bandwidth_GBps"), 2 * metrics.at("collective.algorithm_bandwidth_GBps"));
    });
}

}  // namespace
}  // namespace strata
