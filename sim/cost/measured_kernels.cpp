#include "sim/cost/measured_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "hwmodels/sha256.hpp"

namespace strata {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;

constexpr const char* kRecordSchema = "strata.kernel-record.1";

std::string contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The fingerprint that kernels/bench/build_facts.cmake computes at build time: over the fingerprints of files in order.
template <class Chosen>
std::string fingerprint(const fs::path& folder, Chosen chosen) {
    std::vector<fs::path> files;
    if (fs::is_directory(folder))
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.is_regular_file() && chosen(entry.path().filename().string())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string all;
    for (const fs::path& file : files) all += sha256(contents(file));
    return all;
}

bool ends_with(const std::string& name, std::string_view ending) {
    return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

std::string source_hash(const fs::path& kernels, const std::string& folder) {
    const auto of_kind = [](const fs::path& where, std::initializer_list<const char*> endings) {
        std::string all;
        for (const char* ending : endings)
            all += fingerprint(where, [&](const std::string& name) { return ends_with(name, ending); });
        return all;
    };
    const std::string simt = fingerprint(kernels / "simt", [](const std::string&) { return true; });
    const std::string shared = simt + of_kind(kernels, {".hpp", ".cuh"});
    return sha256(sha256(shared) + sha256(of_kind(kernels / folder, {".cu", ".cuh", ".hpp"})));
}

// "kernels/mhc/mhc_pre.cu" -> "mhc"
std::string family_folder(const std::string& source) {
    const std::size_t last = source.rfind('/'), before = last == std::string::npos ? last : source.rfind('/', last - 1);
    return last == std::string::npos ? ""
                                     : source.substr(before == std::string::npos ? 0 : before + 1, last - before - 1);
}

bool alike(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b)); }

}  // namespace

std::optional<Family> family_of_kernel(const std::string& kernel) {
    static const std::map<std::string, Family> families{
        {"mhc/pre", Family::mhc_pre},
        {"mhc/post", Family::mhc_post},
        {"engram/gather-hbm", Family::engram_gather},
        {"engram/gate", Family::engram_gate},
        {"quant/swiglu", Family::swiglu_quantise},
        {"attention/top-k", Family::indexer_top_k},
        {"attention/indexer-prefill", Family::indexer_logits},
        {"attention/indexer-decode", Family::indexer_logits},
        {"attention/mla-decode-bf16", Family::latent_attention},
        {"attention/mla-decode-bf16-128-heads", Family::latent_attention},
        {"attention/mla-decode-v32-fp8", Family::latent_attention},
        {"attention/mla-decode-v4-fp8", Family::latent_attention},
        {"gemm/bf16-library", Family::gemm_bf16},
        {"gemm/fp8-library", Family::gemm_fp8},
        {"gemm/grouped-fp8", Family::grouped_gemm},
        {"quant/tiles-fp32", Family::fp8_quantise},
    };
    const auto found = families.find(kernel);
    return found == families.end() ? std::nullopt : std::optional(found->second);
}

std::optional<OpPoint> point_of_kernel(const std::string& kernel, const std::map<std::string, double>& shape) {
    // Bench's name of each side; what must be so for the table to mean the same.
    struct Form {
        std::vector<std::pair<std::string_view, std::string>> sides;
        std::string words{};
        std::map<std::string, double> only{};
    };
    static const Form one_query{.sides = {{"batch", "sequences"}, {"context", "context"}, {"heads", "heads"}},
                                .words = ",cache=bfloat16",
                                .only = {{"queries", 1}, {"ragged", 0}}};
    static const Form product{.sides = {{"m", "m"}, {"n", "n"}, {"k", "k"}}};
    static const Form tokens{.sides = {{"tokens", "tokens"}, {"hidden", "hidden"}}};
    static const std::map<std::string, Form> forms{
        {"mhc/pre", tokens},
        {"mhc/post", tokens},
        {"gemm/bf16-library", product},
        {"gemm/fp8-library", product},
        {"quant/tiles-fp32", {.sides = {{"m", "rows"}, {"k", "width"}}}},
        {"attention/mla-decode-bf16", one_query},
        {"attention/mla-decode-bf16-128-heads", one_query},
    };
    const auto form = forms.find(kernel);
    if (form == forms.end()) return {};
    for (const auto& [name, length] : form->second.only)
        if (const auto found = shape.find(name); found == shape.end() || found->second != length) return {};
    std::string text;
    for (const auto& [side, name] : form->second.sides) {
        const auto length = shape.find(name);
        if (length == shape.end()) return {};
        text += fmt::format("{}{}={:.0f}", text.empty() ? "" : ",", side, length->second);
    }
    return point_from(*family_of_kernel(kernel), text + form->second.words);
}

MeasuredKernels::MeasuredKernels(const fs::path& folder, const fs::path& kernels) {
    std::vector<fs::path> files;
    if (fs::is_directory(folder))
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::map<std::string, std::string> hashes;  // of the sources today, by folder
    const auto hash_now = [&](const std::string& of) {
        const auto known = hashes.find(of);
        return known != hashes.end() ? known->second : hashes[of] = source_hash(kernels, of);
    };
    for (const fs::path& file : files) {
        std::ifstream in(file);
        std::string device;
        int number = 0;
        for (std::string line; std::getline(in, line);) {
            ++number;
            try {
                take(Json::parse(line), device, hash_now);
            } catch (const std::exception& error) {
                throw InputError(
                    fmt::format("{}:{}: not a line of a record of kernels: {}", file.string(), number, error.what()));
            }
        }
    }
    for (auto& devices : points_)
        for (auto& entry : devices)
            std::stable_sort(entry.second.begin(), entry.second.end(),
                             [](const Point& a, const Point& b) { return a.bytes < b.bytes; });
}

void MeasuredKernels::take(const nlohmann::json& line, std::string& device,
                           const std::function<std::string(const std::string&)>& hash_now) {
    if (line.at("schema") != kRecordSchema)
        throw InputError("schema", fmt::format("'{}'", kRecordSchema), line.at("schema").dump());
    if (line.at("kind") == "run") device = line.at("gpu").at("name");
    if (line.at("kind") != "sample" || line.at("outcome") != "measured") return;
    const auto family = family_of_kernel(line.at("kernel"));
    if (!family) return;
    if (line.at("source_hash") != hash_now(family_folder(line.at("source")))) {
        ++stale_;
        return;
    }
    const double us = line.at("t_us").at("median");
    if (line.contains("shape"))
        if (const auto point = point_of_kernel(line.at("kernel"), line.at("shape")))
            exact_[{device, *point}] = Seconds(us * 1e-6);
    points_[static_cast<std::size_t>(*family)][device].push_back(
        {Flops(line.at("flops")), Bytes(line.at("bytes")), Seconds(us * 1e-6)});
    ++samples_;
}

std::optional<MeasuredKernels::Found> MeasuredKernels::find(const std::string& device, Family family,
                                                            const Work& work) const {
    const auto& devices = points_[static_cast<std::size_t>(family)];
    if (devices.empty() || work.bytes() <= Bytes(0)) return {};
    const auto points = devices.find(device);
    if (points == devices.end()) return {};
    const double bytes = work.bytes().si();
    const Point *below = nullptr, *above = nullptr;
    for (const Point& point : points->second) {
        if (!alike(point.flops.si() / point.bytes.si(), work.flops.si() / bytes)) continue;
        if (alike(point.bytes.si(), bytes)) return Found{point.time, true};
        if (point.bytes.si() < bytes) below = &point;
        if (point.bytes.si() > bytes && !above) above = &point;
    }
    if (!below || !above) return {};
    // Between two measured shapes time follows a power of the bytes: 0 where launching dominates, 1 where memory does.
    const double along = std::log(bytes / below->bytes.si()) / std::log(above->bytes / below->bytes);
    return Found{below->time * std::pow(above->time / below->time, along), false};
}

std::optional<Seconds> MeasuredKernels::at(const std::string& device, const OpPoint& point) const {
    const auto found = exact_.find({device, point});
    return found == exact_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace strata
