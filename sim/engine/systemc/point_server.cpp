#include "sim/engine/systemc/point_server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "sim/engine/systemc/packet_engine.hpp"
#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/result/quality.hpp"
#include "sim/result/run_json.hpp"
#include "sim/result/trace_json.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kLine = R"({"id": 1, "root": FOLDER, "file": SCENARIO, "document": YAML})";
// What simulations leave behind in a child stays small.
constexpr int kPointsOfAChild = 1000;
// A child's answer begins with one of these.
constexpr char kDone = ' ', kFailed = 'f';

Json failed(const std::string& reason) { return {{"status", "failed"}, {"reason", reason}}; }

// What a point that does not end well is answered with.
Json caught(const PointLimits& limits) {
    try {
        throw;
    } catch (const InputError& error) {
        return {{"status", "infeasible"}, {"reason", error.what()}};
    } catch (const std::bad_alloc&) {
        return failed(limits.memory_gb > 0 ? fmt::format("out of memory: the limit is {} GB", limits.memory_gb)
                                           : "out of memory");
    } catch (const std::exception& error) {
        return failed(error.what());
    }
}

// From now on this process may take so much more address space than it has.
void limit_memory(const PointLimits& limits) {
    rlimit limit{};
    if (limits.memory_gb <= 0 || getrlimit(RLIMIT_AS, &limit) != 0) return;
    double pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const double most = pages * double(sysconf(_SC_PAGESIZE)) + limits.memory_gb * 1e9;
    limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(most));
    setrlimit(RLIMIT_AS, &limit);
}

// Puts it into the answer.
void simulate(const Scenario& scenario, Inputs& inputs, bool traced, Json& answer) {
    if (scenario.collective) {
        answer["status"] = "ok";
        answer["run"] = to_json(run_packets(*scenario.collective));
        return;
    }
    const Program program = inputs.program_of(scenario);
    const Machine& machine = inputs.platform(scenario.platform).machine;
    const int ranks = simulated_ranks(program, machine, scenario.placement);
    Simulation simulation = run_systemc(program, machine, ranks, scenario.detail, traced);
    Run run = summarise(scenario, machine, program, simulation.timeline, "systemc");
    run.resources = std::move(simulation.resources);
    add_quality(run, scenario.model, inputs.quality());
    answer["status"] = "ok";
    answer["run"] = to_json(run);
    if (!traced) return;
    answer["trace"] = to_json(Trace{trace_ops(program, simulation.timeline), simulation.tracks});
    answer["ranks"] = to_json(simulation.traces);
}

}  // namespace

Inputs& PointServer::inputs_of(const std::string& root) {
    const auto known = inputs_.find(root);
    return known != inputs_.end() ? known->second : inputs_.emplace(root, root).first->second;
}

// In the child.
std::string PointServer::answer_here(const std::string& line) {
    const nlohmann::json request = nlohmann::json::parse(line);
    Json answer{{"id", request.at("id")}};
    try {
        const std::string root = request.at("root");
        Inputs& inputs = inputs_of(root);
        const Scenario scenario =
            read_point(request.at("document"), request.at("file"), root + "/scenarios/models", inputs.catalog());
        simulate(scenario, inputs, request.value("trace", false), answer);
    } catch (...) {
        answer.update(caught(limits_));
    }
    if (answer.at("status") == "failed") return kFailed + answer.at("reason").dump();  // on one line
    return kDone + answer.dump();
}

void PointServer::start_child() {
    served_ = 0;
    child_.emplace([this, limited = false](const std::string& line) mutable {
        if (!limited) limit_memory(limits_);
        limited = true;
        return answer_here(line);
    });
}

PointServer::Outcome PointServer::attempt(const std::string& line, const nlohmann::json& request) {
    try {
        inputs_of(request.at("root"));
        if (!child_ || served_ >= kPointsOfAChild) start_child();
        ++served_;
        const std::string text = child_->ask(line, limits_.time_s);
        if (text.front() == kDone) return {false, text.substr(1)};
        child_.reset();
        return {true, Json::parse(text.substr(1))};
    } catch (const std::exception& error) {  // of the child; or the catalogue below this root cannot be read
        child_.reset();
        return {true, error.what()};
    }
}

std::string PointServer::answer(const std::string& line) {
    Json answer{{"id", nullptr}};
    nlohmann::json request;
    try {
        request = nlohmann::json::parse(line);
        answer["id"] = request.at("id");
        for (const char* field : {"root", "file", "document"}) (void)request.at(field).get_ref<const std::string&>();
    } catch (const nlohmann::json::exception& error) {
        answer.update(failed(fmt::format("expected a line such as {}, found: {}", kLine, error.what())));
        return answer.dump();
    }
    const Outcome first = attempt(line, request);
    if (!first.failed) return first.text;
    const Outcome second = attempt(line, request);
    if (!second.failed) return second.text;
    answer.update(
        failed(second.text == first.text ? first.text : second.text + "; at the first attempt: " + first.text));
    return answer.dump();
}

}  // namespace strata
