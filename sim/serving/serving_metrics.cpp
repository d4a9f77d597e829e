#include "sim/serving/serving_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace strata {

Percentiles percentiles_of(std::vector<double> seconds) {
    if (seconds.empty()) return {};
    const double count = double(seconds.size());
    const auto ranked = [&](double share) {
        const auto rank = static_cast<std::ptrdiff_t>(std::max(1.0, std::ceil(share * count))) - 1;
        std::nth_element(seconds.begin(), seconds.begin() + rank, seconds.end());
        return Seconds(seconds[static_cast<std::size_t>(rank)]);
    };
    const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    return {.mean = Seconds(sum / count), .p50 = ranked(0.5), .p90 = ranked(0.9), .p99 = ranked(0.99)};
}

ServingMetrics metrics_of(const std::vector<Request>& requests, const std::vector<RequestRecord>& records,
                          const GapHistogram& gaps, const LatencyLimits& limits, int accelerators) {
    ServingMetrics metrics;
    std::vector<double> ttft, tpot, end_to_end;
    ttft.reserve(requests.size());
    tpot.reserve(requests.size());
    end_to_end.reserve(requests.size());
    Seconds last;
    long long well = 0, cached = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const Request& request = requests[i];
        const RequestRecord& record = records[i];
        if (!record.finished || record.delivered != request.output_tokens)
            throw std::logic_error("a request was lost: it did not end, or not with its tokens");
        ttft.push_back((record.first_token - request.arrival).si());
        end_to_end.push_back((record.finish - request.arrival).si());
        const Seconds decoding = record.finish - record.first_token;
        const Seconds per_token = request.output_tokens > 1 ? decoding / (request.output_tokens - 1) : Seconds(0);
        if (request.output_tokens > 1) tpot.push_back(per_token.si());
        well += Seconds(ttft.back()) <= limits.ttft && per_token <= limits.tpot;
        last = std::max(last, record.finish);
        metrics.input_tokens += request.input_tokens;
        metrics.output_tokens += record.delivered;
        metrics.preemptions += record.preemptions;
        metrics.losses += record.losses;
        cached += record.cached;
    }
    metrics.duration = last - requests.front().arrival;
    metrics.ttft = percentiles_of(std::move(ttft));
    metrics.tpot = percentiles_of(std::move(tpot));
    metrics.end_to_end = percentiles_of(std::move(end_to_end));
    metrics.itl = {gaps.mean(), gaps.quantile(0.5), gaps.quantile(0.9), gaps.quantile(0.99)};
    const double seconds = metrics.duration.si(), count = double(requests.size());
    metrics.requests_per_second = count / seconds;
    metrics.output_tokens_per_second = double(metrics.output_tokens) / seconds;
    metrics.output_tokens_per_accelerator = metrics.output_tokens_per_second / accelerators;
    metrics.tokens_per_accelerator = double(metrics.input_tokens + metrics.output_tokens) / seconds / accelerators;
    metrics.tokens_per_user = metrics.tpot.p50 > Seconds(0) ? 1 / metrics.tpot.p50.si() : 0;
    metrics.goodput = double(well) / seconds;
    metrics.served_well = double(well) / count;
    metrics.prefix_hits = double(cached) / double(metrics.input_tokens);
    return metrics;
}

}  // namespace strata
