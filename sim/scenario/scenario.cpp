#include "sim/scenario/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "sim/quality/acceptance_law.hpp"
#include "sim/scenario/choices.hpp"
#include "sim/scenario/fabric_field.hpp"
#include "sim/scenario/optical_field.hpp"
#include "sim/scenario/placement_field.hpp"
#include "sim/scenario/point_reader.hpp"
#include "sim/scenario/rl_workload.hpp"
#include "sim/scenario/routing_field.hpp"
#include "sim/scenario/sweep.hpp"

namespace strata {

namespace {

// An access or a collective has no step to walk or simulate, and a step is neither: each kind has its own engines, of
// which the first is the default.
const std::vector<std::string>& engines_of(const std::string& kind) {
    static const std::vector<std::string> steps{"analytic", "systemc"}, access{"bank"}, collective{"flow", "packet"};
    return kind == "access" ? access : kind == "collective" ? collective : steps;
}

std::vector<std::string> read_engines(const YamlField& field, const std::string& kind) {
    const std::vector<std::string>& own = engines_of(kind);
    std::vector<std::string> engines;
    for (const YamlField& item : field.items()) {
        engines.push_back(one_of<std::string>(item, {{"analytic", "analytic"},
                                                     {"systemc", "systemc"},
                                                     {"bank", "bank"},
                                                     {"flow", "flow"},
                                                     {"packet", "packet"}}));
        if (item.text() == engines.back() && std::find(own.begin(), own.end(), engines.back()) == own.end())
            item.problem(fmt::format("an engine of kind {} ({})", kind.empty() ? "decode" : kind, fmt::join(own, ", ")),
                         "'" + engines.back() + "'");
    }
    if (engines.empty()) field.problem("at least one engine", "none");
    return engines;
}

// A kind of workload and the fields that it takes beside `kind`.
struct KindFields {
    std::string name;
    WorkloadKind kind;
    std::vector<std::string> fields;
};

const std::vector<KindFields>& workload_kinds() {
    static const std::vector<KindFields> kinds{
        {"decode", WorkloadKind::decode, {"batch", "context", "draft", "routing", "optical"}},
        {"prefill", WorkloadKind::prefill, {"batch", "context", "prompt", "prefix_hits", "routing", "optical"}},
        {"access", WorkloadKind::access, access_fields()},
        {"serving", WorkloadKind::serving, serving_fields()},
        {"training", WorkloadKind::training, training_fields()},
        {"rl", WorkloadKind::rl, rl_fields()},
        {"collective", WorkloadKind::collective, collective_fields()},
    };
    return kinds;
}

// Known fields of other kinds are told from misspelt ones: the message says whose they are.
WorkloadKind read_kind(const YamlField& workload) {
    static const auto [known, choices] = [] {
        std::pair<std::vector<std::string>, Choices<WorkloadKind>> of_all{{"kind"}, {}};
        for (const KindFields& one : workload_kinds()) {
            of_all.first.insert(of_all.first.end(), one.fields.begin(), one.fields.end());
            of_all.second.emplace_back(one.name, one.kind);
        }
        return of_all;
    }();
    workload.allow_only(known);
    const WorkloadKind kind = one_of<WorkloadKind>(workload["kind"], choices);
    std::map<std::string, std::vector<std::string>> owners;
    const std::vector<std::string> given = workload.keys();
    for (const KindFields& one : workload_kinds())
        for (const std::string& field : one.fields)
            if (std::find(given.begin(), given.end(), field) != given.end()) owners[field].push_back(one.name);
    const auto own = std::find_if(workload_kinds().begin(), workload_kinds().end(),
                                  [kind](const KindFields& one) { return one.kind == kind; });
    for (const auto& [field, names] : owners)
        if (std::find(own->fields.begin(), own->fields.end(), field) == own->fields.end())
            workload[field].problem(
                fmt::format("this field belongs to kind {}, not {}", fmt::join(names, " and "), own->name));
    return kind;
}

void refuse(const YamlField& parent, const std::vector<std::string>& fields, const std::string& why) {
    for (const std::string& name : fields)
        if (parent[name].exists()) parent[name].problem(why);
}

// Their product is another question (points); this is what is kept of them.
void check_values(const std::vector<Axis>& axes, const std::string& file) {
    std::size_t values = 0;
    for (const Axis& axis : axes) values += axis.values.size();
    if (values > ScenarioFile::kMaxPoints)
        throw InputError(file + ": axes", "at most 10^7 values of all axes together", fmt::format("{}", values));
}

QualitySources read_quality(const YamlField& field, const std::string& file) {
    QualitySources sources;
    if (!field.exists()) return sources;
    field.allow_only({"allocation", "budget"});
    if (field["allocation"].exists())
        sources.allocation = (std::filesystem::path(file).parent_path() / field["allocation"].text()).string();
    if (field["budget"].exists()) sources.budget = field["budget"].text();
    return sources;
}

Workload read_workload(const YamlField& field, bool prefill) {
    Workload workload;
    workload.prefill = prefill;
    const YamlField batch = field["batch"];
    workload.largest_with = read_largest_with(batch);
    if (!batch.is_map()) workload.batch = at_least(batch, 1, 1);
    workload.context = at_least(field["context"], 0, 0);
    workload.prompt = at_least(field["prompt"], 1, 1);
    workload.prefix_hits = share(field["prefix_hits"], 0);
    if (workload.prefix_hits >= 1) field["prefix_hits"].problem("a share below 1: something must be computed", "1");
    if (const YamlField draft = field["draft"]; draft.exists()) {
        draft.allow_only({"tokens", "acceptance"});
        workload.drafts = double(count_of(draft["tokens"]));
        workload.acceptance = share(draft["acceptance"], 0);
    }
    if (const auto dials = read_optical(field["optical"]); dials && field.problems().empty()) {
        workload.optical = OpticalContext{
            .dials = *dials, .prompt_text = prefill ? workload.prompt : 0, .context_text = workload.context};
        workload.context = workload.optical->context_tokens();
        if (prefill) workload.prompt = workload.optical->prompt_tokens();
    }
    return workload;
}

}  // namespace

std::string_view to_string(Tier tier) {
    constexpr std::string_view kNames[] = {"hbm", "host", "cxl", "nvme"};
    return kNames[static_cast<std::size_t>(tier)];
}

double Workload::tokens() const {
    if (prefill) return optical ? optical->prompt_text : prompt;
    return tokens_per_step(acceptance, static_cast<int>(drafts));
}

Point with_settings(const Point& point, const std::vector<std::pair<std::string, std::string>>& settings) {
    Point changed{point.settings, YAML::Clone(point.document)};
    for (const auto& [path, value] : settings) {
        const bool is_scalar = value.find_first_of("[{") != 0;
        set_at(changed.document, path, is_scalar ? YAML::Node(value) : parse_yaml(value, path));
    }
    return changed;
}

ScenarioFile::ScenarioFile(const std::string& file, std::string models_folder,
                           const std::vector<std::string>& overrides)
    : ScenarioFile(file, load_yaml(file), std::move(models_folder), overrides) {}

ScenarioFile::ScenarioFile(const std::string& file, const YAML::Node& document, std::string models_folder,
                           const std::vector<std::string>& overrides)
    : file_(file),
      models_folder_(std::move(models_folder)),
      document_(YAML::Clone(document)),
      places_(places_of(document, file)) {
    if (!document_.IsMap()) throw InputError(file + ": expected a map with model, platform and workload");
    for (const std::string& text : overrides) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw InputError("--set", "PATH=VALUE such as 'workload.batch=64'", "'" + text + "'");
        const std::string path = text.substr(0, equals);
        set_at(document_, path, parse_yaml(text.substr(equals + 1), "--set " + text));
        set_place(places_, path, "--set " + text);
    }
    Problems problems;
    const YamlField root(document_, file, "", problems, &places_);
    // Whatever else is wrong with it is said where points are read.
    const YamlField kind = root["workload"]["kind"];
    if (kind.exists() && kind.node().IsScalar()) kind_ = kind.node().Scalar();
    engines_ = {engines_of(kind_).front()};
    root.allow_only({"name", "description", "engines", "model", "platform", "workload", "placement", "kernels",
                     "detail", "economics", "quality", "axes", "assertions", "search"});
    name_ = root["name"].exists() ? root["name"].text() : std::filesystem::path(file).stem().string();
    if (root["description"].exists()) description_ = root["description"].text();
    if (root["engines"].exists()) engines_ = read_engines(root["engines"], kind_);
    if (root["axes"].exists())
        for (const YamlField& axis : root["axes"].items()) {
            axes_.push_back(read_axis(axis));
            check_values(axes_, file_);
        }
    quality_ = read_quality(root["quality"], file_);
    if (root["assertions"].exists())
        for (const YamlField& field : root["assertions"].items())
            if (const auto assertion = read_assertion(field)) assertions_.push_back(*assertion);
    search_ = read_search(root["search"], root["axes"], axes_);
    problems.throw_if_any();
    for (const char* read : {"axes", "assertions", "search"}) document_.remove(read);  // not copied into each point
    for (std::size_t i = 0; i < axes_.size(); ++i)
        for (const std::string& path : axes_[i].paths)
            set_place(places_, path, places_.of_value[fmt::format("axes[{}]", i)]);
}

const std::vector<std::string>& ScenarioFile::engines_of_kind() const { return engines_of(kind_); }

ScenarioFile ScenarioFile::apart() const {
    ScenarioFile other(*this);
    other.document_.reset(YAML::Clone(document_));  // assigning would change the node that both share
    return other;
}

Point ScenarioFile::point_with(Settings settings) const {
    Point point{std::move(settings), YAML::Clone(document_)};
    for (const auto& [path, value] : point.settings) set_at(point.document, path, YAML::Node(value));
    return point;
}

std::vector<Settings> ScenarioFile::settings() const {
    double count = 1;
    for (const Axis& axis : axes_)
        if (axis.is_range())
            throw InputError(file_ + ": axes", "values to sweep; 'strata run' draws from a range as search.sample says",
                             "a range of " + axis.paths.front());
    for (const Axis& axis : axes_) count *= double(axis.values.size());
    if (count > kMaxPoints)
        throw InputError(file_ + ": axes", "a sweep of at most 10^7 points", fmt::format("{:.0f}", count));
    std::vector<Settings> points{{}};
    for (const Axis& axis : axes_) {
        std::vector<Settings> wider;
        wider.reserve(points.size() * axis.values.size());
        for (const Settings& point : points)
            for (const std::vector<std::string>& step : axis.values) {
                wider.push_back(point);
                for (std::size_t j = 0; j < axis.paths.size(); ++j) wider.back().emplace_back(axis.paths[j], step[j]);
            }
        points = std::move(wider);
    }
    return points;
}

std::vector<Point> ScenarioFile::points() const {
    std::vector<Point> points;
    for (Settings& each : settings()) points.push_back(point_with(std::move(each)));
    return points;
}

Model ScenarioFile::read_model_of(const YamlField& field, Problems& problems) const {
    if (field.is_map()) {
        std::vector<std::string> fields{"preset", "rho"};
        fields.insert(fields.end(), model_fields().begin(), model_fields().end());
        field.allow_only(fields);
    }
    const YamlField name = field.is_map() ? field["preset"] : field;
    const std::string preset = name.text();
    problems.throw_if_any();
    const std::filesystem::path preset_file = std::filesystem::path(models_folder_) / (preset + ".yaml");
    std::error_code too_long;  // is no model either
    if (preset.find('/') != std::string::npos || !std::filesystem::exists(preset_file, too_long)) {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(models_folder_))
            names.push_back(entry.path().stem());
        std::sort(names.begin(), names.end());
        const auto meant = nearest_name(preset, names);
        throw InputError(name.where(), fmt::format("a model preset ({})", fmt::join(names, ", ")),
                         "'" + preset + "'" + (meant ? ". Did you mean '" + *meant + "'?" : ""));
    }
    YAML::Node overrides;
    if (field.is_map()) {
        overrides = YAML::Clone(field.node());
        overrides.remove("preset");
        overrides.remove("rho");
    }
    // Points of a sweep have few models between them: each is read once.
    const std::string key = fmt::format("{} {}\n{}", preset_file.string(),
                                        std::filesystem::last_write_time(preset_file).time_since_epoch().count(),
                                        field.is_map() ? YAML::Dump(overrides) : "");
    constexpr std::size_t kKept = 256;
    static thread_local std::map<std::string, Model> known;
    if (const auto found = known.find(key); found != known.end()) return found->second;
    YAML::Node merged = load_yaml(preset_file.string());
    if (field.is_map()) merge_into(merged, overrides);
    // The preset itself is valid, so what is wrong in the merged document stands in the scenario.
    Model model = field.is_map() ? read_model(YamlField(merged, file_, "model", problems, &places_))
                                 : read_model(YamlField(merged, preset_file.string(), "", problems));
    if (known.size() >= kKept) known.clear();
    if (problems.empty()) known.emplace(key, model);
    return model;
}

Scenario ScenarioFile::read(const Point& point, const Catalog& catalog, KnownSections* known) const {
    Problems problems;
    const auto section = [&](const char* name, const auto& read) {
        return known ? known->of(name, problems, read) : read();
    };
    const YamlField root(point.document, file_, "", problems, &places_);
    Scenario scenario;
    scenario.name = name_;
    const WorkloadKind kind = read_kind(root["workload"]);
    for (const auto& [name, apart] :
         {std::pair("access", WorkloadKind::access), {"collective", WorkloadKind::collective}})
        if ((kind == apart) != (kind_ == name))
            root["workload"]["kind"].problem(fmt::format(
                "{} is no value beside others: it has its own engines and metrics. Write a scenario of its own", name));
    if (kind == WorkloadKind::collective) {
        scenario.collective = read_collective(root["workload"], root["platform"], catalog);
        refuse(root, {"model", "placement", "kernels", "detail", "economics"},
               "this field belongs to decode and prefill; a collective has no model");
        problems.throw_if_any();
        return scenario;
    }
    scenario.platform = section("platform", [&] { return read_platform(root["platform"], catalog); });
    scenario.system = scenario.platform.system.name;
    const YamlField fabric = root["platform"]["fabric"];
    if (fabric.exists()) scenario.fabric = read_fabric_field(fabric, catalog);
    if (kind == WorkloadKind::access) {
        scenario.access = read_access(root["workload"]);
        refuse(root, {"model", "placement", "kernels", "detail", "economics"},
               "this field belongs to decode and prefill; an access has no model");
        problems.throw_if_any();
        return scenario;
    }
    if (kind == WorkloadKind::serving) {
        scenario.serving = read_serving(root["workload"], file_);
        if (scenario.serving->pools) refuse(root, {"placement"}, "each of workload.pools has a placement of its own");
    } else if (kind == WorkloadKind::training) {
        scenario.training = read_training(root["workload"]);
    } else if (kind == WorkloadKind::rl) {
        scenario.rl = std::make_shared<const RlWorkload>(read_rl(root["workload"], file_));
    } else {
        scenario.workload = read_workload(root["workload"], kind == WorkloadKind::prefill);
    }
    if (kind != WorkloadKind::decode && kind != WorkloadKind::prefill) refuse_domains(root["placement"]);
    if (kind != WorkloadKind::rl) scenario.routing = read_routing(root["workload"]["routing"], file_);
    scenario.placement = read_placement(root["placement"], scenario.routing.has_value());
    if (scenario.workload.largest_with) scenario.workload.batch = scenario.placement.dp * scenario.placement.batches();
    scenario.kernels = section("kernels", [&] { return read_kernels(root["kernels"]); });
    if (scenario.kernels.exchange == ExchangeKernel::fabric && !scenario.fabric)
        root["kernels"]["exchange"].problem("fabric needs a platform.fabric: a name of the catalogue or a description");
    scenario.economics = section("economics", [&] { return read_economics(root["economics"], catalog); });
    if (root["detail"].exists())
        scenario.detail = one_of<Detail>(root["detail"], {{"op", Detail::op}, {"bank", Detail::bank}});
    scenario.model = section("model", [&] { return read_model_of(root["model"], problems); });
    problems.throw_if_any();
    const YamlField rho = root["model"]["rho"];
    if (rho.exists()) {
        scenario.rho = rho.number(1);
        scenario.allocated = true;
        problems.throw_if_any();
        if (!(scenario.rho > 0 && scenario.rho <= 1))
            throw InputError(rho.where(), "a share of the sparse parameters in (0, 1]",
                             fmt::format("{}", scenario.rho));
        scenario.model = with_allocation(scenario.model, scenario.rho);
    }
    return scenario;
}

Scenario read_point(const std::string& document, const std::string& file, const std::string& models_folder,
                    const Catalog& catalog) {
    YAML::Node node = parse_yaml(document, file);
    node.remove("axes");  // a point is one step of each
    node.remove("search");
    const ScenarioFile of_the_point(file, node, models_folder);
    return of_the_point.read(of_the_point.first_point(), catalog);
}

}  // namespace strata
