// Schema and reader say the same. Both are walked by the schema: at each level of fields the reader must list the same
// names, each choice must be the same, what the schema refuses the reader refuses at that path, and every example of
// the schema is good for both.
#include "sim/scenario/schema.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "hwmodels/measurement.hpp"
#include "sim/scenario/rl_workload.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/json_schema.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Pointer = Json::json_pointer;

const std::string kScenarios = std::string(STRATA_SOURCE_DIR) + "/scenarios";
constexpr const char* kUnknown = "qqqqqqqqqqqqqqqq";  // near no field, so that the reader lists them all

Json json_of(const YAML::Node& node) {
    Json json;
    if (node.IsMap())
        for (const auto& entry : node) json[entry.first.Scalar()] = json_of(entry.second);
    if (node.IsSequence()) {
        json = Json::array();
        for (const auto& item : node) json.push_back(json_of(item));
    }
    if (!node.IsScalar()) return json;
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;  // quoted
    if (text == "true" || text == "false") return text == "true";
    long long whole = 0;
    double number = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, whole).ptr == end) return whole;
    if (std::from_chars(text.data(), end, number).ptr == end) return number;
    return text;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

using Read = std::function<std::vector<std::string>(const Json&)>;  // a document -> the reader's errors

// What the examples call host.jsonl.
std::string measured_host() {
    const auto row = [](const std::string& what, std::map<std::string, Repeats> metrics, double depth) {
        return to_line({.what = what,
                        .parameters = {{"block_bytes", 4096.0}, {"depth", depth}},
                        .metrics = std::move(metrics),
                        .repeats = 5,
                        .machine = {"Model X", 2, 24.0_GB, {}, "6.1.0", "madvise"},
                        .when = "2026-11-24T19:30:00Z",
                        .strata = "0.1.0"}) +
               "\n";
    };
    return row("host/stream_read", {{"bandwidth_GBps", {30, 28, 31}}}, 0) +
           row("host/read_latency", {{"latency_ns", {100, 90, 110}}}, 0) +
           row("host/direct_reads",
               {{"bandwidth_GBps", {1, 1, 1}}, {"iops", {9e3, 9e3, 9e3}}, {"latency_p50_us", {80, 80, 80}}}, 1);
}

std::vector<std::string> read_scenario(const Json& document) {
    static const Catalog catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog");
    const ScratchFolder folder;
    const std::string file = folder.write("scenario.yaml", document.dump());
    folder.write("host.jsonl", measured_host());
    std::vector<std::string> errors;
    try {
        const ScenarioFile scenario(file, kScenarios + "/models");
        scenario.read(scenario.points().front(), catalog);
    } catch (const InputError& error) {
        errors = lines_of(error.what());
    }
    return errors;
}

std::vector<std::string> read_model_document(const Json& document) {
    Problems problems;
    read_model(YamlField(parse_yaml(document.dump(), "m.yaml"), "m.yaml", "", problems));
    return problems.messages();
}

// "/axes/0/path" -> "axes[0].path", as errors call it.
std::string path_of(const Pointer& pointer) {
    const std::string dots = std::regex_replace(pointer.to_string(), std::regex("/([0-9]+)"), "[$1]");
    return std::regex_replace(std::regex_replace(dots, std::regex("^/"), ""), std::regex("/"), ".");
}

// The list after `marker` in the error of exactly this path.
std::optional<std::set<std::string>> listed(const std::vector<std::string>& errors, const std::string& path,
                                            const std::string& marker) {
    for (const std::string& error : errors) {
        const std::size_t at = error.find(fmt::format(": {}: ", path)), list = error.find(marker);
        if (at == std::string::npos || list == std::string::npos) continue;
        std::string text = error.substr(list + marker.size());
        text = text.substr(0, text.find(", found"));
        std::set<std::string> names;
        static const std::regex separator(", ");
        for (std::sregex_token_iterator name(text.begin(), text.end(), separator, -1), end; name != end; ++name)
            names.insert(*name);
        return names;
    }
    return std::nullopt;
}

bool complains(const std::vector<std::string>& errors, const std::string& path) {
    for (const std::string& error : errors)
        for (const char* after : {":", ".", "["})
            if (error.find(fmt::format(": {}{}", path, after)) != std::string::npos) return true;
    return false;
}

class Walk {
public:
    Walk(Json schema, Json base, Read read)
        : schema_(std::move(schema)), base_(std::move(base)), read_(std::move(read)) {}

    int levels = 0, leaves = 0;

    void all() { level(resolved(schema_), Pointer(), base_); }

private:
    // The node with its reference followed and its parts put together; what stands beside a reference wins.
    Json resolved(Json node) const {
        while (node.contains("$ref")) {
            const std::string target = node["$ref"];
            node.erase("$ref");
            Json found = schema_.at(Pointer(target.substr(1)));
            found.update(node);
            node = found;
        }
        const Json parts = node.value("allOf", Json::array());
        node.erase("allOf");
        for (const Json& part : parts) {
            Json whole = resolved(part);
            whole.update(node);
            node = whole;
        }
        return node;
    }

    void walk(const Json& given, const Pointer& at, const Json& document) {
        const Json node = resolved(given);
        if (node.contains("properties")) return level(node, at, document);
        leaf(node, at, document);
        if (node.contains("oneOf"))
            for (const Json& choice : node["oneOf"]) {
                const Json one = resolved(choice);
                if (one.contains("properties")) level(one, at, document);
            }
        if (node.contains("items")) walk(node["items"], at / 0, document);
    }

    void level(const Json& node, const Pointer& at, Json document) {
        ++levels;
        Json& here = document[at];
        if (!here.is_object()) here = Json::object();
        for (const Json& name : node.value("required", Json::array()))
            if (!here.contains(name)) here[name.get<std::string>()] = example(node["properties"][name]);
        std::set<std::string> names;
        for (const auto& entry : node["properties"].items()) names.insert(entry.key());
        const auto known = listed(read_(with(document, at / kUnknown, 1)), path_of(at / kUnknown), "valid here: ");
        ASSERT_TRUE(known) << "the reader does not know the level " << at.to_string();
        EXPECT_EQ(*known, names) << "at " << at.to_string() << ": left is read, right is in the schema";
        EXPECT_EQ(node.value("additionalProperties", true), false) << at.to_string();
        for (const auto& [name, property] : node["properties"].items()) {
            described(resolved(property), at / name, node.value("required", std::set<std::string>()));
            walk(property, at / name, in_its_workload(at / name, without_rivals(node, name, document, at)));
        }
    }

    // Of fields that exclude each other ('values', 'linear', 'log') the one that is looked at stays.
    static Json without_rivals(const Json& node, const std::string& name, Json document, const Pointer& at) {
        std::set<std::string> rivals;
        for (const Json& choice : node.value("oneOf", Json::array())) rivals.insert(choice["required"][0]);
        if (rivals.erase(name))
            for (const std::string& rival : rivals) document[at].erase(rival);
        return document;
    }

    // A field of an access, of serving, of training or of RL stands in one.
    static Json in_its_workload(const Pointer& at, Json document) {
        const auto is_one_of = [&](const std::vector<std::string>& fields) {
            return at.parent_pointer().to_string() == "/workload" &&
                   std::find(fields.begin(), fields.end(), at.back()) != fields.end();
        };
        if (is_one_of(access_fields())) {
            document["workload"] = {
                {"kind", "access"}, {"part", "host_memory"}, {"pattern", "random_rows"}, {"row", "8 B"}};
            document.erase("model");
        }
        for (const auto& [kind, fields] :
             {std::pair("serving", serving_fields()), {"training", training_fields()}, {"rl", rl_fields()}})
            if (is_one_of(fields)) document["workload"] = {{"kind", kind}};
        if (is_one_of(collective_fields()) || at.to_string().starts_with("/platform/fabric")) {
            const bool tokens = is_one_of({"tokens", "hidden", "top_k", "domain_limit", "bytes_per_element", "copies"});
            document["workload"] = {{"kind", "collective"},
                                    {"operation", is_one_of({"algorithm"}) ? "all_reduce" : "all_to_all"},
                                    {"bytes", "1 MiB"}};
            if (tokens)
                document["workload"] = {
                    {"kind", "collective"}, {"operation", "dispatch"}, {"tokens", 8}, {"hidden", 8}, {"top_k", 1}};
            document["platform"].erase("system");
            if (!document["platform"].contains("fabric")) document["platform"]["fabric"] = "DGX_H200";
            // A field alone is one of a part that has all others; no effective bandwidth exceeds the wire's.
            if (document["platform"]["fabric"].is_object())
                document["platform"]["fabric"].emplace("part", "CloudMatrix384");
            for (const char* layer : {"scale_up", "scale_out"})
                if (at.to_string().starts_with(fmt::format("/platform/fabric/{}/effective", layer)))
                    document["platform"]["fabric"][layer]["bandwidth"] = "100 TB/s";
            document.erase("model");
        }
        return document;
    }

    void described(const Json& node, const Pointer& at, const std::set<std::string>& required) const {
        const std::string path = path_of(at);
        EXPECT_NE(node.value("description", ""), "") << path;
        EXPECT_TRUE(node.contains("enum") || !node.value("examples", Json::array()).empty()) << path;
        // An override of a model defaults to what its preset has.
        const bool has_default = path.rfind("model.", 0) == 0 || node.contains("default");
        EXPECT_TRUE(has_default || required.count(at.back())) << path;
        const bool number = node.value("type", Json()) == "number" || node.value("type", Json()) == "integer";
        EXPECT_TRUE(node.contains("unit") || !(number || node.contains("pattern"))) << path;
    }

    void leaf(const Json& node, const Pointer& at, const Json& document) {
        ++leaves;
        const std::string path = path_of(at);
        Json alone{{"allOf", {node}}, {"definitions", schema_["definitions"]}};
        const Schema schema(alone);
        if (node.contains("enum")) {
            const auto choices = listed(read_(with(document, at, kUnknown)), path, "expected one of ");
            EXPECT_EQ(choices, node["enum"].get<std::set<std::string>>()) << path;
        }
        const bool free_text = node.value("type", Json()) == "string" && !node.contains("pattern");
        for (const Json& wrong : wrong_values(node)) {
            if ((free_text && !wrong.is_structured()) || schema.takes(wrong)) continue;
            const auto errors = read_(with(document, at, wrong));
            EXPECT_TRUE(complains(errors, path) || complains(errors, path_of(at.parent_pointer())))
                << path << " = " << wrong.dump() << " is read without a complaint";
        }
        for (const Json& good : node.value("examples", Json::array())) {
            EXPECT_TRUE(schema.takes(good)) << path << " = " << good.dump() << "\n" << schema.errors(good);
            EXPECT_TRUE(reads_in_some_workload(with(document, at, good), path)) << path << " = " << good.dump();
        }
    }

    static std::vector<Json> wrong_values(const Json& node) {
        std::vector<Json> wrong{"qqqq qqqq", Json::array({"qqqq qqqq"}), Json::array(), {{kUnknown, 1}}, true, 1.5, -1};
        if (node.contains("minimum")) wrong.push_back(node["minimum"].get<double>() - 1);
        if (node.contains("exclusiveMinimum")) wrong.push_back(node["exclusiveMinimum"]);
        if (node.contains("maximum")) wrong.push_back(node["maximum"].get<double>() + 1);
        return wrong;
    }

    // A field of prefill is wrong in decode, and so on.
    bool reads_in_some_workload(Json document, const std::string& path) const {
        if (!complains(read_(document), path)) return true;
        if (!document.contains("workload")) return false;
        const Json workload = resolved(schema_["properties"]["workload"]);
        for (const Json& kind : workload["properties"]["kind"]["enum"]) {
            document["workload"]["kind"] = kind;
            if (!complains(read_(document), path)) return true;
        }
        return false;
    }

    Json example(const Json& given) const {
        const Json node = resolved(given);
        return node.contains("enum") ? node["enum"][0] : node["examples"][0];
    }

    static Json with(Json document, const Pointer& at, const Json& value) {
        document[at] = value;
        return document;
    }

    Json schema_, base_;
    Read read_;
};

Json schema(const std::string& kind) { return schema_of(kind, kScenarios + "/schema"); }

TEST(ScenarioSchema, has_the_fields_choices_and_bounds_of_the_reader) {
    Walk walk(schema("scenario"),
              {{"model", {{"preset", "v4.1-flash"}}},
               {"platform", {{"system", "HGX_H200"}}},
               {"workload", {{"kind", "decode"}}}},
              read_scenario);
    walk.all();
    EXPECT_GT(walk.levels, 30);
    EXPECT_GT(walk.leaves, 80);
}

TEST(ModelSchema, has_the_fields_choices_and_bounds_of_the_reader) {
    Json base = json_of(load_yaml(kScenarios + "/models/v4.1-flash.yaml"));
    base["attention"]["pattern"] = {{{"kinds", {"csa", "hca"}}, {"ratios", {4, 128}}, {"times", 20}}};
    Walk walk(schema("model"), base, read_model_document);
    walk.all();
    EXPECT_GT(walk.leaves, 30);
}

TEST(ScenarioSchema, and_reader_keep_the_fields_of_accesses_and_steps_apart) {
    const Schema scenario(schema("scenario"));
    const Json access{{"kind", "access"}, {"part", "host_memory"}, {"pattern", "stream"}};
    const Json decode{{"kind", "decode"}};
    const Json collective{{"kind", "collective"}, {"operation", "all_reduce"}, {"bytes", "1 MiB"}};
    const auto with = [](Json workload, const char* field, const Json& value) {
        workload[field] = value;
        return workload;
    };
    const auto document = [](const Json& workload, const Json& more) {
        Json all{{"platform", {{"system", "HGX_H200"}}}, {"workload", workload}};
        all.update(more);
        return all;
    };
    const Json model{{"model", "v3"}}, none = Json::object();
    for (const auto& [good, takes] : std::vector<std::pair<Json, bool>>{
             {document(access, none), true},
             {document(decode, model), true},
             {document(decode, none), false},
             {document(access, model), false},
             {document(access, {{"placement", {{"tp", 1}}}}), false},
             {document(access, {{"kernels", {{"experts", "fused"}}}}), false},
             {document(with(access, "batch", 8), none), false},
             {document(with(access, "context", 8), none), false},
             {document(with(access, "prompt", 8), none), false},
             {document(with(access, "prefix_hits", 0.5), none), false},
             {document(with(access, "draft", Json::object()), none), false},
             {document(with(decode, "part", "nvme"), model), false},
             {document(with(decode, "pattern", "stream"), model), false},
             {document(with(decode, "row", "8 B"), model), false},
             {document(with(decode, "write_share", 0.5), model), false},
             {document(with(decode, "load", 0.5), model), false},
             {document(with(decode, "outstanding", 5), model), false},
             {document({{"kind", "access"}, {"part", "host_memory"}}, none), false},
             {document({{"kind", "access"}, {"pattern", "stream"}}, none), false},
             {{{"platform", {{"fabric", "DGX_H200"}}}, {"workload", collective}}, true},
             {document(collective, {{"platform", {{"fabric", "DGX_H200"}}}, {"model", "v3"}}), false},
             {document(with(decode, "crossing", "direct"), model), false}}) {
        EXPECT_EQ(scenario.takes(good), takes) << good.dump();
        EXPECT_EQ(read_scenario(good).empty(), takes) << good.dump();
    }
}

TEST(ScenarioSchema, knows_the_metrics_of_the_reader_by_name_and_in_an_assertion) {
    const Json document{{"assertions", {std::string("q.q <= 1")}}};
    const auto known = listed(read_scenario(document), "assertions[0]", "known: ");
    const Json scenario = schema("scenario");
    const auto metrics = scenario["definitions"]["metric"]["enum"].get<std::set<std::string>>();
    EXPECT_EQ(known, metrics);
    const Schema assertion(scenario["definitions"]["assertion"]);
    for (const std::string& metric : metrics) EXPECT_TRUE(assertion.takes(metric + " <= 20")) << metric;
    for (const char* wrong : {"decode.tpot <= 20", "decode.tpot_ms = 20", "decode.tpot_ms <= fast"})
        EXPECT_FALSE(assertion.takes(wrong)) << wrong;
}

TEST(ScenarioSchema, knows_the_units_of_the_reader) {
    const Json scenario = schema("scenario");
    const auto reads = [](auto parse, const std::string& text) {
        try {
            parse(text, "");
            return true;
        } catch (const InputError&) {
            return false;
        }
    };
    for (const std::string unit :
         {"B", "KB", "MB", "GB", "TB",     "KiB",    "MiB",    "GiB", "TiB", "MB/s",  "GB/s", "TB/s", "Gb/s", "Tb/s",
          "s", "ms", "us", "ns", "GFLOPS", "TFLOPS", "PFLOPS", "",    "gb",  "GiB/s", "B/s",  "Gb",   "min",  "FLOPS"})
        for (const std::string number : {"8 ", "8.5", ".5 ", "1e3 ", "-1 ", "x", "+1 "}) {
            const std::string text = number + unit;
            const auto takes = [&](const char* name) { return Schema(scenario["definitions"][name]).takes(text); };
            EXPECT_EQ(takes("bytes"), reads(parse_bytes, text)) << text;
            EXPECT_EQ(takes("bandwidth"), reads(parse_bandwidth, text)) << text;
            EXPECT_EQ(takes("time"), reads(parse_seconds, text)) << text;
            EXPECT_EQ(takes("flop_rate"), reads(parse_flop_rate, text)) << text;
        }
}

TEST(Schemas, take_every_shipped_scenario_and_model_and_each_names_its_schema) {
    int files = 0;
    for (const auto& [folder, kind] : std::vector<std::pair<std::string, std::string>>{
             {"models", "model"}, {"examples", "scenario"}, {"studies", "scenario"}}) {
        if (!fs::exists(fs::path(kScenarios) / folder)) continue;
        const Schema of_kind(schema(kind));
        for (const auto& entry : fs::directory_iterator(fs::path(kScenarios) / folder)) {
            if (entry.path().extension() != ".yaml") continue;
            ++files;
            EXPECT_EQ(of_kind.errors(json_of(load_yaml(entry.path().string()))), "") << entry.path();
            std::ifstream stream(entry.path());
            std::string first;
            std::getline(stream, first);
            EXPECT_EQ(first, "# yaml-language-server: $schema=../schema/" + kind + ".schema.json") << entry.path();
        }
    }
    EXPECT_GE(files, 12);
}

}  // namespace
}  // namespace strata
