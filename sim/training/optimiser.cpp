#include "sim/training/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <queue>

#include "kernels/optimizer/adamw.hpp"
#include "kernels/optimizer/muon.hpp"
#include "sim/model/element_bytes.hpp"
#include "sim/training/stage_costs.hpp"

namespace strata {

namespace {

// Kernels that stream: AdamW reached 94 % of a copy on the device that was measured.
Seconds streamed(const Work& work, const Device& on, const CostBook& costs) {
    if (work.bytes() <= Bytes(0)) return {};
    return costs.estimate(KernelWork{.family = Family::swiglu_quantise, .work = work}, on).time;
}

// FP32 gradients where the op counts BF16, moments in BF16 (DeepSeek-V3, arXiv 2412.19437, section 3.3.3).
Work adamw_work(double parameters) {
    Work work = AdamW{.parameters = parameters, .state_bytes = kBf16}.work();
    work.read += Bytes(parameters * (kFp32 - kBf16));
    return work;
}

class Update {
public:
    Update(const Scenario& scenario, const Platform& platform, const CostBook& costs)
        : scenario_(scenario), training_(*scenario.training), platform_(platform), costs_(costs) {}

    Seconds of(const Parameters& stage) const {
        double adamw = 0;
        Seconds muon;
        for (const bool routed : {false, true}) {
            const double sharing = training_.zero >= 1 ? replicas(scenario_.placement, routed) : 1;
            Parameters matrices;
            for (const Matrices& one : stage) {
                if (one.routed != routed) continue;
                if (training_.optimiser == Optimiser::adamw || one.adamw)
                    adamw += one.parameters() / sharing;
                else
                    matrices.push_back(one);
            }
            muon += muon_of(matrices, sharing, routed);
        }
        return streamed(adamw_work(adamw), platform_.device, costs_) + muon;
    }

    // Ranks between two that hold the same.
    double stride(bool routed) const { return routed ? scenario_.placement.expert_shards() : scenario_.placement.tp; }

private:
    // Whole matrices: the largest first, each to the rank with least to do (V4's report assigns them as a knapsack).
    // Rows: every rank has the update of all matrices to compute, from momentum that it gathers.
    Seconds muon_of(const Parameters& matrices, double sharing, bool routed) const {
        if (matrices.empty()) return {};
        double parameters = 0;
        std::vector<Seconds> each;
        for (const Matrices& one : matrices) {
            parameters += one.parameters();
            const Seconds time = newton_schulz_time(one.rows, one.columns, platform_.device, costs_);
            each.insert(each.end(), static_cast<std::size_t>(std::ceil(one.count)), time);
        }
        const double own = parameters / sharing;
        const Seconds elements = streamed(MuonMomentum{own}.work(), platform_.device, costs_) +
                                 streamed(MuonApply{own}.work(), platform_.device, costs_);
        if (!training_.whole_matrices && sharing > 1) {
            Seconds all;
            for (const Seconds time : each) all += time;
            return elements + all + ring_time(Bytes(parameters * kBf16), sharing, stride(routed), platform_, costs_);
        }
        return elements + longest(each, sharing);
    }

    static Seconds longest(std::vector<Seconds> each, double ranks) {
        std::sort(each.begin(), each.end(), std::greater<>());
        std::priority_queue<Seconds, std::vector<Seconds>, std::greater<>> busy;
        for (int i = 0; i < std::max(1, static_cast<int>(ranks)); ++i) busy.push(Seconds(0));
        Seconds last;
        for (const Seconds time : each) {
            const Seconds until = busy.top() + time;
            busy.pop();
            busy.push(until);
            last = std::max(last, until);
        }
        return last;
    }

    const Scenario& scenario_;
    const TrainingWorkload& training_;
    const Platform& platform_;
    const CostBook& costs_;
};

// Each row that any token of the step has looked up: gradient, master, moments read, all but the gradient written, by
// the rank that holds it.
Seconds update_of_tables(const Scenario& scenario, double tables, const Platform& platform, const CostBook& costs) {
    if (!scenario.model.engram || tables <= 0) return {};
    const EngramConfig& engram = *scenario.model.engram;
    const double rows = touched_rows(engram.rows_per_layer(), scenario.training->tokens() * engram.rows_per_token());
    const double elements = rows * tables * engram.row_dim / (scenario.placement.tp * scenario.placement.dp);
    const Work work{.flops = Flops(0),
                    .read = Bytes(elements * (2 * kFp32 + 2 * kBf16)),
                    .written = Bytes(elements * (kFp32 + 3 * kBf16))};
    return costs.estimate(KernelWork{.family = Family::engram_gather, .work = work}, platform.device).time;
}

}  // namespace

double touched_rows(double rows, double look_ups) { return rows * -std::expm1(look_ups * std::log1p(-1 / rows)); }

Seconds newton_schulz_time(double rows, double columns, const Device& on, const CostBook& costs) {
    constexpr double kSteps = 10;  // eight and two
    const double short_side = std::min(rows, columns), long_side = std::max(rows, columns);
    const auto product = [&](double m, double n, double k) {
        return costs.estimate(Gemm{.m = m, .n = n, .k = k}, on).time;
    };
    return kSteps * (product(short_side, short_side, long_side) + product(short_side, short_side, short_side) +
                     product(short_side, long_side, short_side));
}

Sharding sharding_of(const Scenario& scenario, const Parameters& stage, double tables, const Platform& platform,
                     const CostBook& costs) {
    const TrainingWorkload& training = *scenario.training;
    const ParameterSums sums = sums_of(stage);
    const Update update(scenario, platform, costs);
    const auto rings = [&](Bytes routed, Bytes other) {
        return ring_time(routed, replicas(scenario.placement, true), update.stride(true), platform, costs) +
               ring_time(other, replicas(scenario.placement, false), update.stride(false), platform, costs);
    };
    Sharding sharding;
    sharding.zero = training.zero == 3 ? 3 : 1;
    sharding.reduce = rings(Bytes(sums.routed * kFp32), Bytes(sums.other * kFp32));
    if (training.zero == 0)
        sharding.reduce = 2 * sharding.reduce;  // everybody has the sums: scattered, then gathered
    else
        sharding.gather = rings(sums.routed_stored, sums.other_stored);
    sharding.optimiser = update.of(stage) + update_of_tables(scenario, tables, platform, costs);
    return sharding;
}

}  // namespace strata
