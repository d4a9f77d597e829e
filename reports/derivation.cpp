#include "reports/derivation.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/cost/architecture.hpp"

namespace strata {

namespace {

std::string percent_of(double logarithm) { return fmt::format("{:+.1f} %", 100 * (std::exp(logarithm) - 1)); }

}  // namespace

std::string derivation_text(const OpPoint& point, const Device& device, const CostCurve& curve,
                            const Derivation& derived) {
    std::string text;
    const auto line = [&text](const std::string& what, const std::string& value, const std::string& why) {
        text += fmt::format("  {:<22} {:>14}  {}\n", what, value, why);
    };
    const auto us = [](Seconds time) { return fmt::format("{:.3f} us", to_us(time)); };
    const auto [estimate, physics, residual, table, measured] = derived;
    const Demand asked = form_of(point.family).demand(point);
    text += fmt::format("{} {} on {}\n", to_string(point.family), text_of(point), device.name);
    text += "what it asks for\n";
    if (asked.bf16 > Flops(0)) line("BF16 products", fmt::format("{:.4g} GFLOP", asked.bf16.si() / 1e9), "");
    if (asked.fp8 > Flops(0)) line("FP8 products", fmt::format("{:.4g} GFLOP", asked.fp8.si() / 1e9), "");
    if (asked.memory > Bytes(0)) line("memory traffic", fmt::format("{:.4g} MB", asked.memory.si() / 1e6), "");
    if (asked.link > Bytes(0)) line("sent over the link", fmt::format("{:.4g} MB", asked.link.si() / 1e6), "");
    text += "physics\n";
    line("bound", us(physics.bound), "at datasheet peaks: nothing is faster");
    line("launch", us(physics.launch), fmt::format("fitted: {}", curve.source));
    if (physics.launch > curve.overhead)
        line("", fmt::format("{:.2f} times", physics.launch / curve.overhead),
             "as long: its cores' clock is slower than the measured one's");
    if (physics.computing > Seconds(0))
        line("computing", us(physics.computing),
             fmt::format("at {:.1f} % of the peak", 100 * curve.compute_efficiency));
    if (asked.rows > 0 && instruction_rows(device) > asked.rows)
        line("", fmt::format("{:.0f} rows", asked.rows),
             fmt::format("fill part of an instruction of {:.0f}", instruction_rows(device)));
    if (physics.waves > 0 && physics.tile_rows == 0)
        line("", fmt::format("{:.0f} waves", physics.waves), fmt::format("over {:.0f} cores", device.cores));
    if (physics.tile_rows > 0)
        line("", fmt::format("{:.0f} waves", physics.waves),
             fmt::format("of {:.0f} tiles of {:.0f} x {:.0f}, {} and {:.0f} FLOPs a byte of operands to keep up",
                         device.cores, physics.tile_rows, physics.tile_columns, us(curve.wave), curve.operand_ratio));
    if (physics.moving > Seconds(0))
        line("moving", us(physics.moving), fmt::format("at {:.1f} % of the bandwidth", 100 * curve.memory_efficiency));
    if (physics.sending > Seconds(0))
        line("sending", us(physics.sending), fmt::format("at {:.1f} % of the link", 100 * curve.memory_efficiency));
    line("together", us(physics.time()), "launch and the slowest of these");
    text += "measurements\n";
    if (measured) line("here", us(*measured), "by this project's kernel, of this very shape (kernels/profiles)");
    if (!table)
        line("none", "", "no table of this family: physics is all there is");
    else
        line("table", fmt::format("{} rows", table->rows()),
             fmt::format("{} on {}: {}", table->origin(), table->device().name, table->source()));
    if (residual) {
        line("residual", percent_of(residual->log_ratio),
             "of measured times over physics, carried from the nearest rows");
        line("nearest row", fmt::format("{:.2f}", table->distance(point)), "doublings of a side away");
        line("spread", percent_of(table->band() * residual->deviation), "80 % of left-out rows so near were within");
        if (estimate.origin == Origin::transferred)
            line("spread elsewhere", percent_of(table->physics_spread()),
                 "what physics alone misses on the table's device");
    }
    text += fmt::format("estimate: {} ({} to {}, p10 to p90), {}{}\n", us(estimate.time), us(estimate.low),
                        us(estimate.high), to_string(estimate.origin),
                        estimate.outside ? ", OUTSIDE the lengths that were measured" : "");
    return text;
}

}  // namespace strata
