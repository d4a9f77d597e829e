#include "hwmodels/dram/dram_spec.hpp"

#include <fmt/format.h>

#include <cmath>

#include "hwmodels/dram/address_mapping.hpp"
#include "hwmodels/sourced_field.hpp"

namespace strata {

namespace {

// What sets a timing: the interface (it keeps its cycles at another clock) or the array (it keeps its nanoseconds).
enum class SetBy { interface, array };

struct TimingField {
    const char* name;
    int DramTimings::*value;
    SetBy set_by;
};

constexpr TimingField kTimings[] = {
    {"CL", &DramTimings::CL, SetBy::array},       {"CWL", &DramTimings::CWL, SetBy::array},
    {"RCDRD", &DramTimings::RCDRD, SetBy::array}, {"RCDWR", &DramTimings::RCDWR, SetBy::array},
    {"RP", &DramTimings::RP, SetBy::array},       {"RAS", &DramTimings::RAS, SetBy::array},
    {"RC", &DramTimings::RC, SetBy::array},       {"WR", &DramTimings::WR, SetBy::array},
    {"RTP", &DramTimings::RTP, SetBy::array},     {"CCD_S", &DramTimings::CCD_S, SetBy::interface},
    {"CCD_L", &DramTimings::CCD_L, SetBy::array}, {"CCD_R", &DramTimings::CCD_R, SetBy::interface},
    {"RRD_S", &DramTimings::RRD_S, SetBy::array}, {"RRD_L", &DramTimings::RRD_L, SetBy::array},
    {"FAW", &DramTimings::FAW, SetBy::array},     {"WTR_S", &DramTimings::WTR_S, SetBy::array},
    {"WTR_L", &DramTimings::WTR_L, SetBy::array}, {"RTW", &DramTimings::RTW, SetBy::array},
};

// A section that says once where all its numbers come from; a field may say otherwise for itself.
class SourcedSection {
public:
    SourcedSection(YamlField field, const std::vector<std::string>& names) : field_(std::move(field)) {
        if (!field_.is_map()) {
            field_.problem("a map of fields", "nothing");
            return;
        }
        std::vector<std::string> allowed = names;
        allowed.insert(allowed.end(), {"kind", "source", "note"});
        field_.allow_only(allowed);
        kind_of(field_["kind"]);
        if (field_["source"].text().empty()) field_["source"].problem("where the numbers come from", "nothing");
    }

    // A whole number of at least `least`.
    int count(const char* name, int least) const {
        YamlField at = field_[name];
        if (at.is_map()) {
            at.allow_only({"value", "kind", "source", "note"});
            kind_of(at["kind"]);
            if (at["source"].text().empty()) at["source"].problem("where the number comes from", "nothing");
            at = at["value"];
        }
        const long long value = at.integer(least);
        if (value >= least && value <= 1 << 24) return static_cast<int>(value);
        at.problem(fmt::format("a whole number of at least {}", least), fmt::format("{}", value));
        return least;
    }
    YamlField operator[](const char* name) const { return field_[name]; }

private:
    YamlField field_;
};

DramOrganisation read_organisation(const YamlField& field) {
    const std::vector<std::string> names{"channels", "pseudo_channels", "ranks",       "bank_groups", "banks", "rows",
                                         "page",     "width_bits",      "burst_length"};
    DramOrganisation of;
    if (!field.is_map()) {
        field.problem("a map of fields", "nothing");
        return of;
    }
    std::vector<std::string> allowed = names;
    allowed.insert(allowed.end(), {"kind", "source", "note"});
    field.allow_only(allowed);
    if (field["source"].text().empty()) field["source"].problem("where the numbers come from", "nothing");
    const auto count = [&](const char* name, long long most = 256) {
        const long long value = field[name].integer(1);
        if (value >= 1 && value <= most) return static_cast<int>(value);
        field[name].problem(fmt::format("a whole number from 1 to {}", most), fmt::format("{}", value));
        return 1;
    };
    of.channels = count("channels");
    of.pseudo_channels = count("pseudo_channels");
    of.ranks = count("ranks");
    of.bank_groups = count("bank_groups");
    of.banks = count("banks");
    of.rows = count("rows", 1 << 24);
    of.width_bits = count("width_bits", 4096);
    of.burst_length = count("burst_length");
    of.page_bytes = static_cast<int>(std::min(field["page"].bytes().si(), double(1 << 20)));
    if (of.width_bits * of.burst_length % 8 != 0 || of.access_bytes() < 1 || of.page_bytes < of.access_bytes() ||
        of.page_bytes % of.access_bytes() != 0)
        field["page"].problem(
            fmt::format("a multiple of one access ({} bits of width x {} of burst)", of.width_bits, of.burst_length),
            fmt::format("{} B", of.page_bytes));
    if (of.ranks > kMostRanks || of.ranks * of.bank_groups > 64 || of.banks_of_a_bus() > 255)
        field.problem(fmt::format("at most {} ranks, 64 bank groups and 255 banks behind one bus", kMostRanks),
                      fmt::format("{}, {} and {}", of.ranks, of.ranks * of.bank_groups, of.banks_of_a_bus()));
    return of;
}

DramTimings read_timings(const YamlField& field, int burst) {
    std::vector<std::string> names;
    for (const TimingField& timing : kTimings) names.emplace_back(timing.name);
    const SourcedSection section(field, names);
    DramTimings of;
    for (const TimingField& timing : kTimings) of.*timing.value = section.count(timing.name, 1);
    const auto at_least = [&](const char* name, int value, const char* other, int least) {
        if (value < least)
            section[name].problem(fmt::format("at least {} ({})", least, other), fmt::format("{}", value));
    };
    at_least("RC", of.RC, "RAS", of.RAS);
    at_least("RAS", of.RAS, "RCDRD", of.RCDRD);
    at_least("RRD_L", of.RRD_L, "RRD_S", of.RRD_S);
    at_least("CCD_L", of.CCD_L, "CCD_S", of.CCD_S);
    at_least("CCD_R", of.CCD_R, "CCD_S", of.CCD_S);
    at_least("CCD_S", of.CCD_S, "a burst", burst);
    at_least("WTR_L", of.WTR_L, "WTR_S", of.WTR_S);
    at_least("FAW", of.FAW, "RRD_S", of.RRD_S);
    at_least("RTW", of.RTW, "CL + a burst - CWL, or data would collide", of.CL + burst - of.CWL);
    return of;
}

DramRefresh read_refresh(const YamlField& field, const DramOrganisation& organisation) {
    const SourcedSection section(field, {"mode", "REFI", "RFC", "RREFD", "postponed"});
    DramRefresh of;
    const std::string mode = section["mode"].text();
    if (mode != "per_bank" && mode != "all_bank")
        section["mode"].problem("one of per_bank, all_bank", "'" + mode + "'");
    of.mode = mode == "per_bank" ? RefreshMode::per_bank : RefreshMode::all_bank;
    of.REFI = section.count("REFI", 1);
    of.RFC = section.count("RFC", 1);
    of.postponed = section.count("postponed", 0);
    const bool per_bank = of.mode == RefreshMode::per_bank;
    if (per_bank) of.RREFD = section.count("RREFD", 1);
    // Otherwise there is no time left to do anything but refresh.
    const int busy = per_bank ? of.RREFD * organisation.banks_of_a_rank() : of.RFC;
    if (of.RFC >= of.REFI || busy >= of.REFI)
        section["REFI"].problem(fmt::format("more than what refreshes take of it ({})", std::max(of.RFC, busy)),
                                fmt::format("{}", of.REFI));
    return of;
}

void read_energy(DramEnergy& into, const std::string& part, const YamlField& field) {
    field.allow_only({"activate_pJ", "read_pJ_per_bit", "write_pJ_per_bit", "refresh_pJ", "background_W"});
    const auto read = [&](Sourced<double>& number, const char* name) {
        read_sourced(number, part, field[name], [](const YamlField& value) { return value.number(); });
        if (number.value && !(*number.value >= 0))
            field[name].problem("a number that is not negative", fmt::format("{}", *number.value));
    };
    read(into.activate_pJ, "activate_pJ");
    read(into.read_pJ_per_bit, "read_pJ_per_bit");
    read(into.write_pJ_per_bit, "write_pJ_per_bit");
    read(into.refresh_pJ, "refresh_pJ");
    read(into.background_W, "background_W");
}

// Whether time is left between refreshes to open a row and read it: without, nothing would ever be served.
bool leaves_time(const DramSpec& spec) {
    const DramRefresh& of = spec.refresh;
    const bool per_bank = of.mode == RefreshMode::per_bank;
    const int open = spec.timings.RP + std::max(spec.timings.RCDRD, spec.timings.RCDWR) + spec.timings.CCD_L;
    return of.REFI > of.RFC + open && (!per_bank || of.REFI / spec.organisation.banks_of_a_rank() > of.RREFD + open);
}

DramController read_controller(const YamlField& field, Seconds clock) {
    const SourcedSection section(field, {"mapping", "page_policy", "window", "write_queue"});
    DramController of;
    of.mapping = section["mapping"].text();
    if (const YamlField policy = section["page_policy"]; policy.is_map()) {
        policy.allow_only({"timeout"});
        of.page_policy = PagePolicy::timeout;
        const double cycles = clock > Seconds(0) ? std::ceil(policy["timeout"].seconds() / clock) : 0;
        of.timeout = static_cast<int>(std::min(cycles, double(1 << 24)));
    } else {
        const std::string text = policy.text();
        if (text != "open" && text != "closed")
            policy.problem("open, closed, or a map such as {timeout: 200 ns}", "'" + text + "'");
        of.page_policy = text == "closed" ? PagePolicy::closed : PagePolicy::open;
    }
    of.window = section.count("window", 1);
    const YamlField writes = section["write_queue"];
    writes.allow_only({"depth", "high", "low"});
    of.write_depth = static_cast<int>(writes["depth"].integer(32));
    of.write_high = static_cast<int>(writes["high"].integer(24));
    of.write_low = static_cast<int>(writes["low"].integer(8));
    if (of.window > kMostQueued)
        section["window"].problem(fmt::format("at most {}", kMostQueued), fmt::format("{}", of.window));
    if (of.write_depth > kMostQueued || of.write_high > of.write_depth || of.write_low >= of.write_high ||
        of.write_low < 0)
        writes.problem(fmt::format("0 <= low < high <= depth <= {}", kMostQueued),
                       fmt::format("low {}, high {}, depth {}", of.write_low, of.write_high, of.write_depth));
    return of;
}

}  // namespace

Bandwidth DramSpec::peak_of_a_bus() const {
    return Bytes(organisation.width_bits / 8.0 * transfers_per_clock) / clock.get();
}

Bytes DramSpec::capacity() const {
    return Bytes(double(organisation.page_bytes) * organisation.rows * organisation.banks_of_a_bus() *
                 organisation.buses());
}

DramSpec DramSpec::at_peak(Bandwidth of_one_unit) const {
    DramSpec scaled = *this;
    const double factor = of_one_unit / peak();  // of the clock's frequency
    if (std::abs(factor - 1) < 1e-9) return scaled;
    const auto refuse = [&] {
        throw InputError(fmt::format("{} ({}) at {:.4g} GB/s a unit", name, file, of_one_unit.si() / 1e9),
                         fmt::format("a bandwidth near the standard's {:.4g} GB/s a unit", peak().si() / 1e9),
                         "one at which its cells could not work, or not be refreshed");
    };
    if (!(factor > 1e-3 && factor < 100)) refuse();
    const auto cycles = [factor](int at_this_clock) {
        return std::max(1, static_cast<int>(std::ceil(at_this_clock * factor - 1e-6)));
    };
    scaled.clock.value = clock.get() / factor;
    for (const TimingField& timing : kTimings)
        if (timing.set_by == SetBy::array) scaled.timings.*timing.value = cycles(timings.*timing.value);
    DramTimings& of = scaled.timings;
    of.CCD_L = std::max(of.CCD_L, of.CCD_S);
    of.RTW = std::max(of.RTW, of.CL + burst_cycles() - of.CWL);
    // An average rate may not be lower than the standard's: round down.
    scaled.refresh.REFI = static_cast<int>(std::floor(refresh.REFI * factor + 1e-6));
    scaled.refresh.RFC = cycles(refresh.RFC);
    if (refresh.mode == RefreshMode::per_bank) scaled.refresh.RREFD = cycles(refresh.RREFD);
    scaled.controller.timeout = cycles(controller.timeout);
    if (!leaves_time(scaled)) refuse();
    return scaled;
}

std::string DramSpec::text() const {
    const DramOrganisation& of = organisation;
    std::string all = fmt::format("clock {:a} {}\norganisation {} {} {} {} {} {} {} {} {}\n", clock.get().si(),
                                  transfers_per_clock, of.channels, of.pseudo_channels, of.ranks, of.bank_groups,
                                  of.banks, of.rows, of.page_bytes, of.width_bits, of.burst_length);
    for (const TimingField& timing : kTimings) all += fmt::format("{} {}\n", timing.name, timings.*timing.value);
    all += fmt::format("refresh {} {} {} {} {}\n", static_cast<int>(refresh.mode), refresh.REFI, refresh.RFC,
                       refresh.RREFD, refresh.postponed);
    for (const Sourced<double>* number : {&energy.activate_pJ, &energy.read_pJ_per_bit, &energy.write_pJ_per_bit,
                                          &energy.refresh_pJ, &energy.background_W})
        all += number->value ? fmt::format("energy {:a}\n", *number->value) : "energy null\n";
    return all + fmt::format("controller '{}' {} {} {} {} {} {}\n", controller.mapping,
                             static_cast<int>(controller.page_policy), controller.timeout, controller.window,
                             controller.write_depth, controller.write_high, controller.write_low);
}

DramSpec read_dram_spec(const std::string& file) {
    Problems problems;
    const YamlField root(load_yaml(file), file, "", problems);
    root.allow_only(
        {"name", "type", "clock", "transfers_per_clock", "organisation", "timings", "refresh", "energy", "controller"});
    DramSpec spec;
    spec.file = file;
    spec.name = root["name"].text();
    spec.type = root["type"].text();
    read_sourced(spec.clock, spec.name, root["clock"], [](const YamlField& value) { return value.seconds(); });
    if (!spec.clock.value || *spec.clock.value <= Seconds(0))
        root["clock"].problem("the time of a cycle such as 625 ps", "none");
    spec.transfers_per_clock = static_cast<int>(root["transfers_per_clock"].integer(2));
    spec.organisation = read_organisation(root["organisation"]);
    if (spec.transfers_per_clock < 1 || spec.organisation.burst_length % std::max(1, spec.transfers_per_clock) != 0)
        root["transfers_per_clock"].problem("a divisor of the burst length",
                                            fmt::format("{}", spec.transfers_per_clock));
    problems.throw_if_any();  // what follows divides by these
    spec.timings = read_timings(root["timings"], spec.burst_cycles());
    spec.refresh = read_refresh(root["refresh"], spec.organisation);
    read_energy(spec.energy, spec.name, root["energy"]);
    spec.controller = read_controller(root["controller"], spec.clock.get());
    if (problems.empty() && !leaves_time(spec))
        root["refresh"].problem("refreshes that leave time to open a row between them (REFI, RFC, RREFD, RP, RCD)",
                                fmt::format("REFI {}, RFC {}", spec.refresh.REFI, spec.refresh.RFC));
    problems.throw_if_any();
    const AddressMapping mapping(spec, 1);  // throws for a line that does not fit the organisation
    return spec;
}

}  // namespace strata
