#include "sim/cost/cost_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"
#include "sim/cost/architecture.hpp"

namespace strata {

namespace {

constexpr std::array<std::string_view, 6> kOrigins{"measured",    "published", "interpolated",
                                                   "transferred", "modelled",  "assumed"};

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang 14 does not deduce an aggregate's

double share(const YamlField& field) {
    const double value = field.number(1);
    if (!(value > 0 && value <= 1))
        field.problem("an efficiency in (0, 1]: no op beats the datasheet", fmt::format("{}", value));
    return value;
}

CostCurve read_curve(const YamlField& field) {
    field.allow_only({"device", "overhead", "compute_efficiency", "memory_efficiency", "wave", "operand_ratio",
                      "elements_per_us", "rows", "median_error", "p90_error", "source"});
    CostCurve curve;
    curve.device = field["device"].text();
    curve.overhead = field["overhead"].seconds();
    curve.compute_efficiency = share(field["compute_efficiency"]);
    curve.memory_efficiency = share(field["memory_efficiency"]);
    if (field["wave"].exists()) curve.wave = field["wave"].seconds();
    if (field["elements_per_us"].exists()) curve.elements_per_us = field["elements_per_us"].number();
    if (field["operand_ratio"].exists()) curve.operand_ratio = field["operand_ratio"].number();
    curve.rows = static_cast<int>(field["rows"].integer());
    if (curve.rows > 0) {
        curve.median_error = field["median_error"].number();
        curve.p90_error = field["p90_error"].number();
    }
    curve.source = field["source"].text();
    if (curve.source.empty()) field["source"].problem("where the curve comes from", "nothing");
    return curve;
}

// Attention products are BF16; the others know theirs.
bool computes_in_fp8(const KernelShape& shape) {
    return std::visit(
        Overloaded{[](const Gemm& op) { return op.in_fp8(); }, [](const MoeExperts& op) { return op.in_fp8(); },
                   [](const CutlassExperts& op) { return op.in_fp8(); },
                   [](const GroupedGemm& op) { return op.in_fp8(); },
                   [](const IndexerLogits& op) { return op.in_fp8(); }, [](const auto&) { return false; }},
        shape);
}

// What the tensor cores really do: a grouped product computes whole tiles.
Work padded_work(const KernelShape& shape) {
    Work work = work_of(shape);
    if (const auto* product = std::get_if<GroupedGemm>(&shape); product && product->rows > 0)
        work.flops = work.flops * (product->padded_rows() / product->rows);
    return work;
}

// A shape as the tables' rows are written; none where they measured another kind of kernel. Where the weights are
// stored in another format than the table's, the point is that of the products, and `padded_work` says what bytes it
// spares.
std::optional<OpPoint> point_of(const Gemm& op) {
    return OpPoint{.family = family_of(op), .sides = {op.m, op.n, op.k}};
}
std::optional<OpPoint> point_of(const MoeExperts& op) {
    static const Label balanced = label_of("balanced"), fp8 = label_of("fp8_block"), bf16 = label_of("bfloat16");
    if (op.local_experts <= 0 || op.tokens <= 0) return {};
    const double ranks = op.experts / op.local_experts;
    return OpPoint{.family = Family::moe_experts,
                   .sides = {op.tokens, op.hidden, op.intermediate, op.top_k, op.experts, 1, ranks},
                   .labels = {balanced, op.in_fp8() ? fp8 : bf16}};
}
// The table's rows deal tokens out, so that few of them meet more experts than as many by chance: the row is asked that
// meets as many. Where all are met that is the same row; in between (64 tokens: 87 % are met) it takes a tenth too
// long.
std::optional<OpPoint> point_of(const CutlassExperts& op) {
    std::optional<OpPoint> point = point_of(static_cast<const MoeExperts&>(op));
    if (!point || op.pairs() <= 0) return {};
    point->family = Family::moe_experts_cutlass;
    point->sides[0] *= op.touched_experts() / std::min(op.local_experts, op.pairs());
    return point;
}
std::optional<OpPoint> point_of(const LatentAttention& op) {
    static const Label bf16 = label_of("bfloat16");
    const bool as_measured = op.score_dim == 576 && op.value_dim == 512 && op.entry_bytes == 1152 && op.queries == 1;
    if (!as_measured) return {};
    return OpPoint{
        .family = Family::latent_attention, .sides = {op.sequences, op.attended, op.heads}, .labels = {bf16}};
}
std::optional<OpPoint> point_of(const IndexerLogits& op) {
    const double past = op.keys - op.queries / 2;
    if (!op.in_fp8() || op.heads != 64 || op.head_dim != 128 || op.key_bytes != 132 || past < 0) return {};
    return OpPoint{.family = Family::indexer_logits, .sides = {op.sequences, op.queries, past}};
}
// Every logit is looked at whatever k is.
std::optional<OpPoint> point_of(const IndexerTopK& op) {
    static const Label top_last = label_of("top_last");
    if (op.logit_bytes != 4 || op.keys < 1) return {};
    // A decode step has a row a sequence; more rows than that are a prompt's.
    constexpr double kMostSequences = 1024;
    if (op.rows <= kMostSequences)
        return OpPoint{.family = Family::indexer_top_k, .sides = {op.rows, 1, op.keys - 0.5}, .labels = {top_last}};
    const double past = std::max(0.0, op.keys - op.rows / 2);
    return OpPoint{.family = Family::indexer_top_k, .sides = {1, op.rows, past}, .labels = {top_last}};
}
std::optional<OpPoint> point_of(const MhcPre& op) {
    if (op.streams != 4) return {};
    return OpPoint{.family = Family::mhc_pre, .sides = {op.tokens, op.hidden}};
}
std::optional<OpPoint> point_of(const MhcPost& op) {
    if (op.streams != 4) return {};
    return OpPoint{.family = Family::mhc_post, .sides = {op.tokens, op.hidden}};
}
// Whether memory or a link, not arithmetic, sets what is beyond the overhead.
bool moves_longer(const Demand& asked, const CostCurve& curve, const Device& on) {
    const auto over = [](Flops flops, FlopRate peak) { return flops > Flops(0) ? flops / peak : Seconds(0); };
    const Seconds computing = over(asked.bf16, on.bf16) + over(asked.fp8, on.fp8);
    return asked.elements <= 0 &&
           asked.memory / on.memory / curve.memory_efficiency >= computing / curve.compute_efficiency;
}

void interpolate(Estimate& estimate, const CostSeries::Between& between, const CostTable& rows, Seconds bound) {
    const double spread = std::exp(rows.band() * between.deviation);
    estimate.time = std::max(Seconds(std::exp(between.log_time)), bound);
    estimate.low = std::max(estimate.time / spread, bound);
    estimate.high = estimate.time * spread;
    estimate.origin = Origin::interpolated;
}

// To another device, or beyond the table's lengths, where physics goes on from the table's end and never falls below
// it.
void carry(Estimate& estimate, const CostSeries::Between& between, const CostTable& rows, const Physics& physics,
           bool here) {
    const Seconds carried = physics.time() * std::exp(between.residual);
    estimate.time = std::max(here ? std::max(carried, Seconds(std::exp(between.log_time))) : carried, physics.bound);
    const double spread = std::exp(std::hypot(rows.band() * between.deviation, rows.physics_spread()));
    estimate.low = std::max(estimate.time / spread, physics.bound);
    estimate.high = estimate.time * spread;
    estimate.origin = here ? Origin::modelled : Origin::transferred;
}

template <class Other>
std::optional<OpPoint> point_of(const Other&) {
    return {};
}

}  // namespace

std::string_view to_string(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }

Family family_of(const KernelShape& shape) {
    return std::visit(
        Overloaded{[](const Gemm& op) { return op.in_fp8() ? Family::gemm_fp8 : Family::gemm_bf16; },
                   [](const MoeExperts&) { return Family::moe_experts; },
                   [](const CutlassExperts&) { return Family::moe_experts_cutlass; },
                   [](const LatentAttention&) { return Family::latent_attention; },
                   [](const ContextAttention&) { return Family::context_attention; },
                   [](const IndexerLogits&) { return Family::indexer_logits; },
                   [](const IndexerTopK&) { return Family::indexer_top_k; },
                   [](const MhcPre&) { return Family::mhc_pre; }, [](const MhcPost&) { return Family::mhc_post; },
                   [](const EngramFetch&) { return Family::engram_gather; },
                   [](const EngramGate&) { return Family::engram_gate; },
                   [](const EngramConv&) { return Family::engram_gate; },  // as little arithmetic a byte
                   [](const GroupedGemm&) { return Family::grouped_gemm; },
                   [](const SwigluQuantise&) { return Family::swiglu_quantise; },
                   [](const FullAttention&) { return Family::context_attention; },  // also one tile after the other
                   [](const StridedConvolution&) { return Family::gemm_bf16; },     // a product over its taps
                   [](const Patchify&) { return Family::engram_gate; }},            // as little arithmetic a byte
        shape);
}

KernelWork kernel_work(const KernelShape& shape) {
    KernelWork kernel{.family = family_of(shape),
                      .fp8 = computes_in_fp8(shape),
                      .work = padded_work(shape),
                      .point = std::visit([](const auto& op) { return point_of(op); }, shape)};
    const auto* cutlass = std::get_if<CutlassExperts>(&shape);
    const bool products = std::holds_alternative<Gemm>(shape) || std::holds_alternative<MoeExperts>(shape) ||
                          (cutlass && cutlass->weights != Precision::fp8_block);
    if (kernel.point && products)
        kernel.spared = form_of(kernel.family).demand(*kernel.point).memory - kernel.work.bytes();
    return kernel;
}

Device device_of(const AcceleratorSpec& accelerator) {
    Device device;
    const auto peak = [](const auto& rate, std::string& missing) -> std::decay_t<decltype(rate.get())> {
        try {
            return rate.get();
        } catch (const InputError& error) {
            missing = error.what();
            return {};
        }
    };
    device.bf16 = peak(accelerator.bf16, device.bf16_missing);
    // Where hardware has no FP8 the products run in BF16; where FP8 is merely unknown nothing is made up.
    if (accelerator.fp8.kind == "not_supported") {
        device.fp8 = device.bf16;
        device.fp8_missing = device.bf16_missing;
    } else {
        device.fp8 = peak(accelerator.fp8, device.fp8_missing);
    }
    device.int8 = peak(accelerator.int8, device.int8_missing);
    device.memory = accelerator.memory_bandwidth.get();
    device.link = peak(accelerator.scale_up_bandwidth, device.link_missing);
    device.cores = accelerator.cores.value.value_or(0);
    device.compute_capability = accelerator.compute_capability.value.value_or(0);
    const auto given = [](const auto& number) { return number.kind != "assumed"; };
    if (given(accelerator.memory_bandwidth) && given(accelerator.bf16) && given(accelerator.fp8) &&
        given(accelerator.cores)) {
        device.name = accelerator.name;
        device.cuda_name = accelerator.cuda_name;
    }
    return device;
}

CostBook CostBook::of(const std::string& root, bool without_held_out) {
    return CostBook({.curves = root + "/sim/cost/cost_curves.yaml",
                     .profiles = root + "/sim/cost/published",
                     .accelerators = root + "/hwmodels/catalog/accelerators",
                     // Predictions are judged on what others have measured of other kernels: without ours.
                     .measured = without_held_out ? MeasuredKernels()
                                                  : MeasuredKernels(root + "/kernels/profiles", root + "/kernels"),
                     .without_held_out = without_held_out});
}

CostBook::CostBook(Sources sources)
    : series_(std::make_unique<CostSeriesCache>()), measured_(std::move(sources.measured)) {
    Problems problems;
    const YamlField root(load_yaml(sources.curves), sources.curves, "", problems);
    root.allow_only({"generated_by", "curves"});
    for (std::size_t i = 0; i < kFamilies; ++i)
        curves_[i] = read_curve(root["curves"][std::string(to_string(static_cast<Family>(i)))]);
    problems.throw_if_any();
    if (!sources.profiles.empty()) load(sources);
}

// FOLDER/<device>/<family>.csv. A family has one table: what was measured on other devices is judged by it, not mixed
// in.
void CostBook::load(const Sources& sources) {
    std::map<std::string, Device> devices;
    for (const std::string& file : profile_files(sources.profiles)) try {
            const CostProfile profile = read_profile(file);
            auto& table = tables_[static_cast<std::size_t>(profile.family)];
            if (table) throw InputError(file, fmt::format("one table of {}", to_string(profile.family)), "a second");
            if (!(profile.band > 0)) throw InputError(file, "a band above 0 (fit-cost-curves sets it)", "none");
            if (!devices.contains(profile.device))
                devices[profile.device] = device_of(
                    read_accelerator(std::filesystem::path(sources.accelerators) / (profile.device + ".yaml")));
            const Device& device = devices[profile.device];
            check_against_bound(profile, device);
            curves_[static_cast<std::size_t>(profile.family)].clock_hz = clock_hz(device);
            auto made = std::make_unique<CostTable>(profile, curve(profile.family), device, sources.without_held_out);
            if (made->rows() > 0) table = std::move(made);
        } catch (const std::exception& error) {
            refused_.emplace_back(error.what());
        }
}

Origin CostBook::origin_of(Family family, const Device& on) const {
    const CostCurve& fitted = curve(family);
    return fitted.rows == 0 ? Origin::assumed : fitted.device == on.name ? Origin::modelled : Origin::transferred;
}

Estimate CostBook::estimate(const KernelWork& kernel, const Device& on) const {
    if (const auto found = measured_.find(on.cuda_name, kernel.family, kernel.work))
        return {.time = found->time,
                .overhead = std::min(curve(kernel.family).overhead, found->time),
                .memory_bound = kernel.work.bytes() > Bytes(0),
                .origin = found->exact ? Origin::measured : Origin::interpolated,
                .family = kernel.family,
                .low = found->time,
                .high = found->time};
    if (!kernel.point || kernel.memory_efficiency > 0 || !table(kernel.family)) return from_curve(kernel, on);
    // A thousandth is rounding: scales of blocks that are not whole.
    const bool as_stored = std::abs(kernel.spared.si()) < 1e-3 * kernel.work.bytes().si();
    return as_stored ? estimate(*kernel.point, on) : in_other_bytes(kernel, on);
}

// As the table's, but for the bytes of weights that are stored otherwise.
Estimate CostBook::in_other_bytes(const KernelWork& kernel, const Device& on) const {
    const Derivation as_measured = explain(*kernel.point, on);
    const CostCurve& fitted = curve(kernel.family);
    CostCurve other = fitted;  // weights come to the cores in as many bytes as they are stored in
    other.operand_ratio *= kernel.work.bytes() / (kernel.work.bytes() + kernel.spared);
    Physics physics = physics_of(*kernel.point, other, on);
    physics.moving = kernel.work.bytes() / (on.memory * fitted.memory_efficiency);
    const double ratio = physics.time() / as_measured.physics.time();
    Estimate estimate = as_measured.estimate;
    estimate.time = std::max(estimate.time * ratio, kernel.work.bytes() / on.memory);
    const double spread = std::exp(table(kernel.family)->physics_spread());
    estimate.low = estimate.time / spread;
    estimate.high = estimate.time * spread;
    estimate.overhead = std::min(fitted.overhead, estimate.time);
    estimate.memory_bound = physics.moving >= physics.computing;
    if (estimate.origin != Origin::transferred) estimate.origin = Origin::modelled;
    return estimate;
}

Estimate CostBook::from_curve(const KernelWork& kernel, const Device& on) const {
    const std::string& missing = kernel.fp8 ? on.fp8_missing : on.bf16_missing;
    if (!missing.empty() && kernel.work.flops > Flops(0)) throw InputError(missing);
    const FlopRate peak = kernel.fp8 ? on.fp8 : on.bf16;
    const CostCurve& fitted = curve(kernel.family);
    const double known = kernel.memory_efficiency;
    const Bandwidth memory = known > 0 ? on.memory * (known / fitted.memory_efficiency) : on.memory;
    const Seconds time = roofline(kernel.work, peak, memory, fitted);
    const Seconds moving = kernel.work.bytes() / (memory * fitted.memory_efficiency);
    const bool memory_bound =
        kernel.work.flops <= Flops(0) || kernel.work.flops / (peak * fitted.compute_efficiency) <= moving;
    return {.time = time,
            .overhead = fitted.overhead,
            .memory_bound = memory_bound,
            .origin = known > 0 ? Origin::modelled : origin_of(kernel.family, on),
            .family = kernel.family,
            .low = time / (1 + fitted.p90_error),
            .high = time * (1 + fitted.p90_error)};
}

// What a sweep asks most, the table's own device within its lengths, needs no physics but the bound.
Estimate CostBook::estimate(const OpPoint& point, const Device& on) const {
    const CostTable* rows = table(point.family);
    if (!rows || !rows->measured_on(on) || !rows->inside(point)) return explain(point, on).estimate;
    const CostCurve& fitted = curve(point.family);
    Estimate estimate{.memory_bound = moves_longer(form_of(point.family).demand(point), fitted, on),
                      .family = point.family};
    if (const auto known = rows->measured(point)) {
        estimate.time = estimate.low = estimate.high = *known;
        estimate.origin = Origin::published;
    } else {
        interpolate(estimate, series_of(point, *rows), *rows, bound_of(point, on));
    }
    estimate.overhead = std::min(fitted.overhead, estimate.time);
    return estimate;
}

CostSeries::Between CostBook::series_of(const OpPoint& point, const CostTable& rows) const {
    const double lead = point.sides[static_cast<std::size_t>(form_of(point.family).lead)];
    return series_->of(point, rows).of(lead);
}

Derivation CostBook::explain(const OpPoint& point, const Device& on) const {
    const CostTable* rows = table(point.family);
    const CostCurve& fitted = curve(point.family);
    Derivation derived{
        .estimate = {}, .physics = physics_of(point, fitted, on), .residual = {}, .table = rows, .measured = {}};
    const Physics& physics = derived.physics;
    Estimate& estimate = derived.estimate;
    estimate.family = point.family;
    estimate.memory_bound = moves_longer(form_of(point.family).demand(point), fitted, on);
    // Residuals of a table whose physics counts waves mean nothing on a device whose cores nobody has counted.
    if (!rows || (physics.needs_cores && on.cores <= 0)) {
        const double spread = rows ? std::exp(rows->physics_spread()) : 1 + fitted.p90_error;
        estimate.time = physics.time();
        estimate.low = std::max(estimate.time / spread, physics.bound);
        estimate.high = estimate.time * spread;
        estimate.origin = fitted.rows == 0 ? Origin::assumed : Origin::modelled;
    } else if (const auto known = rows->measured_on(on) ? rows->measured(point) : std::nullopt) {
        estimate.time = estimate.low = estimate.high = *known;
        estimate.origin = Origin::published;
    } else {
        const CostSeries::Between between = series_of(point, *rows);
        derived.residual = CostTable::Residual{between.residual, between.deviation};
        estimate.outside = !rows->inside(point);
        if (rows->measured_on(on) && !estimate.outside)
            interpolate(estimate, between, *rows, physics.bound);
        else
            carry(estimate, between, *rows, physics, rows->measured_on(on));
    }
    derived.measured = measured_.at(on.cuda_name, point);
    if (derived.measured) {
        estimate.time = estimate.low = estimate.high = *derived.measured;
        estimate.origin = Origin::measured;
        estimate.outside = false;
    }
    estimate.overhead = std::min(physics.launch, estimate.time);
    return derived;
}

Estimate CostBook::exchange(Family family, Bytes sent, Bandwidth raw, const Device& on) const {
    const CostCurve& fitted = curve(family);
    const Seconds time = fitted.overhead + sent / (raw * fitted.memory_efficiency);
    return {.time = time,
            .overhead = fitted.overhead,
            .memory_bound = false,
            .origin = origin_of(family, on),
            .family = family,
            .low = time / (1 + fitted.p90_error),
            .high = time * (1 + fitted.p90_error)};
}

}  // namespace strata
