#include "sim/cost/cost_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

constexpr std::array<std::string_view, 6> kOrigins{"measured",    "published", "interpolated",
                                                   "transferred", "modelled",  "assumed"};

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

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

// A shape as the tables' rows are written; none where they measured another kind of kernel.
std::optional<OpPoint> point_of(const Gemm& op) {
    const OpPoint point{.family = family_of(op), .sides = {op.m, op.n, op.k}};
    const bool bf16 = op.weights == Precision::bf16 && op.activations == Precision::bf16;
    const bool blocks = op.weights == Precision::fp8_block && op.activations == Precision::fp8_tile;
    return bf16 || blocks ? std::optional(point) : std::nullopt;
}
std::optional<OpPoint> point_of(const MoeExperts& op) {
    static const Label balanced = label_of("balanced"), fp8 = label_of("fp8_block");
    if (op.weights != Precision::fp8_block || op.activations != Precision::fp8_tile || op.local_experts <= 0) return {};
    return OpPoint{
        .family = Family::moe_experts,
        .sides = {op.tokens, op.hidden, op.intermediate, op.top_k, op.experts, 1, op.experts / op.local_experts},
        .labels = {balanced, fp8}};
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
std::optional<OpPoint> point_of(const MhcPre& op) {
    if (op.streams != 4) return {};
    return OpPoint{.family = Family::mhc_pre, .sides = {op.tokens, op.hidden}};
}
std::optional<OpPoint> point_of(const MhcPost& op) {
    if (op.streams != 4) return {};
    return OpPoint{.family = Family::mhc_post, .sides = {op.tokens, op.hidden}};
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
                   [](const LatentAttention&) { return Family::latent_attention; },
                   [](const ContextAttention&) { return Family::context_attention; },
                   [](const IndexerLogits&) { return Family::indexer_logits; },
                   [](const IndexerTopK&) { return Family::indexer_top_k; },
                   [](const MhcPre&) { return Family::mhc_pre; }, [](const MhcPost&) { return Family::mhc_post; },
                   [](const EngramFetch&) { return Family::engram_gather; },
                   [](const EngramGate&) { return Family::engram_gate; },
                   [](const EngramConv&) { return Family::engram_gate; },  // as little arithmetic a byte
                   [](const GroupedGemm&) { return Family::grouped_gemm; },
                   [](const SwigluQuantise&) { return Family::swiglu_quantise; }},
        shape);
}

KernelWork kernel_work(const KernelShape& shape) {
    return {.family = family_of(shape),
            .fp8 = computes_in_fp8(shape),
            .work = padded_work(shape),
            .point = std::visit([](const auto& op) { return point_of(op); }, shape)};
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
    device.memory = accelerator.memory_bandwidth.get();
    device.link = peak(accelerator.scale_up_bandwidth, device.link_missing);
    device.cores = accelerator.cores.value.value_or(0);
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
                     .measured = MeasuredKernels(root + "/kernels/profiles", root + "/kernels"),
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
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(sources.profiles))
        if (entry.path().extension() == ".csv" && entry.path().parent_path() != fs::path(sources.profiles))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::map<std::string, Device> devices;
    for (const fs::path& file : files) try {
            const CostProfile profile = read_profile(file.string());
            if (!devices.contains(profile.device))
                devices[profile.device] =
                    device_of(read_accelerator(fs::path(sources.accelerators) / (profile.device + ".yaml")));
            const Device& device = devices[profile.device];
            check_against_bound(profile, device);
            tables_[static_cast<std::size_t>(profile.family)] =
                std::make_unique<CostTable>(profile, curve(profile.family), device, sources.without_held_out);
        } catch (const InputError& error) {
            refused_.push_back(error.what());
        }
}

Origin CostBook::origin_of(Family family, const Device& on) const {
    const CostCurve& fitted = curve(family);
    return fitted.rows == 0 ? Origin::assumed : fitted.device == on.name ? Origin::interpolated : Origin::transferred;
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
    if (kernel.point && kernel.memory_efficiency == 0 && table(kernel.family)) return estimate(*kernel.point, on);
    return from_curve(kernel, on);
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
            .low = time,
            .high = time};
}

// What a sweep asks most, the table's own device within its lengths, needs no physics but the bound.
Estimate CostBook::estimate(const OpPoint& point, const Device& on) const {
    const CostTable* rows = table(point.family);
    if (!rows || !rows->measured_on(on) || !rows->inside(point) || rows->measured(point))
        return explain(point, on).estimate;
    const CostCurve& fitted = curve(point.family);
    const CostSeries::Between between =
        series_->of(point, *rows, fitted).of(point.sides[static_cast<std::size_t>(form_of(point.family).lead)]);
    const Demand asked = form_of(point.family).demand(point);
    const Seconds bound = bound_of(point, on), time = std::max(Seconds(std::exp(between.log_time)), bound);
    const double spread = std::exp(rows->band() * between.deviation);
    return {.time = time,
            .overhead = fitted.overhead,
            .memory_bound = asked.memory / on.memory >= asked.bf16 / on.bf16 + asked.fp8 / on.fp8,
            .origin = Origin::interpolated,
            .family = point.family,
            .low = std::max(time / spread, bound),
            .high = time * spread};
}

Derivation CostBook::explain(const OpPoint& point, const Device& on) const {
    const CostTable* rows = table(point.family);
    const CostCurve& fitted = curve(point.family);
    Derivation derived{.estimate = {}, .physics = physics_of(point, fitted, on), .residual = {}, .table = rows};
    const Physics& physics = derived.physics;
    Estimate& estimate = derived.estimate;
    estimate.family = point.family;
    estimate.overhead = physics.launch;
    const Demand asked = form_of(point.family).demand(point);
    estimate.memory_bound = asked.memory / on.memory >= asked.bf16 / on.bf16 + asked.fp8 / on.fp8;
    if (!rows) {
        estimate.time = estimate.low = estimate.high = physics.time();
        estimate.origin = fitted.rows == 0 ? Origin::assumed : Origin::modelled;
        return derived;
    }
    // Residuals of a table whose physics counts waves mean nothing on a device whose cores nobody has counted.
    if (physics.needs_cores && on.cores <= 0) {
        estimate.time = estimate.low = estimate.high = physics.time();
        estimate.origin = Origin::modelled;
        return derived;
    }
    const bool here = rows->measured_on(on);
    if (const auto known = here ? rows->measured(point) : std::nullopt) {
        estimate.time = estimate.low = estimate.high = *known;
        estimate.origin = Origin::published;
        return derived;
    }
    const double lead = point.sides[static_cast<std::size_t>(form_of(point.family).lead)];
    const CostSeries::Between between = series_->of(point, *rows, fitted).of(lead);
    estimate.outside = !rows->inside(point);
    estimate.origin = !here ? Origin::transferred : estimate.outside ? Origin::modelled : Origin::interpolated;
    // Beyond the table's lengths physics goes on from its end, and never falls below it.
    const Seconds carried = physics.time() * std::exp(between.residual);
    const Seconds along = Seconds(std::exp(between.log_time));
    estimate.time = !here ? carried : estimate.outside ? std::max(carried, along) : along;
    estimate.time = std::max(estimate.time, physics.bound);
    const double elsewhere = here ? 0 : rows->physics_spread();
    const double spread = std::exp(std::hypot(rows->band() * between.deviation, elsewhere));
    estimate.low = std::max(estimate.time / spread, physics.bound);
    estimate.high = estimate.time * spread;
    derived.residual = CostTable::Residual{between.residual, between.deviation, 0};
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
            .low = time,
            .high = time};
}

}  // namespace strata
