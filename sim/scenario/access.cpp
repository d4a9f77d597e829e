#include "sim/scenario/access.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sim/scenario/choices.hpp"

namespace strata {

namespace {

const Choices<AccessPart> kParts{{"accelerator_memory", AccessPart::accelerator_memory},
                                 {"host_memory", AccessPart::host_memory},
                                 {"nvme", AccessPart::nvme},
                                 {"host_link", AccessPart::host_link}};
const Choices<PartPattern> kPatterns{
    {"stream", PartPattern::stream},           {"copy", PartPattern::copy},
    {"random_rows", PartPattern::random_rows}, {"bank_conflict", PartPattern::bank_conflict},
    {"copy_engine", PartPattern::copy_engine}, {"zero_copy", PartPattern::zero_copy}};

const std::vector<PartPattern>& patterns_of(AccessPart part) {
    static const std::vector<PartPattern> memory{PartPattern::stream, PartPattern::copy, PartPattern::random_rows,
                                                 PartPattern::bank_conflict},
        drive{PartPattern::random_rows}, link{PartPattern::copy_engine, PartPattern::zero_copy};
    return part == AccessPart::nvme ? drive : part == AccessPart::host_link ? link : memory;
}

bool is_memory(AccessPart part) { return part == AccessPart::accelerator_memory || part == AccessPart::host_memory; }

std::string quoted(const YamlField& field) { return fmt::format("'{}'", field.text()); }

void check_pattern(const Access& access, const YamlField& field) {
    const std::vector<PartPattern>& takes = patterns_of(access.part);
    if (std::find(takes.begin(), takes.end(), access.pattern) != takes.end()) return;
    std::vector<std::string_view> names;
    for (const PartPattern pattern : takes) names.push_back(to_string(pattern));
    field.problem(fmt::format("a pattern of {} ({})", to_string(access.part), fmt::join(names, ", ")),
                  fmt::format("'{}'", to_string(access.pattern)));
}

// A stream is one whatever its requests are; all else is about their size.
bool needs_row(PartPattern pattern) {
    return pattern != PartPattern::stream && pattern != PartPattern::copy && pattern != PartPattern::bank_conflict;
}

Bytes read_row(const Access& access, const YamlField& field) {
    constexpr double kLongest = 1 << 20;  // of a memory: longer rows are a stream, and take as long to simulate
    if (!field.exists() && !needs_row(access.pattern)) return access.row;
    const std::size_t problems = field.problems().size();
    const Bytes row = field.bytes();
    if (field.problems().size() > problems) return access.row;
    if (row.si() < 1 || row.si() != std::floor(row.si()))
        field.problem("a whole number of bytes", quoted(field));
    else if (is_memory(access.part) && row.si() > kLongest)
        field.problem("at most 1 MiB (longer rows are a stream)", quoted(field));
    return row;
}

}  // namespace

std::string_view to_string(AccessPart part) { return name_of(kParts, part); }
std::string_view to_string(PartPattern pattern) { return name_of(kPatterns, pattern); }

const std::vector<std::string>& access_fields() {
    static const std::vector<std::string> fields{"part", "pattern",     "row",   "write_share",
                                                 "load", "outstanding", "beside"};
    return fields;
}

Access read_access(const YamlField& workload) {
    Access access;
    const std::size_t problems = workload.problems().size();
    access.part = one_of(workload["part"], kParts);
    access.pattern = one_of(workload["pattern"], kPatterns);
    if (workload.problems().size() > problems) return access;
    check_pattern(access, workload["pattern"]);
    access.row = read_row(access, workload["row"]);
    const auto share = [&](const char* name) {
        const YamlField field = workload[name];
        const double value = at_least(field, 0, 0);
        if (value > 1) field.problem("a share of at most 1", quoted(field));
        return value;
    };
    access.write_share = share("write_share");
    access.load = share("load");
    access.outstanding = at_least(workload["outstanding"], 1, 0);
    if (access.outstanding > 1e6)
        workload["outstanding"].problem("at most 10^6 requests", quoted(workload["outstanding"]));
    if (is_memory(access.part) && access.write_share == 1)
        workload["write_share"].problem("a share below 1: the latencies are those of reads",
                                        quoted(workload["write_share"]));
    if (workload["write_share"].exists() && access.pattern != PartPattern::random_rows)
        workload["write_share"].problem("this field belongs to random_rows");
    if (workload["load"].exists() && !is_memory(access.part))
        workload["load"].problem(
            fmt::format("this field belongs to memories; {} is run as fast as it goes", to_string(access.part)));
    if (workload["outstanding"].exists() && access.part == AccessPart::host_link)
        workload["outstanding"].problem("this field belongs to memories and drives; a link has as many as it has tags");
    if (access.part == AccessPart::nvme && !workload["outstanding"].exists())
        workload["outstanding"].problem("the queue depth of the drive, a number of at least 1", "nothing");
    if (access.part == AccessPart::nvme && access.outstanding != std::floor(access.outstanding))
        workload["outstanding"].problem("a whole number", quoted(workload["outstanding"]));
    if (const YamlField beside = workload["beside"]; beside.exists()) {
        if (access.part == AccessPart::accelerator_memory || access.part == AccessPart::host_link ||
            (access.pattern != PartPattern::stream && access.pattern != PartPattern::random_rows))
            beside.problem("this field belongs to stream and random_rows of host_memory and nvme");
        if (access.write_share > 0 || access.load > 0)
            beside.problem("what was measured are reads as fast as they go: without write_share and load");
        access.beside = (std::filesystem::path(beside.file()).parent_path() / beside.text()).string();
    }
    return access;
}

}  // namespace strata
