#include "hwmodels/measured_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "hwmodels/measurement.hpp"

namespace strata {

namespace {

struct Wanted {
    std::string what, metric;
    std::vector<std::pair<std::string, double>> with{};  // parameters that a row must have
    bool lowest = false;                                 // is best
};

class Record {
public:
    explicit Record(const std::string& file) : file_(file), all_(read_measurements(file)) {}

    template <class T>
    void take(Sourced<T>& into, const Wanted& wanted, double si_of_the_metric) const {
        const Measurement& row = best(wanted);
        const Repeats& spread = row.metrics.at(wanted.metric);
        into.value = T(spread.median * si_of_the_metric);
        into.source =
            fmt::format("{} ({}): {} {:.4g}, the median of {} ({:.4g} to {:.4g}); {}", row.what, parameters_text(row),
                        wanted.metric, spread.median, row.repeats, spread.min, spread.max, origin_of(row));
        into.kind = "measured";
        into.note = fmt::format("{}", fmt::join(row.notes, "; "));
    }

    template <class T>
    void take_of_machine(Sourced<T>& into, T value, const std::string& what) const {
        into.value = value;
        into.source = what + "; " + origin_of(first());
        into.kind = "measured";
        into.note = "";
    }

    const Measurement& first() const {
        if (all_.empty()) throw InputError(file_ + ": no measurement in this record");
        return all_.front();
    }

private:
    // "host.jsonl:3, 2026-11-24T19:30:00Z, AMD EPYC"
    std::string origin_of(const Measurement& row) const {
        return fmt::format("{}:{}, {}, {}", std::filesystem::path(file_).filename().string(), row.line, row.when,
                           row.machine.cpu);
    }

    const Measurement& best(const Wanted& wanted) const {
        const auto fits = [&](const Measurement& row) {
            return row.what == wanted.what && row.metrics.count(wanted.metric) &&
                   std::all_of(wanted.with.begin(), wanted.with.end(), [&](const auto& one) {
                       const auto found = row.parameters.find(one.first);
                       return found != row.parameters.end() && std::holds_alternative<double>(found->second) &&
                              std::get<double>(found->second) == one.second;
                   });
        };
        const Measurement* found = nullptr;
        std::string why;  // a record that was joined may have a better row further on
        for (const Measurement& row : all_) {
            if (row.what == wanted.what && !row.unavailable.empty())
                why = fmt::format("{}:{}: {} was not measured: {}", file_, row.line, row.what, row.unavailable);
            if (!fits(row)) continue;
            const auto value = [&](const Measurement& of) { return of.metrics.at(wanted.metric).median; };
            if (!found || (wanted.lowest ? value(row) < value(*found) : value(row) > value(*found))) found = &row;
        }
        if (found) return *found;
        if (!why.empty()) throw InputError(why);
        std::string conditions;
        for (const auto& [name, value] : wanted.with) conditions += fmt::format(", {} {}", name, value);
        throw InputError(fmt::format("{}: no row of {}{} with {}. 'strata measure host' measures it", file_,
                                     wanted.what, conditions, wanted.metric));
    }

    std::string file_;
    std::vector<Measurement> all_;
};

}  // namespace

void take_measured_memory(const std::string& file, MemorySpec& memory, SystemSpec& system) {
    const Record record(file);
    record.take(memory.bandwidth, {.what = "host/stream_read", .metric = "bandwidth_GBps"}, 1e9);
    record.take(memory.read_latency, {.what = "host/read_latency", .metric = "latency_ns", .lowest = true}, 1e-9);
    memory.name = "memory measured on " + record.first().machine.cpu;
    memory.standard.clear();  // a measured rate is no peak that the bank model could start from
    record.take_of_machine(system.host_memory_units, 1.0, "all channels were measured together");
    record.take_of_machine(system.host_memory_capacity, record.first().machine.memory, "main memory of the machine");
}

void take_measured_drive(const std::string& file, MemorySpec& drive, SystemSpec& system) {
    const Record record(file);
    const std::string reads = "host/direct_reads";
    record.take(drive.bandwidth, {.what = reads, .metric = "bandwidth_GBps"}, 1e9);
    record.take(drive.random_read_iops, {.what = reads, .metric = "iops", .with = {{"block_bytes", 4096}}}, 1);
    record.take(drive.read_latency,
                {.what = reads, .metric = "latency_p50_us", .with = {{"block_bytes", 4096}, {"depth", 1}}}, 1e-6);
    drive.name = "drive measured on " + record.first().machine.cpu;
    record.take_of_machine(system.nvme_units, 1.0, "all that the folder lies on was measured together");
}

}  // namespace strata
