#include "app/cli/chunks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "reports/files.hpp"
#include "sim/search/point_plan.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/search_study.hpp"

namespace strata {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

ScenarioFile scenario_of(const ChunkPlan& plan, const std::string& root) {
    return {plan.scenario, root + "/scenarios/models", plan.set};
}

PointPlan points_of(const ScenarioFile& scenario) {
    const auto sample = scenario.search() ? std::optional<SampleSpec>(scenario.search()->sample) : std::nullopt;
    return {scenario.axes(), sample, ScenarioFile::kMaxPoints};
}

std::string inputs_of(const std::string& root) {
    const fs::path nowhere = fs::temp_directory_path() / fmt::format("strata-inputs-{}.sqlite", getpid());
    return PointStore(nowhere.string()).inputs_of(root);
}

Json to_json(const ChunkPlan& plan) {
    return {{"schema", "strata-chunks/1"},
            {"scenario", plan.scenario},
            {"set", plan.set},
            {"engines", plan.engines},
            {"time_limit_s", plan.limits.time_s},
            {"memory_limit_gb", plan.limits.memory_gb},
            {"points", plan.points},
            {"points_a_chunk", plan.points_a_chunk},
            {"inputs", plan.inputs}};
}

fs::path chunk_file(const fs::path& folder, std::size_t chunk) {
    return folder / "chunks" / fmt::format("{}.sqlite", chunk);
}

// A folder on this machine's own disk, gone with what it holds.
class OwnFolder {
public:
    OwnFolder() : path_((fs::temp_directory_path() / "strata-chunk-XXXXXX").string()) {
        if (!mkdtemp(path_.data())) throw InputError(path_, "a folder for temporary files", "none that can be written");
    }
    OwnFolder(const OwnFolder&) = delete;
    ~OwnFolder() {
        std::error_code none;
        fs::remove_all(path_, none);
    }
    fs::path operator/(const std::string& name) const { return fs::path(path_) / name; }

private:
    std::string path_;
};

// Nobody ever sees half of it, and of two tasks on one chunk the later one wins: both have the same points.
void publish(const fs::path& file, const fs::path& target) {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    const fs::path partial = fmt::format("{}.{}.{}.partial", target.string(), host, getpid());
    std::error_code error;
    if (!fs::copy_file(file, partial, fs::copy_options::overwrite_existing, error) || error) {
        std::error_code none;
        fs::remove(partial, none);
        throw InputError(fmt::format("cannot write {}: {}", target.string(), error.message()));
    }
    fs::rename(partial, target);
}

}  // namespace

ChunkPlan plan_chunks(const RunArguments& arguments, const std::string& root, std::size_t most, std::size_t fewest) {
    ChunkPlan plan{.scenario = fs::absolute(arguments.scenario).string(),
                   .set = arguments.set,
                   .engines = arguments.engines,
                   .limits = arguments.limits};
    plan.points = points_of(scenario_of(plan, root)).size();
    plan.points_a_chunk = std::max(fewest, (plan.points + most - 1) / most);
    plan.inputs = inputs_of(root);
    return plan;
}

void write_plan(const ChunkPlan& plan, const fs::path& folder) {
    fs::create_directories(folder / "chunks");
    const fs::path file = folder / "chunks" / "plan.json";
    if (fs::exists(file) && Json::parse(whole_file(file)) != to_json(plan))
        throw InputError(folder.string(), "a folder for this study alone",
                         "chunks of another one, or of this one with other options or inputs. Name another folder");
    write_whole(file, to_json(plan).dump(1) + "\n");
}

ChunkPlan read_plan(const fs::path& folder) {
    const fs::path file = folder / "chunks" / "plan.json";
    if (!fs::exists(file))
        throw InputError(folder.string(), "a folder that 'strata run --on slurm' has written", "no chunks/plan.json");
    try {
        const Json json = Json::parse(whole_file(file));
        return {.scenario = json.at("scenario"),
                .set = json.at("set"),
                .engines = json.at("engines"),
                .limits = {.time_s = json.at("time_limit_s"), .memory_gb = json.at("memory_limit_gb")},
                .points = json.at("points"),
                .points_a_chunk = json.at("points_a_chunk"),
                .inputs = json.at("inputs")};
    } catch (const Json::exception& error) {
        throw InputError(file.string(), "a plan of chunks", error.what());
    }
}

std::vector<std::size_t> missing_chunks(const ChunkPlan& plan, const fs::path& folder) {
    std::vector<std::size_t> missing;
    for (std::size_t chunk = 0; chunk < plan.chunks(); ++chunk)
        if (!fs::exists(chunk_file(folder, chunk))) missing.push_back(chunk);
    return missing;
}

std::string ranges_text(const std::vector<std::size_t>& numbers) {
    std::vector<std::string> ranges;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        ranges.push_back(last == i ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[last]));
        i = last + 1;
    }
    return fmt::format("{}", fmt::join(ranges, ","));
}

void run_chunk(const fs::path& folder, std::size_t chunk, int jobs, const std::string& root) {
    const ChunkPlan plan = read_plan(folder);
    if (chunk >= plan.chunks())
        throw InputError("chunk", fmt::format("0 to {}", plan.chunks() - 1), std::to_string(chunk));
    if (fs::exists(chunk_file(folder, chunk))) return;
    const OwnFolder own;
    {
        const auto store = std::make_shared<PointStore>((own / "chunk.sqlite").string());
        if (store->inputs_of(root) != plan.inputs)
            throw InputError(folder.string(), "the catalogue, profiles and strata of when the study was submitted",
                             "others. Submit it again into another folder");
        const ScenarioFile scenario = scenario_of(plan, root);
        const StudyOptions options{
            .root = root, .engines = plan.engines, .jobs = jobs, .store = store, .limits = plan.limits};
        const PointPlan points = points_of(scenario);
        const PointRange part{chunk * plan.points_a_chunk, std::min(points.size(), (chunk + 1) * plan.points_a_chunk)};
        if (scenario.search()) {
            screen(scenario, points, metrics_of(*scenario.search()), options, part);
        } else {
            std::vector<Settings> of_chunk;
            for (std::size_t i = part.from; i < part.to; ++i) of_chunk.push_back(points.settings(i));
            run_study(scenario, options, std::move(of_chunk));
        }
    }
    publish(own / "chunk.sqlite", chunk_file(folder, chunk));
}

std::size_t merge_chunks(const ChunkPlan& plan, const fs::path& folder) {
    PointStore store((folder / "study.sqlite").string());
    std::size_t added = 0;
    for (std::size_t chunk = 0; chunk < plan.chunks(); ++chunk)
        if (fs::exists(chunk_file(folder, chunk))) added += store.merge(chunk_file(folder, chunk).string());
    return added;
}

}  // namespace strata
