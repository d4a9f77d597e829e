#include "kernels/bench/record.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/bench/build_facts.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Spread& us) {
    return {{"median", us.median},
            {"min", us.min},
            {"p05", us.p05},
            {"p95", us.p95},
            {"mean", us.mean},
            {"mad", us.mad},
            {"deviation", us.deviation},
            {"n", us.n}};
}

const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::measured: return "measured";
        case Outcome::failed: return "failed";
        case Outcome::refused: return "refused";
        case Outcome::skipped: return "skipped";
    }
    return "";  // unreachable: the enum is complete
}

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Ceilings& ceilings) {
    Json json = Json::object();
    for (const auto& [name, value] : ceilings.values) json[name] = value;
    for (const auto& [name, reason] : ceilings.missing) json[name] = "unavailable: " + reason;
    return json;
}

Json counters_of(const Sample& sample) {
    if (sample.counters.empty()) return "unavailable: " + sample.counters_unavailable;
    Json json = sample.counters;
    const auto read = sample.counters.find("dram__bytes_read.sum"),
               written = sample.counters.find("dram__bytes_write.sum");
    if (read != sample.counters.end() && written != sample.counters.end() && sample.work.bytes().si() > 0)
        json["counted_per_assumed_bytes"] = (read->second + written->second) / sample.work.bytes().si();
    return json;
}

}  // namespace

double gigabytes_per_second(const Sample& sample) {
    return sample.us.median > 0 ? sample.work.bytes().si() / sample.us.median * 1e-3 : 0;
}

double teraflops(const Sample& sample) {
    return sample.us.median > 0 ? sample.work.flops.si() / sample.us.median * 1e-6 : 0;
}

std::optional<std::string> refusal_of(const Sample& sample) {
    if (!sample.verdict.pass)
        return "its output is wrong: " + sample.verdict.metric + " " + std::to_string(sample.verdict.value) +
               ", at most " + std::to_string(sample.verdict.tolerance) + " expected; " + sample.verdict.detail;
    if (sample.share > 1.02 * sample.possible_share)
        return std::to_string(int(std::lround(sample.share * 100))) + " % of this run's " + sample.ceiling +
               " ceiling: its data were in the L2, or its bytes are counted wrongly";
    return {};
}

std::optional<bool> goal_reached(const Sample& sample) {
    if (sample.outcome != Outcome::measured) return {};
    // What lies between the kernels of a launch is in the events alone.
    const double us = sample.activity_us && sample.kernels.size() == 1 ? *sample.activity_us : sample.us.median;
    if (sample.goal.time) return us <= to_us(*sample.goal.time);
    if (sample.goal.share > 0 && !sample.ceiling.empty()) return sample.share >= sample.goal.share;
    return {};
}

nlohmann::ordered_json to_json(const Sample& sample) {
    Json shape = Json::object();
    for (const auto& [name, value] : sample.shape.dimensions()) shape[name] = value;
    Json json{{"schema", kRecordSchema}, {"kind", "sample"},
              {"origin", "measured"},    {"kernel", sample.kernel},
              {"shape", shape},          {"models", sample.models},
              {"source", sample.source}, {"source_hash", source_hash_of(sample.source)},
              {"seed", sample.seed},     {"outcome", name_of(sample.outcome)}};
    if (!sample.reason.empty()) json["reason"] = sample.reason;
    if (sample.us.n == 0) return json;
    json["t_us"] = to_json(sample.us);
    json["cold"] = sample.cold;
    json["noise"] = sample.noise;
    json["activity_us"] = or_null(sample.activity_us);
    json["gpu_kernels"] = sample.kernels;
    json["registers"] = or_null(sample.registers);
    json["bytes"] = sample.work.bytes().si();
    json["flops"] = sample.work.flops.si();
    json["gbs"] = gigabytes_per_second(sample);
    json["tflops"] = teraflops(sample);
    json["ceiling"] = sample.ceiling.empty() ? Json(nullptr) : Json(sample.ceiling);
    json["share_of_ceiling"] = sample.ceiling.empty() ? Json(nullptr) : Json(sample.share);
    json["goal"] = {{"share", sample.goal.share > 0 ? Json(sample.goal.share) : Json(nullptr)},
                    {"us", sample.goal.time ? Json(to_us(*sample.goal.time)) : Json(nullptr)},
                    {"text", sample.goal.text},
                    {"reached", or_null(goal_reached(sample))}};
    json["correct"] = {{"pass", sample.verdict.pass},
                       {"metric", sample.verdict.metric},
                       {"value", std::isfinite(sample.verdict.value) ? Json(sample.verdict.value) : Json(nullptr)},
                       {"tolerance", sample.verdict.tolerance},
                       {"detail", sample.verdict.detail}};
    json["baselines"] = Json::array();
    for (const BaselineTime& baseline : sample.baselines)
        json["baselines"].push_back({{"name", baseline.name},
                                     {"t_us", to_json(baseline.us)},
                                     {"times_as_fast", baseline.us.median / sample.us.median}});
    json["counters"] = counters_of(sample);
    json["clock_mhz"] = {{"before", or_null(sample.clock_before_mhz)}, {"after", or_null(sample.clock_after_mhz)}};
    json["power_w"] = or_null(sample.power_w);
    json["throttle"] = or_null(sample.throttle);
    json["flags"] = sample.flags;
    return json;
}

nlohmann::ordered_json to_json(const RunFacts& facts, const Ceilings& begin,
                               const std::map<std::int64_t, double>& rows) {
    Json row_rates = Json::object();
    for (const auto& [bytes, rate] : rows) row_rates[std::to_string(bytes)] = rate;
    return {{"schema", kRecordSchema},
            {"kind", "run"},
            {"origin", "measured"},
            {"run_id", facts.id},
            {"utc", facts.utc},
            {"command", facts.command},
            {"build", build_facts()},
            {"gpu",
             {{"name", facts.gpu.name},
              {"uuid", facts.gpu.uuid},
              {"compute_capability", std::to_string(facts.gpu.major) + "." + std::to_string(facts.gpu.minor)},
              {"multiprocessors", facts.gpu.multiprocessors},
              {"l2_bytes", facts.gpu.l2_bytes},
              {"memory_bytes", facts.gpu.memory_bytes},
              {"memory_peak_gbs", facts.gpu.memory_peak_gbs > 0 ? Json(facts.gpu.memory_peak_gbs) : Json(nullptr)},
              {"ecc", facts.gpu.ecc},
              {"driver", facts.gpu.driver},
              {"runtime", facts.gpu.runtime}}},
            {"cublas", facts.cublas},
            {"cupti", facts.cupti},
            {"ceilings", to_json(begin)},
            {"zero_copy_random_rows_gbs", row_rates}};
}

double drift_of(const Ceilings& begin, const Ceilings& end) {
    double drift = 0;
    for (const auto& [name, value] : begin.values)
        if (const auto at_end = end.values.find(name); at_end != end.values.end() && value > 0)
            drift = std::max(drift, std::abs(at_end->second / value - 1));
    return drift;
}

}  // namespace strata
