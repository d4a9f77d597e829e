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
#include <fstream>
#include <functional>
#include <type_traits>

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

Bytes address_space() {
    double pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return Bytes(pages * double(sysconf(_SC_PAGESIZE)));
}

// While it lives, this process and its children may take so much more address space than the server has by itself.
class MemoryLimit {
public:
    MemoryLimit(const PointLimits& limits, Bytes of_server) {
        if (limits.memory_gb <= 0 || getrlimit(RLIMIT_AS, &before_) != 0) return;
        rlimit limit = before_;
        limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(of_server.si() + limits.memory_gb * 1e9));
        set_ = setrlimit(RLIMIT_AS, &limit) == 0;
    }
    MemoryLimit(const MemoryLimit&) = delete;
    ~MemoryLimit() {
        if (set_) setrlimit(RLIMIT_AS, &before_);
    }

private:
    rlimit before_{};
    bool set_ = false;
};

// A child's first byte says what follows.
constexpr char kSimulation = 's', kAnswer = 'a';

void append(std::string& text, const void* bytes, std::size_t size) {
    text.append(static_cast<const char*>(bytes), size);
}

// As it lies in memory: the reader is the same program.
std::string packed(const Simulation& simulation) {
    const Timeline& timeline = simulation.timeline;
    std::string text(1, kSimulation);
    append(text, &timeline.makespan, sizeof timeline.makespan);
    append(text, timeline.busy.data(), sizeof timeline.busy);
    const std::size_t tasks = timeline.tasks.size();
    append(text, &tasks, sizeof tasks);
    append(text, timeline.tasks.data(), tasks * sizeof(Interval));
    for (const ResourceUse& use : simulation.resources) {
        const double numbers[] = {use.busy, use.bytes.si(), use.queued.si()};
        append(text, numbers, sizeof numbers);
        append(text, use.name.c_str(), use.name.size() + 1);
    }
    return text;
}

Simulation unpacked(const std::string& text) {
    static_assert(std::is_trivially_copyable_v<Interval> && std::is_trivially_copyable_v<Seconds>);
    const char* at = text.data() + 1;
    const auto take = [&](void* into, std::size_t size) {
        std::memcpy(into, at, size);
        at += size;
    };
    Simulation simulation;
    take(&simulation.timeline.makespan, sizeof simulation.timeline.makespan);
    take(simulation.timeline.busy.data(), sizeof simulation.timeline.busy);
    std::size_t tasks = 0;
    take(&tasks, sizeof tasks);
    simulation.timeline.tasks.resize(tasks);
    take(simulation.timeline.tasks.data(), tasks * sizeof(Interval));
    while (at < text.data() + text.size()) {
        double numbers[3];
        take(numbers, sizeof numbers);
        simulation.resources.push_back(
            {.name = at, .busy = numbers[0], .bytes = Bytes(numbers[1]), .queued = Seconds(numbers[2])});
        at += simulation.resources.back().name.size() + 1;
    }
    return simulation;
}

// The child's whole life; what it writes to `out` is the outcome, and it is complete only if the exit code is 0.
[[noreturn]] void run_child(const std::function<std::string()>& simulate, const PointLimits& limits, int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read the answer
    std::string text;
    try {
        text = simulate();
    } catch (...) {
        text = kAnswer + caught(limits).dump();
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

// What `simulate` returns in a child of this process. Throws for a child that does not end well.
std::string in_child(const std::function<std::string()>& simulate, const PointLimits& limits) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    const pid_t child = fork();
    if (child == 0) run_child(simulate, limits, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        throw std::runtime_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
    }
    std::string text;
    const bool in_time = read_all(ends[0], limits.time_s, text);
    close(ends[0]);
    if (!in_time) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) throw std::runtime_error(fmt::format("took longer than the time limit of {} s", limits.time_s));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text.empty())
        throw std::runtime_error("the simulating process " + ending_of(status));
    return text;
}

}  // namespace

Inputs& PointServer::inputs_of(const std::string& root) {
    const auto known = inputs_.find(root);
    return known != inputs_.end() ? known->second : inputs_.emplace(root, root).first->second;
}

// All but the simulation itself is worked out here, so that what points have in common (prices of shapes, memories'
// curves, laws of quality) is worked out once and not again in each child.
nlohmann::ordered_json PointServer::attempt(const nlohmann::json& request) {
    Inputs& inputs = inputs_of(request.at("root"));
    if (own_space_ == Bytes(0)) own_space_ = address_space();
    const MemoryLimit limit(limits_, own_space_);
    try {
        const Scenario scenario = scenario_of(request, inputs);
        if (scenario.collective) {
            const auto packets = [&] {
                return kAnswer + Json{{"status", "ok"}, {"run", to_json(run_packets(*scenario.collective))}}.dump();
            };
            return Json::parse(in_child(packets, limits_).substr(1));
        }
        const Program program = inputs.program_of(scenario);
        const Machine& machine = inputs.platform(scenario.platform).machine;
        const int ranks = simulated_ranks(program, machine, scenario.placement);
        const auto summarised = [&](Simulation simulation) {
            Run run = summarise(scenario, machine, program, simulation.timeline, "systemc");
            run.resources = std::move(simulation.resources);
            add_quality(run, scenario.model, inputs.quality());
            return Json{{"status", "ok"}, {"run", to_json(run)}};
        };
        const bool traced = request.value("trace", false);
        const auto simulate = [&] {
            Simulation simulation = run_systemc(program, machine, ranks, scenario.detail, traced);
            if (!traced) return packed(simulation);
            const Json of_ranks = to_json(simulation.traces);
            const Json trace = to_json(Trace{trace_ops(program, simulation.timeline), simulation.tracks});
            Json answer = summarised(std::move(simulation));
            answer["trace"] = trace;
            answer["ranks"] = of_ranks;
            return kAnswer + answer.dump();
        };
        const std::string text = in_child(simulate, limits_);
        return text.front() == kAnswer ? Json::parse(text.substr(1)) : summarised(unpacked(text));
    } catch (...) {
        return caught(limits_);
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
