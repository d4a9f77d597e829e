#include "sim/scenario/metric_names.hpp"

namespace strata {

// clang-format off: one a line, so that what changes is what is seen.
const std::vector<std::string>& metric_names() {
    static const std::vector<std::string> names{
        "decode.tpot_ms",
        "decode.tokens_per_s",
        "decode.tokens_per_s_per_accelerator",
        "prefill.ttft_ms",
        "prefill.tokens_per_s",
        "prefill.tokens_per_s_per_accelerator",
        "memory.hbm_gb",
        "memory.host_gb",
        "memory.nvme_gb",
        "engram.stall_ms",
        "moe.layer_us",
        "moe.load_max_over_mean",
        "moe.straggler_ms",
        "moe.ranks_per_token",
        "moe.nodes_per_token",
        "attention.layer_us",
        "network.scale_up_ms",
        "network.scale_out_ms",
        "access.bandwidth_GBps",
        "access.efficiency",
        "access.latency_ns",
        "access.latency_p50_ns",
        "access.latency_p99_ns",
        "access.row_hit_rate",
        "access.energy_pj_per_bit",
        "access.measured_GBps",
        "access.measured_iops",
        "access.iops",
        "serving.ttft_ms",
        "serving.ttft_p50_ms",
        "serving.ttft_p90_ms",
        "serving.ttft_p99_ms",
        "serving.tpot_ms",
        "serving.tpot_p50_ms",
        "serving.tpot_p90_ms",
        "serving.tpot_p99_ms",
        "serving.itl_ms",
        "serving.itl_p50_ms",
        "serving.itl_p90_ms",
        "serving.itl_p99_ms",
        "serving.end_to_end_ms",
        "serving.end_to_end_p50_ms",
        "serving.end_to_end_p90_ms",
        "serving.end_to_end_p99_ms",
        "serving.requests_per_s",
        "serving.output_tokens_per_s",
        "serving.output_tokens_per_s_per_accelerator",
        "serving.tokens_per_s_per_accelerator",
        "serving.tokens_per_s_per_user",
        "serving.goodput_per_s",
        "serving.served_well",
        "serving.prefix_hits",
        "serving.preemptions",
        "serving.utilisation",
        "serving.queue",
        "serving.batch",
    };
    return names;
}
// clang-format on

}  // namespace strata
