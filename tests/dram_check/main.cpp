// strata-dram-check: the bank model under every pattern, its commands held against the standard's file by DramChecker.
// ctest runs a few thousand requests of each; a run that is meant to convince is
//   strata-dram-check --requests 10000000 hwmodels/catalog/dram/*.yaml
// With --break the model gets one timing that is wrong, the checker keeps the file's: it must notice. That is what
// makes the silence of the other runs worth something.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>

#include "hwmodels/dram/dram_memory.hpp"
#include "tests/hwmodels/dram_checker.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

struct Options {
    std::vector<std::string> files;
    std::uint64_t requests = 10'000'000;
    int channels = 0;             // 0: as many as the file has
    std::string broken, pattern;  // empty: none, all
    bool all_configurations = false;
};

struct Traffic {
    enum Kind { sequential, random, conflict, same_row, sparse };
    const char* name;
    Kind kind;
    std::uint64_t bytes;
    double write_share;
};

constexpr Traffic kTraffic[] = {
    {"sequential", Traffic::sequential, 256, 0},
    {"random 32 B", Traffic::random, 32, 0},
    {"random 64 B", Traffic::random, 64, 0},
    {"70/30 random 64 B", Traffic::random, 64, 0.3},
    {"70/30 with pauses", Traffic::sparse, 64, 0.3},  // a tenth of the peak, now and then nothing for five REFI
    {"one bank of each channel", Traffic::conflict, 64, 0},
    {"one bank, half writes", Traffic::conflict, 64, 0.5},
    {"one row, half writes", Traffic::same_row, 64, 0.5},
    {"rows of 264 B", Traffic::random, 264, 0},
    {"rows of 512 B", Traffic::random, 512, 0},
    {"70/30 rows of 512 B", Traffic::random, 512, 0.3},
    {"rows of 1024 B", Traffic::random, 1024, 0},
    {"rows of 2048 B", Traffic::random, 2048, 0},
};

// The next request of a pattern. Bytes that do not fill an access are rounded out to whole ones.
class Source {
public:
    Source(const DramMemory& memory, const Traffic& traffic) : memory_(memory), traffic_(traffic) {}

    DramRequest next() {
        const AddressMapping& mapping = memory_.mapping();
        const auto access = std::uint64_t(mapping.access_bytes());
        DramRequest request{.write = double(random_() >> 11) * 0x1p-53 < traffic_.write_share};
        const std::uint64_t places = mapping.capacity() / traffic_.bytes;
        std::uint64_t first = 0;
        const bool one_bank = traffic_.kind == Traffic::conflict || traffic_.kind == Traffic::same_row;
        if (one_bank) {  // of each channel: another row each time, or another column
            const DramOrganisation& of = memory_.spec().organisation;
            const std::uint64_t round = turn_ / memory_.channels();
            DramCoordinates place{.channel = std::uint32_t(turn_ % memory_.channels())};
            if (traffic_.kind == Traffic::conflict)
                place.row = std::uint32_t(round % std::uint64_t(of.rows));
            else
                place.column = std::uint16_t(round % std::uint64_t(of.columns()));
            first = mapping.address_of(place);
        } else {
            first = (traffic_.kind == Traffic::sequential ? turn_ % places : random_() % places) * traffic_.bytes;
        }
        ++turn_;
        request.address = first / access * access;
        request.bytes = (first + traffic_.bytes + access - 1) / access * access - request.address;
        if (one_bank) request.bytes = access;
        return request;
    }

    // Cycles until the next one of a sparse pattern.
    Cycle pause() {
        const DramSpec& spec = memory_.spec();
        if (turn_ % 2000 == 0) return 5 * Cycle(spec.refresh.REFI);
        const auto accesses =
            std::max<std::uint64_t>(1, traffic_.bytes / std::uint64_t(memory_.mapping().access_bytes()));
        const double mean = 10.0 * double(accesses) * spec.burst_cycles() / double(memory_.channels());
        return Cycle(std::exponential_distribution<double>(1 / mean)(random_));
    }

private:
    const DramMemory& memory_;
    const Traffic& traffic_;
    std::mt19937_64 random_{1};
    std::uint64_t turn_ = 0;
};

struct Outcome {
    DramChecker checker;
    std::uint64_t accesses = 0, columns = 0;  // asked for, and commands seen for them
    double of_peak = 0, seconds = 0;
};

Outcome run(const DramSpec& spec, const std::string& table, const Traffic& traffic, std::uint64_t requests) {
    Outcome outcome{.checker = DramChecker(table)};
    DramMemory memory(spec, 1);
    memory.emit_to([&](const IssuedCommand& command) {
        outcome.columns += command.command == DramCommand::read || command.command == DramCommand::write;
        outcome.checker.check(command);
    });
    Source source(memory, traffic);
    const auto start = std::chrono::steady_clock::now();
    Cycle now = 0;
    for (std::uint64_t i = 0; i < requests; ++i) {
        const DramRequest request = source.next();
        outcome.accesses += request.bytes / std::uint64_t(memory.mapping().access_bytes());
        if (traffic.kind == Traffic::sparse)
            now = std::max(now + source.pause(), memory.post(request, now));
        else
            memory.push(request);
    }
    const Cycle end = memory.drain();
    outcome.checker.finish();
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    outcome.of_peak = double(outcome.accesses) * spec.burst_cycles() / (double(end) * double(memory.channels()));
    return outcome;
}

// The standard with another way of refreshing, written out for both to read. What the file does not say of the other
// mode is made up here, of about the right size.
std::string with_refresh(const std::string& file, const std::string& mode, const ScratchFolder& folder) {
    YAML::Node standard = YAML::LoadFile(file);
    YAML::Node refresh = standard["refresh"];
    if (refresh["mode"].as<std::string>() == mode) return file;
    const YAML::Node rfc = refresh["RFC"].IsMap() ? refresh["RFC"]["value"] : refresh["RFC"];
    const int cycles = rfc.as<int>();
    refresh["mode"] = mode;
    refresh["RFC"] = mode == "all_bank" ? cycles * 7 / 4 : cycles * 4 / 9;
    refresh["RREFD"] = mode == "all_bank" ? 0 : cycles / 10;
    return folder.write(std::filesystem::path(file).stem().string() + "_" + mode + ".yaml", YAML::Dump(standard));
}

DramSpec spec_of(const std::string& file, const Options& options) {
    DramSpec spec = read_dram_spec(file);
    if (options.channels > 0) spec.organisation.channels = options.channels;
    return spec;
}

// Whether every pattern was free of violations.
bool all_legal(const std::string& file, const Options& options) {
    const ScratchFolder folder;
    bool legal = true, any = false;
    for (const char* mode : {"per_bank", "all_bank"})
        for (const auto policy : {PagePolicy::open, PagePolicy::closed, PagePolicy::timeout}) {
            const std::string table = with_refresh(file, mode, folder);
            DramSpec spec = spec_of(table, options);
            if (!options.all_configurations && (table != file || policy != spec.controller.page_policy)) continue;
            if (policy == PagePolicy::timeout && spec.controller.timeout == 0)
                spec.controller.timeout = 3 * spec.timings.RC;
            spec.controller.page_policy = policy;
            const char* policies[] = {"open", "closed", "timeout"};
            for (const Traffic& traffic : kTraffic) {
                if (!options.pattern.empty() && options.pattern != traffic.name) continue;
                any = true;
                const Outcome outcome = run(spec, table, traffic, options.requests);
                const bool clean = outcome.checker.violations().empty() && outcome.columns == outcome.accesses;
                fmt::print(
                    "{:<10} {:<8} {:<7} {:<25} {:>10} requests {:>11} commands {:5.1f} % of peak {:6.2f} M/s  {}\n",
                    spec.name, mode, policies[int(policy)], traffic.name, options.requests, outcome.checker.commands(),
                    100 * outcome.of_peak, double(options.requests) / outcome.seconds / 1e6, clean ? "legal" : "WRONG");
                std::fflush(stdout);
                if (!clean)
                    fmt::print("{}{} columns for {} accesses\n", outcome.checker.report(), outcome.columns,
                               outcome.accesses);
                legal = legal && clean;
            }
        }
    if (!any) throw std::runtime_error("--pattern: no '" + options.pattern + "'");
    return legal;
}

struct Timing {
    const char* name;
    int DramTimings::*value;
    std::vector<std::string> constraints;  // under any of which it may be caught
    // Why nobody could notice, if nobody could: another constraint keeps what this one asks for.
    std::optional<std::string> (*hidden)(const DramSpec& spec);
};

std::optional<std::string> shown(const DramSpec&) { return std::nullopt; }
std::optional<std::string> unless(bool binds, const char* reason) {
    return binds ? std::nullopt : std::optional<std::string>(reason);
}

// CL is missing: it moves the data of all reads alike, no command shows it.
const std::vector<Timing> kTimings{
    {"CWL", &DramTimings::CWL, {"tWTR_S", "tWTR_L", "tWR"}, shown},
    {"RCDRD", &DramTimings::RCDRD, {"tRCDRD"}, shown},
    {"RCDWR", &DramTimings::RCDWR, {"tRCDWR"}, shown},
    {"RP", &DramTimings::RP, {"tRP"}, shown},
    {"RAS", &DramTimings::RAS, {"tRAS"}, shown},
    {"RC",
     &DramTimings::RC,
     {"tRC"},
     [](const DramSpec& of) { return unless(of.timings.RC > of.timings.RAS + of.timings.RP, "RAS + RP is as long"); }},
    {"WR", &DramTimings::WR, {"tWR"}, shown},
    {"RTP", &DramTimings::RTP, {"tRTP"}, shown},
    {"CCD_S", &DramTimings::CCD_S, {"tCCD_S"}, shown},
    {"CCD_L",
     &DramTimings::CCD_L,
     {"tCCD_L"},
     [](const DramSpec& of) { return unless(of.timings.CCD_L > of.timings.CCD_S, "CCD_S is as long"); }},
    {"CCD_R",
     &DramTimings::CCD_R,
     {"tCCD_R"},
     [](const DramSpec& of) { return unless(of.organisation.ranks > 1, "there is one rank"); }},
    {"RRD_S", &DramTimings::RRD_S, {"tRRD_S"}, shown},
    {"RRD_L",
     &DramTimings::RRD_L,
     {"tRRD_L"},
     [](const DramSpec& of) {
         return unless(of.timings.RRD_L > of.timings.RRD_S && of.organisation.banks > 1, "RRD_S or RC is as long");
     }},
    {"FAW",
     &DramTimings::FAW,
     {"tFAW"},
     [](const DramSpec& of) { return unless(of.timings.FAW > 4 * of.timings.RRD_S, "four RRD_S are as long"); }},
    {"WTR_S", &DramTimings::WTR_S, {"tWTR_S"}, shown},
    {"WTR_L",
     &DramTimings::WTR_L,
     {"tWTR_L"},
     [](const DramSpec& of) { return unless(of.timings.WTR_L > of.timings.WTR_S, "WTR_S is as long"); }},
    {"RTW", &DramTimings::RTW, {"tRTW"}, shown},
};

// The pattern that gave it away, if one did.
std::optional<std::string> caught(const DramSpec& broken, const std::string& table, const Options& options,
                                  const std::vector<std::string>& constraints) {
    for (const Traffic& traffic : kTraffic) {
        const Outcome outcome = run(broken, table, traffic, options.requests);
        for (const std::string& constraint : constraints)
            if (outcome.checker.count(constraint) > 0)
                return fmt::format("caught by '{}': {}", traffic.name,
                                   outcome.checker.violations().at(constraint).first);
    }
    return std::nullopt;
}

// Breaks a number of the model's by one cycle, and by a quarter if that shows nowhere: a slot of the bus may be wider.
bool break_number(const std::string& name, const std::string& table, const Options& options, const DramSpec& spec,
                  int& number, const std::vector<std::string>& constraints) {
    const int right = number;
    for (const int less : {1, right / 4}) {
        number = right - std::max(1, less);
        const auto how = caught(spec, table, options, constraints);
        fmt::print("{:<10} {} {} instead of {}: {}\n", spec.name, name, number, right, how ? *how : "NOT CAUGHT");
        if (how) return true;
    }
    return false;
}

enum class Verdict { caught, not_caught, hidden };

Verdict break_timing(const std::string& file, const Options& options) {
    const ScratchFolder folder;
    const auto verdict = [](bool was_caught) { return was_caught ? Verdict::caught : Verdict::not_caught; };
    DramSpec spec = spec_of(file, options);
    if (options.broken == "RFC") {
        bool found = true;
        for (const char* mode : {"per_bank", "all_bank"}) {
            const std::string table = with_refresh(file, mode, folder);
            spec = spec_of(table, options);
            found = break_number("RFC", table, options, spec, spec.refresh.RFC, {"tRFC"}) && found;
        }
        return verdict(found);
    }
    if (options.broken == "RREFD") {
        const std::string table = with_refresh(file, "per_bank", folder);
        spec = spec_of(table, options);
        return verdict(break_number("RREFD", table, options, spec, spec.refresh.RREFD, {"tRREFD"}));
    }
    if (options.broken == "REFI") {  // here longer is wrong
        bool found = true;
        for (const char* mode : {"per_bank", "all_bank"}) {
            const std::string table = with_refresh(file, mode, folder);
            spec = spec_of(table, options);
            spec.refresh.REFI *= 2;
            const auto how = caught(spec, table, options, {"refresh"});
            fmt::print("{:<10} REFI twice as long, {}: {}\n", spec.name, mode, how ? *how : "NOT CAUGHT");
            found = found && how;
        }
        return verdict(found);
    }
    const auto timing = std::find_if(kTimings.begin(), kTimings.end(),
                                     [&](const Timing& known) { return known.name == options.broken; });
    if (timing == kTimings.end()) throw std::runtime_error("--break: no timing '" + options.broken + "'");
    if (const auto reason = timing->hidden(spec)) {
        fmt::print("{:<10} {} shows nowhere: {}\n", spec.name, timing->name, *reason);
        return Verdict::hidden;
    }
    return verdict(break_number(timing->name, file, options, spec, spec.timings.*timing->value, timing->constraints));
}

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto value = [&] {
            if (i + 1 == count) throw std::runtime_error(word + " needs a value");
            return std::string(words[++i]);
        };
        if (word == "--requests")
            options.requests = std::stoull(value());
        else if (word == "--channels")
            options.channels = std::stoi(value());
        else if (word == "--break")
            options.broken = value();
        else if (word == "--pattern")
            options.pattern = value();
        else if (word == "--all-configurations")
            options.all_configurations = true;
        else if (word.rfind("--", 0) == 0)
            throw std::runtime_error("unknown option " + word);
        else
            options.files.push_back(word);
    }
    if (options.files.empty())
        throw std::runtime_error(
            "usage: strata-dram-check [--requests n] [--channels n] [--pattern name] [--all-configurations] "
            "[--break timing] file...");
    return options;
}

// 0: as it should be; 1: a violation, or a broken timing that nobody noticed.
int check_all(const Options& options) {
    bool good = true, shown_once = false;
    for (const std::string& file : options.files) {
        if (options.broken.empty()) {
            good = all_legal(file, options) && good;
            shown_once = true;
            continue;
        }
        const Verdict verdict = break_timing(file, options);
        good = good && verdict != Verdict::not_caught;
        shown_once = shown_once || verdict == Verdict::caught;
    }
    return good && shown_once ? 0 : 1;
}

}  // namespace
}  // namespace strata

int main(int count, char** words) {
    try {
        return strata::check_all(strata::read_options(count, words));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
}
