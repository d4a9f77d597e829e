#include "sim/cost/cost_book.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

constexpr std::array<std::string_view, 6> kOrigins{"measured",    "published", "interpolated",
                                                   "transferred", "modelled",  "assumed"};
constexpr std::array<std::string_view, kFamilies> kNames{"gemm_bf16",
                                                         "gemm_fp8",
                                                         "moe_experts",
                                                         "latent_attention",
                                                         "context_attention",
                                                         "indexer_logits",
                                                         "indexer_top_k",
                                                         "mhc_pre",
                                                         "mhc_post",
                                                         "engram_gather",
                                                         "engram_gate",
                                                         "swiglu_quantise",
                                                         "grouped_gemm",
                                                         "dispatch_low_latency",
                                                         "dispatch_normal",
                                                         "dispatch_low_latency_between_nodes",
                                                         "dispatch_normal_between_nodes",
                                                         "combine_low_latency",
                                                         "combine_normal",
                                                         "combine_low_latency_between_nodes",
                                                         "combine_normal_between_nodes",
                                                         "all_reduce"};

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
    field.allow_only({"device", "overhead", "compute_efficiency", "memory_efficiency", "rows", "median_error",
                      "p90_error", "source"});
    CostCurve curve;
    curve.device = field["device"].text();
    curve.overhead = field["overhead"].seconds();
    curve.compute_efficiency = share(field["compute_efficiency"]);
    curve.memory_efficiency = share(field["memory_efficiency"]);
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

}  // namespace

std::string_view to_string(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }
std::string_view to_string(Family family) { return kNames[static_cast<std::size_t>(family)]; }

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

Seconds roofline(const Work& work, FlopRate peak, Bandwidth memory, const CostCurve& curve) {
    const Seconds computing = work.flops > Flops(0) ? work.flops / (peak * curve.compute_efficiency) : Seconds(0);
    return curve.overhead + std::max(computing, work.bytes() / (memory * curve.memory_efficiency));
}

CostBook CostBook::of(const std::string& root) {
    return CostBook(root + "/sim/cost/cost_curves.yaml",
                    MeasuredKernels(root + "/kernels/profiles", root + "/kernels"));
}

CostBook::CostBook(const std::string& curves_file, MeasuredKernels measured) : measured_(std::move(measured)) {
    Problems problems;
    const YamlField root(load_yaml(curves_file), curves_file, "", problems);
    root.allow_only({"generated_by", "curves"});
    root["curves"].allow_only({kNames.begin(), kNames.end()});
    for (std::size_t i = 0; i < kFamilies; ++i) curves_[i] = read_curve(root["curves"][std::string(kNames[i])]);
    problems.throw_if_any();
}

Device CostBook::device_of(const AcceleratorSpec& accelerator) const {
    Device device;
    const auto peak = [](const Sourced<FlopRate>& rate, std::string& missing) {
        try {
            return rate.get();
        } catch (const InputError& error) {
            missing = error.what();
            return FlopRate(0);
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
    device.cores = accelerator.cores.value.value_or(0);
    const auto given = [](const auto& number) { return number.kind != "assumed"; };
    if (given(accelerator.memory_bandwidth) && given(accelerator.bf16) && given(accelerator.fp8) &&
        given(accelerator.cores))
        device.cuda_name = accelerator.cuda_name;
    for (std::size_t i = 0; i < kFamilies; ++i) device.fitted_here[i] = curves_[i].device == accelerator.name;
    return device;
}

Origin CostBook::origin_of(Family family, const Device& on) const {
    const auto index = static_cast<std::size_t>(family);
    return curves_[index].rows == 0 ? Origin::assumed
           : on.fitted_here[index]  ? Origin::interpolated
                                    : Origin::transferred;
}

KernelWork kernel_work(const KernelShape& shape) {
    return {family_of(shape), computes_in_fp8(shape), padded_work(shape)};
}

Estimate CostBook::estimate(const KernelWork& kernel, const Device& on) const {
    const std::string& missing = kernel.fp8 ? on.fp8_missing : on.bf16_missing;
    if (!missing.empty() && kernel.work.flops > Flops(0)) throw InputError(missing);
    const FlopRate peak = kernel.fp8 ? on.fp8 : on.bf16;
    const CostCurve& fitted = curve(kernel.family);
    if (const auto found = measured_.find(on.cuda_name, kernel.family, kernel.work))
        return {.time = found->time,
                .overhead = std::min(fitted.overhead, found->time),
                .memory_bound = kernel.work.bytes() > Bytes(0),
                .origin = found->exact ? Origin::measured : Origin::interpolated,
                .family = kernel.family};
    const double known = kernel.memory_efficiency;
    const Bandwidth memory = known > 0 ? on.memory * (known / fitted.memory_efficiency) : on.memory;
    const Seconds time = roofline(kernel.work, peak, memory, fitted);
    const Seconds moving = kernel.work.bytes() / (memory * fitted.memory_efficiency);
    const bool memory_bound =
        kernel.work.flops <= Flops(0) || kernel.work.flops / (peak * fitted.compute_efficiency) <= moving;
    return {time, fitted.overhead, memory_bound, known > 0 ? Origin::modelled : origin_of(kernel.family, on),
            kernel.family};
}

Estimate CostBook::exchange(Family family, Bytes sent, Bandwidth raw, const Device& on) const {
    const CostCurve& fitted = curve(family);
    const Seconds time = fitted.overhead + sent / (raw * fitted.memory_efficiency);
    return {time, fitted.overhead, false, origin_of(family, on), family};
}

}  // namespace strata
