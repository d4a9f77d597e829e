#include "sim/engine/systemc/point_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>

#include "sim/engine/systemc/packet_engine.hpp"
#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/result/quality.hpp"
#include "sim/result/run_json.hpp"
#include "sim/result/trace_json.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kLine = R"({"id": 1, "root": FOLDER, "file": SCENARIO, "document": YAML})";

Scenario scenario_of(const nlohmann::json& request, Inputs& inputs) {
    return read_point(request.at("document"), request.at("file"),
                      request.at("root").get<std::string>() + "/scenarios/models", inputs.catalog());
}

Json simulated(const nlohmann::json& request, Inputs& inputs) {
    const Scenario scenario = scenario_of(request, inputs);
    if (scenario.collective) return {{"status", "ok"}, {"run", to_json(run_packets(*scenario.collective))}};
    const Program program = inputs.program_of(scenario);
    const Machine& machine = inputs.platform(scenario.platform).machine;
    const int ranks = simulated_ranks(program, machine, scenario.placement);
    const bool traced = request.value("trace", false);
    const Simulation simulation = run_systemc(program, machine, ranks, scenario.detail, traced);
    Run run = summarise(scenario, machine, program, simulation.timeline, "systemc");
    run.resources = simulation.resources;
    add_quality(run, scenario.model, inputs.quality());
    Json answer{{"status", "ok"}, {"run", to_json(run)}};
    if (traced) answer["trace"] = to_json(Trace{trace_ops(program, simulation.timeline), simulation.tracks});
    return answer;
}

// The child's whole life; what it writes to `out` is the answer, and it is complete only if the exit code is 0.
[[noreturn]] void run_child(const nlohmann::json& request, Inputs& inputs, const PointLimits& limits, int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read the answer
    if (limits.memory_gb > 0) {
        const auto bytes = static_cast<rlim_t>(limits.memory_gb * 1e9);
        const rlimit limit{bytes, bytes};
        setrlimit(RLIMIT_AS, &limit);
    }
    std::string text;
    try {
        text = simulated(request, inputs).dump();
    } catch (const InputError& error) {
        text = Json{{"status", "infeasible"}, {"reason", error.what()}}.dump();
    } catch (const std::bad_alloc&) {
        text = R"({"status":"failed","reason":"out of memory"})";
    } catch (const std::exception& error) {
        text = Json{{"status", "failed"}, {"reason", error.what()}}.dump();
    }
    for (std::size_t written = 0; written < text.size();) {
        const ssize_t count = write(out, text.data() + written, text.size() - written);
        if (count < 0) _exit(3);
        written += static_cast<std::size_t>(count);
    }
    _exit(0);  // no destructors: buffers and files belong to the parent
}

// Reads until the writer closes its end; false if the time is over first.
bool read_all(int from, double time_s, std::string& text) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::duration<double>(time_s);
    char buffer[65536];
    while (true) {
        const double left_ms = std::chrono::duration<double, std::milli>(deadline - Clock::now()).count();
        if (left_ms <= 0) return false;
        pollfd waiting{from, POLLIN, 0};
        if (poll(&waiting, 1, static_cast<int>(std::min(left_ms + 1, 1e6))) <= 0) continue;
        const ssize_t count = read(from, buffer, sizeof buffer);
        if (count <= 0) return true;
        text.append(buffer, static_cast<std::size_t>(count));
    }
}

std::string ending_of(int status) {
    if (WIFSIGNALED(status))
        return fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

// What the cost book must work out for a shape that is new to it, it works out here once, for all children to come.
// What is wrong with a point its child says.
void price_shapes(const nlohmann::json& request, Inputs& inputs) {
    try {
        if (const Scenario scenario = scenario_of(request, inputs); !scenario.collective)
            (void)inputs.program_of(scenario);
    } catch (const std::exception&) {
    }
}

Json failed(const std::string& reason) { return {{"status", "failed"}, {"reason", reason}}; }

}  // namespace

Inputs& PointServer::inputs_of(const std::string& root) {
    const auto known = inputs_.find(root);
    return known != inputs_.end() ? known->second : inputs_.emplace(root, root).first->second;
}

nlohmann::ordered_json PointServer::attempt(const nlohmann::json& request) {
    Inputs& inputs = inputs_of(request.at("root"));
    price_shapes(request, inputs);
    int ends[2];
    if (pipe(ends) != 0) return failed(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    const pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return failed(fmt::format("cannot start a process: {}", std::strerror(errno)));
    }
    if (child == 0) run_child(request, inputs, limits_, ends[1]);
    close(ends[1]);
    std::string text;
    const bool in_time = read_all(ends[0], limits_.time_s, text);
    close(ends[0]);
    if (!in_time) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) return failed(fmt::format("took longer than the time limit of {} s", limits_.time_s));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return failed("the simulating process " + ending_of(status));
    Json answer = Json::parse(text);
    if (answer.at("status") == "failed" && answer.at("reason") == "out of memory" && limits_.memory_gb > 0)
        answer["reason"] = fmt::format("out of memory: the limit is {} GB", limits_.memory_gb);
    return answer;
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
    try {
        Json outcome = attempt(request);
        if (outcome.at("status") == "failed") {
            const std::string first = outcome.at("reason");
            outcome = attempt(request);
            if (outcome.at("status") == "failed" && outcome.at("reason") != first)
                outcome["reason"] = outcome.at("reason").get<std::string>() + "; at the first attempt: " + first;
        }
        answer.update(outcome);
    } catch (const std::exception& error) {  // the catalogue below this root cannot be read, for one
        answer.update(failed(error.what()));
    }
    return answer.dump();
}

}  // namespace strata
