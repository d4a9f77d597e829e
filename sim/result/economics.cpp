#include "sim/result/economics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/fabric/fabric_spec.hpp"

namespace strata {

namespace {

constexpr double kMillion = 1e6, kSecondsOfHour = 3600, kWattsOfKilowatt = 1e3;

// A metric whose numbers are all known, or why it is absent.
template <class Value>
void note(Run& run, const std::string& name, Value value) {
    try {
        run.metrics[name] = value();
    } catch (const InputError& error) {
        run.absent[name] = error.what();
    }
}

// Without idle power a board is taken to draw all that it may: known to be too much, and said.
void note_bound(Run& run, const Sourced<double>& idle) {
    run.absent["energy of less than the board's power, an upper bound"] =
        fmt::format("{} is null: nobody has published it", idle.field);
}

double usd_per_hour(const Scenario& scenario) {
    const auto& set = scenario.economics.usd_per_accelerator_hour;
    return set ? *set : scenario.platform.accelerator.usd_per_hour.get();
}

// The board and its share of what else the node draws.
double node_w_of(const Scenario& scenario, double board_w) {
    const SystemSpec& system = scenario.platform.system;
    const double boards = system.accelerators_per_node.get();
    const double rest = system.node_power_w.get() / boards - scenario.platform.accelerator.power_w.get();
    return board_w + std::max(0.0, rest);
}

// Of electricity an hour, all accelerators; by the node's power where it is published.
double electricity_usd(const Scenario& scenario, const Run& run, double accelerators) {
    const Economics& economics = scenario.economics;
    if (!economics.electricity_usd_per_kwh) return 0;
    const auto node = run.metrics.find("energy.node_w_per_accelerator");
    const double watts = node != run.metrics.end() ? node->second : run.metrics.at("energy.power_w_per_accelerator");
    return accelerators * watts / kWattsOfKilowatt * *economics.electricity_usd_per_kwh;
}

// Switches and cables of both layers; an accelerator pays as much of them as any other endpoint.
double fabric_usd_of(const std::string& file) {
    const FabricSpec spec = read_fabric(file);
    const Fabric fabric = build(spec);
    double usd = 0;
    for (const auto& [layer, link_class] :
         {std::pair{&spec.scale_up, LinkClass::scale_up}, std::pair{&spec.scale_out, LinkClass::scale_out}}) {
        if (!*layer) continue;
        const FabricBill part = bill(inventory(fabric, link_class), spec.endpoints, (*layer)->prices);
        // A board's own switches come with it.
        if (!part.usd && (*layer)->cable == Cable::board) continue;
        if (!part.usd) throw InputError(file + ": a price of its switches or links is null: nobody has published it");
        usd += *part.usd_per_endpoint;
    }
    return usd;
}

double capital_usd(const Scenario& scenario, double accelerators) {
    const SystemSpec& system = scenario.platform.system;
    const double machines = system.node_usd.value
                                ? std::ceil(accelerators / system.accelerators_per_node.get()) * *system.node_usd.value
                                : accelerators * scenario.platform.accelerator.purchase_usd.get();
    const std::string& fabric = scenario.economics.fabric_file;
    return machines + (fabric.empty() ? 0 : accelerators * fabric_usd_of(fabric));
}

void add_energy(Run& run, const Scenario& scenario, const Spending& spending) {
    const double pue = scenario.economics.pue;
    note(run, "energy.power_w_per_accelerator",
         [&] { return power_of(scenario.platform.accelerator, spending) * pue; });
    const auto power = run.metrics.find("energy.power_w_per_accelerator");
    if (power == run.metrics.end()) return;
    if (const auto& idle = scenario.platform.accelerator.idle_w; !idle.value) note_bound(run, idle);
    const double joules = power->second * spending.accelerators / spending.tokens_per_s;
    run.metrics["energy.joules_per_token"] = joules;
    run.metrics["energy.tokens_per_joule"] = 1 / joules;
    note(run, "energy.node_w_per_accelerator", [&] { return node_w_of(scenario, power->second / pue) * pue; });
}

void add_cost(Run& run, const Scenario& scenario, const Spending& spending) {
    const AcceleratorSpec& part = scenario.platform.accelerator;
    const Economics& economics = scenario.economics;
    const bool unknown_power =
        economics.electricity_usd_per_kwh && !run.metrics.contains("energy.power_w_per_accelerator");
    if (unknown_power) {
        run.absent["cost.usd_per_hour"] = run.absent["energy.power_w_per_accelerator"];
        return;
    }
    const double electricity = electricity_usd(scenario, run, spending.accelerators);
    const auto a_million = [&](double hour, double tokens_per_s) {
        const double all = hour * spending.accelerators + electricity;
        return all / (tokens_per_s * kSecondsOfHour * economics.utilisation) * kMillion;
    };
    note(run, "cost.usd_per_hour", [&] { return usd_per_hour(scenario) * spending.accelerators + electricity; });
    if (!run.metrics.contains("cost.usd_per_hour")) return;
    const double hour = usd_per_hour(scenario);
    run.metrics["cost.usd_per_million_tokens"] = a_million(hour, spending.tokens_per_s);
    if (spending.all_tokens_per_s > 0)
        run.metrics["cost.usd_per_million_total_tokens"] = a_million(hour, spending.all_tokens_per_s);
    if (economics.usd_per_accelerator_hour) return;  // then the range of the lists says nothing
    for (const auto& [name, end] : {std::pair{"cost.usd_per_million_tokens_low", &part.usd_per_hour_low},
                                    std::pair{"cost.usd_per_million_tokens_high", &part.usd_per_hour_high}})
        if (end->value) run.metrics[name] = a_million(*end->value, spending.tokens_per_s);
}

// Watts of moving `bytes` in `time`, by energy of a bit.
double watts(double bytes, Seconds time, double pj_per_bit) { return bytes * 8 * pj_per_bit * 1e-12 / time.si(); }

}  // namespace

Spending spending_of(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
                     Seconds step) {
    const Workload& work = scenario.workload;
    Spending spending{.accelerators = double(scenario.placement.ranks()),
                      .tokens_per_s = work.batch * work.tokens() / step.si(),
                      .busy = std::min(1.0, timeline.busy[static_cast<std::size_t>(Lane::compute)] / step)};
    // DRAM alone, as its standard's currents have it, all of it as reads: most of a step's bytes are.
    Bytes memory, host_link;
    for (const Task& task : program.tasks) {
        if (task.pricing == Pricing::given) continue;
        if (task.lane == Lane::compute) memory += task.moved;
        if (is_fetch(task.lane)) host_link += task.on_link;
    }
    const auto add = [&](Bytes moved, Bandwidth most, double pj_per_bit) {
        spending.memory_w += watts(std::min(moved.si(), most.si() * step.si()), step, pj_per_bit);
        spending.most_memory_w += watts(most.si(), Seconds(1), pj_per_bit);
    };
    if (machine.memory_rows) {
        const Sourced<double>& read = machine.memory_rows->spec().energy.read_pJ_per_bit;
        if (read.value) add(memory, machine.memory, *read.value);
    }
    const auto& link = scenario.platform.host_link;
    if (link && link->pj_per_bit.value) add(host_link, machine.host_link, *link->pj_per_bit.value);
    return spending;
}

double power_of(const AcceleratorSpec& part, const Spending& spending) {
    const double board = part.power_w.get();
    if (!part.idle_w.value) return board;
    const double idle = *part.idle_w.value, most = std::min(spending.most_memory_w, board - idle);
    const double memory = spending.most_memory_w > 0 ? spending.memory_w * most / spending.most_memory_w : 0;
    return idle + memory + (board - idle - most) * spending.busy;
}

void add_economics(Run& run, const Scenario& scenario, const Spending& spending) {
    if (!(spending.tokens_per_s > 0)) return;
    add_energy(run, scenario, spending);
    add_cost(run, scenario, spending);
    note(run, "cost.capital_usd", [&] { return capital_usd(scenario, spending.accelerators); });
}

}  // namespace strata
