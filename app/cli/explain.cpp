#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "hwmodels/catalog.hpp"
#include "sim/cost/cost_book.hpp"

namespace strata {

namespace {

std::string percent_of(double logarithm) { return fmt::format("{:+.1f} %", 100 * (std::exp(logarithm) - 1)); }

Family family_asked(const std::string& name) {
    const auto family = family_named(name);
    if (family && !form_of(*family).sides.empty()) return *family;
    std::string known;
    for (int i = 0; i < kFamilies; ++i)
        if (!form_of(static_cast<Family>(i)).sides.empty())
            known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(static_cast<Family>(i)));
    throw InputError("OP", fmt::format("one of {}", known), fmt::format("'{}'", name));
}

void print(const OpPoint& point, const Device& device, const CostCurve& curve, const Derivation& derived) {
    const auto line = [](const std::string& what, const std::string& value, const std::string& why) {
        std::cout << fmt::format("  {:<22} {:>14}  {}\n", what, value, why);
    };
    const auto us = [](Seconds time) { return fmt::format("{:.3f} us", to_us(time)); };
    const auto [estimate, physics, residual, table, measured] = derived;
    const Demand asked = form_of(point.family).demand(point);
    std::cout << fmt::format("{} {} on {}\n", to_string(point.family), text_of(point), device.name);
    std::cout << "what it asks for\n";
    if (asked.bf16 > Flops(0)) line("BF16 products", fmt::format("{:.4g} GFLOP", asked.bf16.si() / 1e9), "");
    if (asked.fp8 > Flops(0)) line("FP8 products", fmt::format("{:.4g} GFLOP", asked.fp8.si() / 1e9), "");
    if (asked.memory > Bytes(0)) line("memory traffic", fmt::format("{:.4g} MB", asked.memory.si() / 1e6), "");
    if (asked.link > Bytes(0)) line("sent over the link", fmt::format("{:.4g} MB", asked.link.si() / 1e6), "");
    std::cout << "physics\n";
    line("bound", us(physics.bound), "at datasheet peaks: nothing is faster");
    line("launch", us(physics.launch), fmt::format("fitted: {}", curve.source));
    if (physics.computing > Seconds(0))
        line("computing", us(physics.computing),
             fmt::format("at {:.1f} % of the peak", 100 * curve.compute_efficiency));
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
    std::cout << "measurements\n";
    if (measured) line("here", us(*measured), "by this project's kernel, of this very shape (kernels/profiles)");
    if (!table)
        line("none", "", "no table of this family: physics is all there is");
    else
        line("table", fmt::format("{} rows", table->rows()),
             fmt::format("{} on {}: {}", table->origin(), table->device().name, table->source()));
    if (residual) {
        line("residual", percent_of(residual->log_ratio),
             "of measured times over physics, carried from the nearest rows");
        line("nearest row", fmt::format("{:.2f}", table->at(point).distance), "doublings of a side away");
        line("spread", percent_of(table->band() * residual->deviation), "80 % of left-out rows so near were within");
        if (estimate.origin == Origin::transferred)
            line("spread elsewhere", percent_of(table->physics_spread()),
                 "what physics alone misses on the table's device");
    }
    std::cout << fmt::format("estimate: {} ({} to {}, p10 to p90), {}{}\n", us(estimate.time), us(estimate.low),
                             us(estimate.high), to_string(estimate.origin),
                             estimate.outside ? ", OUTSIDE the lengths that were measured" : "");
}

}  // namespace

int explain_verb(const std::string& op, const std::string& shape, const std::string& device_name, bool json,
                 const std::string& root) {
    const OpPoint point = point_from(family_asked(op), shape);
    const Device device = device_of(Catalog(fmt::format("{}/hwmodels/catalog", root)).accelerator(device_name));
    const CostBook book = CostBook::of(root);
    for (const std::string& refused : book.refused()) std::cerr << fmt::format("refused: {}\n", refused);
    const Derivation derived = book.explain(point, device);
    if (!json) {
        print(point, device, book.curve(point.family), derived);
        return 0;
    }
    const Estimate& estimate = derived.estimate;
    std::cout << nlohmann::ordered_json{{"op", op},
                                        {"shape", text_of(point)},
                                        {"device", device_name},
                                        {"time_us", to_us(estimate.time)},
                                        {"p10_us", to_us(estimate.low)},
                                        {"p90_us", to_us(estimate.high)},
                                        {"provenance", to_string(estimate.origin)},
                                        {"outside", estimate.outside},
                                        {"physics_us", to_us(derived.physics.time())},
                                        {"bound_us", to_us(derived.physics.bound)}}
                     .dump(1)
              << '\n';
    return 0;
}

}  // namespace strata
