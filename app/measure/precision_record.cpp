#include "app/measure/precision_record.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/model/precision.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json data_json() {
    return {{{"name", "normal"}},
            {{"name", "heavy_tailed"}, {"degrees_of_freedom", kDegreesOfFreedom}},
            {{"name", "outlier_channels"}, {"one_channel_in", kOutlierEvery}, {"factor", kOutlierFactor}},
            {{"name", "positive"}}};
}

Json json_of(const StorageError& error) {
    return {{"format", to_string(error.format)},
            {"data", to_string(error.data)},
            {"bytes_per_element", bytes_per_element(error.format)},
            {"snr_db", error.snr_db},
            {"max_relative_error", error.max_relative_error},
            {"flushed_share", error.flushed_share}};
}

Json json_of(const DotError& error) {
    return {{"data", to_string(error.data)},
            {"activations", to_string(error.activations)},
            {"weights", to_string(error.weights)},
            {"accumulation", to_string(error.accumulation)},
            {"origin", error.accumulation == Accumulation::fp32 ? "measured" : "modelled"},
            {"k", error.k},
            {"relative_error", error.relative_error},
            {"accumulation_error", error.accumulation_error},
            {"max_relative_error", error.max_relative_error}};
}

}  // namespace

const std::vector<std::string>& precision_notes() {
    static const std::vector<std::string> notes{
        fmt::format("heavy_tailed is Student's t of {} degrees of freedom; outlier_channels is normal with every {}th "
                    "channel {} times larger (weights beside them are normal); positive is uniform in (0, 1)",
                    kDegreesOfFreedom, kOutlierEvery, kOutlierFactor),
        "hopper_fp8 models the accumulator that arXiv 2412.19437, section 3.5.2, describes (14 bits, aligned to the "
        "largest of 32 products and the sum); no device was measured",
        "fp4_block is MXFP4, widened to FP8 for its product; nvfp4 weights are widened to BF16"};
    return notes;
}

std::string to_record(const PrecisionErrors& errors, std::uint64_t seed) {
    Json record{{"schema", "strata/precision/1"}, {"origin", "measured"},      {"seed", seed},
                {"strata", STRATA_VERSION},       {"data", data_json()},       {"storage", Json::array()},
                {"dot_products", Json::array()},  {"notes", precision_notes()}};
    for (const StorageError& error : errors.storage) record["storage"].push_back(json_of(error));
    for (const DotError& error : errors.dots) record["dot_products"].push_back(json_of(error));
    return record.dump(1) + "\n";
}

}  // namespace strata
