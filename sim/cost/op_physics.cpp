#include "sim/cost/op_physics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "hwmodels/input_error.hpp"
#include "sim/cost/architecture.hpp"

namespace strata {

namespace {

// Tiles that Hopper's libraries choose from (DeepGEMM's and cuBLAS's kernels: 64 to 256 rows, 16 to 256 columns); the
// fastest by our own count is taken, as their heuristics try to.
constexpr std::array kTileRows{64.0, 128.0, 256.0};
constexpr std::array kTileColumns{16.0, 32.0, 48.0, 64.0, 80.0, 96.0, 112.0, 128.0, 144.0, 160.0, 192.0, 256.0};
constexpr double kLargestTile = 256 * 128;
constexpr double kLargestPromotedColumns = 160;  // FP8 sums are promoted in registers: wider tiles do not fit

struct Sides {
    double m, n, k;
};

// Of a number that is not negative. The library's own is a call on machines without SSE4.
double ceiling(double x) {
    const auto whole = static_cast<double>(static_cast<std::int64_t>(x));
    return whole < x ? whole + 1 : whole;
}

void whole_waves(const Sides& s, bool fp8, double flops_per_core, double cores, const CostCurve& curve, Physics& out) {
    const double bytes = fp8 ? 1 : 2, wave = curve.wave.si(), an_element = 2 * s.k / flops_per_core;
    // Operands come to a core as fast as makes `operand_ratio` FLOPs a byte keep its tensor cores busy.
    const double an_operand = s.k * bytes * curve.operand_ratio / flops_per_core;
    double best = INFINITY;
    for (const double rows : kTileRows) {
        const double tiles_down = ceiling(s.m / rows) / cores;
        for (const double columns : kTileColumns) {
            if (rows * columns > kLargestTile || (fp8 && columns > kLargestPromotedColumns)) continue;
            const double waves = ceiling(tiles_down * ceiling(s.n / columns) - 1e-9);
            const double tile = std::max(rows * columns * an_element, (rows + columns) * an_operand);
            const double time = waves * (tile + wave);
            if (time >= best) continue;
            best = time;
            out.tile_rows = rows;
            out.tile_columns = columns;
            out.waves = waves;
        }
    }
    out.computing = Seconds(best);
}

Seconds over(Flops flops, FlopRate peak, const std::string& missing) {
    if (flops <= Flops(0)) return Seconds(0);
    if (!missing.empty()) throw InputError(missing);
    return flops / peak;
}

// What of an overhead is clocks of the cores is not known: where they are slower it is taken to be all of it, and none
// where they are faster, so that nothing is promised.
double slowdown(double measured_hz, double hz) {
    return measured_hz > 0 && hz > 0 ? std::max(1.0, measured_hz / hz) : 1;
}

// What the device's own kernels and instructions make of it.
Demand as_run_on(const Device& device, Demand asked) {
    if (asked.absorbed_prefill && prefills_in_multi_head_form(device)) {
        asked.bf16 = asked.bf16 - asked.bf16_saved;
        asked.memory = asked.memory - asked.memory_saved;
    }
    const double rows = instruction_rows(device);
    if (asked.rows <= 0 || rows <= 0) return asked;
    const double idle = ceiling(asked.rows / rows) * rows / asked.rows - 1;
    asked.bf16 = asked.bf16 + asked.bf16_in_rows * idle;
    asked.fp8 = asked.fp8 + asked.fp8_in_rows * idle;
    return asked;
}

}  // namespace

Seconds roofline(const Work& work, FlopRate peak, Bandwidth memory, const CostCurve& curve) {
    const Seconds computing = work.flops > Flops(0) ? work.flops / (peak * curve.compute_efficiency) : Seconds(0);
    return curve.overhead + std::max(computing, work.bytes() / (memory * curve.memory_efficiency));
}

Seconds bound_of(const OpPoint& point, const Device& on) {
    const Demand asked = form_of(point.family).demand(point);
    const Seconds computing = over(asked.bf16 - asked.bf16_saved, on.bf16, on.bf16_missing) +
                              over(asked.fp8 - asked.fp8_saved, on.fp8, on.fp8_missing);
    const Seconds moving = (asked.memory - asked.memory_saved) / on.memory;
    if (asked.link <= Bytes(0)) return std::max(computing, moving);
    if (on.link <= Bandwidth(0)) throw InputError(on.link_missing);
    return std::max({computing, moving, (asked.link - asked.link_saved) / on.link});
}

Physics physics_of(const OpPoint& point, const CostCurve& curve, const Device& on) {
    const Demand asked = as_run_on(on, form_of(point.family).demand(point));
    const Seconds computing = over(asked.bf16, on.bf16, on.bf16_missing) + over(asked.fp8, on.fp8, on.fp8_missing);
    if (asked.link > Bytes(0) && on.link <= Bandwidth(0)) throw InputError(on.link_missing);
    const Seconds sending = asked.link > Bytes(0) ? asked.link / on.link : Seconds(0);
    Physics physics{.launch = curve.overhead * slowdown(curve.clock_hz, clock_hz(on)),
                    .computing = computing / curve.compute_efficiency,
                    .moving = asked.memory / on.memory / curve.memory_efficiency,
                    .sending = sending / curve.memory_efficiency,
                    .bound = bound_of(point, on)};
    if (asked.blocks > 0 && on.cores > 0) {
        physics.waves = std::ceil(asked.blocks / on.cores);
        physics.computing = physics.computing * (physics.waves * on.cores / asked.blocks);
    }
    if (asked.elements > 0 && on.cores > 0 && curve.elements_per_us > 0)
        physics.computing = Seconds(asked.elements / (on.cores * curve.elements_per_us) * 1e-6);
    const bool fp8 = point.family == Family::gemm_fp8, product = fp8 || point.family == Family::gemm_bf16;
    physics.needs_cores = product || asked.blocks > 0 || asked.elements > 0;
    if (product && on.cores > 0) {
        const double peak = (fp8 ? on.fp8 : on.bf16).si() * curve.compute_efficiency;
        whole_waves({point.sides[0], point.sides[1], point.sides[2]}, fp8, peak / on.cores, on.cores, curve, physics);
    }
    return physics;
}

}  // namespace strata
