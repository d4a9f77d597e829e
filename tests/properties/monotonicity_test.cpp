// A better machine is never slower, more work never takes less time or less memory, and smaller formats never take more
// bytes.
#include <algorithm>

#include "hwmodels/rates.hpp"
#include "sim/model/precision.hpp"
#include "sim/study/variants.hpp"
#include "tests/properties/random_points.hpp"

namespace strata {
namespace {

double time_of(const Run& run) {
    for (const char* metric : {"decode.step_ms", "prefill.ttft_ms", "training.step_s", "collective.time_us"})
        if (const auto found = run.metrics.find(metric); found != run.metrics.end()) return found->second;
    throw std::logic_error("time_of: a run without a time");
}

std::string text_of(double number) { return fmt::format("{:.12g}", number); }

class Monotonicity : public RandomPoints {
protected:
    using RandomPoints::RandomPoints;
    // `more` runs, and takes as long as `base` or longer: but for `slack`, a share of the time.
    void expect_no_less(const Run& base, const std::optional<Run>& more, const PathValues& set, double slack) {
        if (!more) return;  // no longer fits
        const double before = time_of(base), after = time_of(*more);
        EXPECT_GE(after, before * (1 - slack)) << fmt::format("{}", fmt::join(options_of(set), " "));
        shortest = std::min(shortest, after / before);
    }
    void TearDown() override {
        if (shortest < kNone) RecordProperty("shortest_over_base", text_of(shortest));
    }

    static constexpr double kNone = 1e9;
    double shortest = kNone;  // of all that had more to do
};

class BetterMachine : public Monotonicity, public testing::WithParamInterface<RandomKind> {
protected:
    std::vector<PlatformResource> resources_of(const PlatformSpec& platform, double by) {
        std::vector<PlatformResource> found = improvable_resources(platform, by);
        std::erase_if(found, [](const PlatformResource& resource) { return !resource.known; });
        const auto more_of = [&](const char* path, const Sourced<double>& units) {
            if (units.value) found.push_back({.name = path, .better = {{path, text_of(2 * *units.value)}}});
        };
        more_of("platform.host.nvme_units", platform.system.nvme_units);
        more_of("platform.host.cxl_units", platform.system.cxl_units);
        if (platform.cxl)
            found.push_back({.name = "expander bandwidth",
                             .better = {{"platform.cxl.bandwidth",
                                         fmt::format("{} GB/s", to_GBps(platform.cxl->bandwidth.get()) * (1 + by))}}});
        return found;
    }
};

// An accelerator whose numbers are set is another device, held against one with the same numbers (sim/study/variants).
TEST_P(BetterMachine, is_never_slower) {
    double slowest = 0;
    each(GetParam(), GetParam() == RandomKind::training ? 20 : 40, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const PlatformSpec& platform = scenario.platform;
        // A training pipeline's layers are shared out anew on each machine, so that the longest stage is short, which
        // is not quite the shortest pipeline.
        const double slack = scenario.training && scenario.placement.pp > 1 ? 0.02 : kRounding;
        const PathValues other = as_another_device(platform);
        const Run as_it_is = run(scenario);
        const std::optional<Run> as_other = run_with(point, other);
        const double by = Dice(point.seed).of({0.05, 0.25, 1.0, 4.0});
        for (const PlatformResource& resource : resources_of(platform, by)) {
            const PathValues set = changed(resource, other);
            const std::optional<Run> better = run_with(point, set);
            const std::string options = fmt::format("{}", fmt::join(options_of(set), " "));
            ASSERT_TRUE(better) << "no longer runs with " << options;
            const double before = time_of(resource.of_device ? as_other.value() : as_it_is), after = time_of(*better);
            EXPECT_LE(after, before * (1 + slack)) << resource.name << ": " << options;
            slowest = std::max(slowest, after / before);
        }
    });
    RecordProperty("slowest_over_base", text_of(slowest));
}

INSTANTIATE_TEST_SUITE_P(Of, BetterMachine,
                         testing::Values(RandomKind::decode, RandomKind::prefill, RandomKind::training),
                         [](const auto& given) { return name_of(given.param); });

// Of one kind of attention throughout: with a fifth more layers. Where rho shares out what is sparse, each layer has
// fewer experts then.
PathValues more_layers(const Scenario& scenario) {
    const Model& model = scenario.model;
    if (scenario.allocated) return {};
    const std::map<AttentionKind, const char*> names{{AttentionKind::mla, "mla"}, {AttentionKind::dsa, "dsa"}};
    const auto name = names.find(model.attention_of.front().kind);
    if (name == names.end()) return {};
    const int layers = model.layers + model.layers / 5;
    return {{"model.layers", std::to_string(layers)},
            {"model.attention.pattern", fmt::format("[{{kinds: [{}], times: {}}}]", name->second, layers)}};
}

// Each alone, by the same factor.
std::vector<PathValues> more_work(const Scenario& scenario, double by) {
    const Workload& work = scenario.workload;
    const auto field = [&](const char* name, double value) {
        return PathValues{{fmt::format("workload.{}", name), text_of(std::ceil(value * by))}};
    };
    std::vector<PathValues> more{field("batch", work.batch)};
    if (!work.optical) {
        more.push_back(field("context", std::max(1.0, work.context)));
        if (work.prefill) more.push_back(field("prompt", work.prompt));
    }
    if (const PathValues layers = more_layers(scenario); !layers.empty()) more.push_back(layers);
    return more;
}

double factor_of(const RandomPoint& point) { return Dice(point.seed).of({1.01, 1.3, 2.0, 8.0}); }

// What a popular share of the entries answers grows with them, so that fewer of many are fetched than of some.
bool caches_popular_entries(const Placement& placement) { return placement.cached_kv > 0 && placement.kv_skew > 0; }

class MoreWork : public Monotonicity, public testing::WithParamInterface<RandomKind> {
protected:
    using Monotonicity::Monotonicity;
    void expect_longer_with_more(int count, double slack) {
        each(GetParam(), count, [&](const RandomPoint& point) {
            const Scenario scenario = point.read(inputs.catalog());
            const Run base = run(scenario);
            if (caches_popular_entries(scenario.placement)) return;
            for (const PathValues& set : more_work(scenario, factor_of(point)))
                expect_no_less(base, run_with(point, set), set, slack);
        });
    }
};

// A measured row stands as it was measured, and tables are made monotone along one side only: what more tokens or a
// longer context take can be less by as much as measurements scatter. 0.12 % of a step is the most of 2,300 seen.
TEST_P(MoreWork, takes_no_less_time_but_for_what_measurements_scatter) { expect_longer_with_more(100, 0.005); }

class MoreWorkByPhysics : public MoreWork {
protected:
    MoreWorkByPhysics() : MoreWork(physics_alone()) {}
};

TEST_P(MoreWorkByPhysics, takes_no_less_time) { expect_longer_with_more(150, kRounding); }

TEST_P(MoreWorkByPhysics, takes_no_less_memory) {
    each(GetParam(), 100, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const Run base = run(scenario);
        for (const PathValues& set : more_work(scenario, factor_of(point))) {
            const std::optional<Run> more = run_with(point, set);
            if (!more) continue;
            for (const auto& [name, gb] : base.metrics) {
                const bool staged = name == "memory.buffers_gb" || name == "memory.hbm_gb";
                if (!name.starts_with("memory.") || (staged && caches_popular_entries(scenario.placement))) continue;
                EXPECT_GE(more->metrics.at(name), gb * (1 - kRounding))
                    << name << " with " << fmt::format("{}", fmt::join(options_of(set), " "));
            }
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Of, MoreWork, testing::Values(RandomKind::decode, RandomKind::prefill),
                         [](const auto& given) { return name_of(given.param); });
INSTANTIATE_TEST_SUITE_P(Of, MoreWorkByPhysics, testing::Values(RandomKind::decode, RandomKind::prefill),
                         [](const auto& given) { return name_of(given.param); });

// From large to small. Formats within a few percent of each other are not compared: a row has whole blocks of scales,
// and which format's last block is emptier depends on its width.
std::vector<std::string> ever_smaller(const PrecisionNames& names) {
    std::vector<std::pair<double, std::string>> sorted;
    for (const auto& [name, precision] : names) sorted.emplace_back(-bytes_per_element(precision), name);
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::string> smaller;
    double last = 1e9;
    for (const auto& [bytes, name] : sorted) {
        if (-bytes > 0.95 * last) continue;
        smaller.push_back(name);
        last = -bytes;
    }
    return smaller;
}

// Not of activations and buffers: NVFP4 weights meet BF16 activations, FP8 ones do not.
class Formats : public Monotonicity {
protected:
    Formats() : Monotonicity(physics_alone()) {}
};

TEST_F(Formats, that_are_smaller_take_no_more_memory) {
    const std::vector<std::string> weights = ever_smaller(weight_precisions()), rows = ever_smaller(row_precisions());
    each(RandomKind::decode, 50, [&](const RandomPoint& point) {
        (void)run(point.read(inputs.catalog()));
        for (const auto& [field, names] : {std::pair("weights", &weights),
                                           {"experts", &weights},
                                           {"kv", &rows},
                                           {"index_keys", &rows},
                                           {"engram", &rows}}) {
            std::optional<Run> larger;
            for (const std::string& name : *names) {
                const std::optional<Run> smaller = run_with(point, {{fmt::format("model.precision.{}", field), name}});
                if (larger && smaller)
                    for (const char* kept : {"weights", "experts", "kv", "index", "engram", "host", "cxl", "nvme"}) {
                        const std::string metric = fmt::format("memory.{}_gb", kept);
                        EXPECT_LE(smaller->metrics.at(metric), larger->metrics.at(metric) * (1 + kRounding))
                            << field << " in " << name << ": " << metric;
                    }
                if (smaller) larger = smaller;
            }
        }
    });
}

class Collectives : public Monotonicity {};
TEST_F(Collectives, take_no_longer_on_faster_links_and_no_less_for_more_bytes) {
    each(RandomKind::collective, 200, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const Run base = run(scenario);
        const CollectiveWorkload& what = *scenario.collective;
        const auto faster = [&](const char* layer, const auto& spec) {
            if (!spec) return;
            const PathValues set{{fmt::format("platform.fabric.{}.bandwidth", layer),
                                  fmt::format("{} GB/s", 2 * to_GBps(spec->bandwidth.get()))}};
            const std::optional<Run> better = run_with(point, set);
            ASSERT_TRUE(better) << layer;
            EXPECT_LE(time_of(*better), time_of(base) * (1 + kRounding)) << layer;
        };
        faster("scale_up", what.fabric.scale_up);
        faster("scale_out", what.fabric.scale_out);
        const PathValues more = what.exchanges_tokens()
                                    ? PathValues{{"workload.tokens", text_of(2 * what.spread.tokens)}}
                                    : PathValues{{"workload.bytes", fmt::format("{:.0f} B", 2 * what.bytes.si())}};
        expect_no_less(base, run_with(point, more), more, kRounding);
    });
}

}  // namespace
}  // namespace strata
