#include "tests/hwmodels/dram_checker.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <stdexcept>

namespace strata {
namespace {

constexpr std::size_t kHeldAtMost = 65536;
constexpr std::uint32_t kChannelsAtMost = 1 << 16;  // protects memory from a spoiled command

constexpr const char* kNames[] = {"tCCD_S", "tCCD_L", "tCCD_R", "tRTW",   "tWTR_S",  "tWTR_L", "data bus", "tRC",
                                  "tRRD_S", "tRRD_L", "tFAW",   "tRCDRD", "tRCDWR",  "tRAS",   "tRTP",     "tWR",
                                  "tRP",    "tRFC",   "tRREFD", "state",  "refresh", "order",  "address"};
constexpr const char* kCommands[] = {"activate",     "precharge",   "read",   "write",
                                     "refresh_bank", "refresh_all", "the end"};
constexpr auto kEnd = DramCommand(std::size(kCommands) - 1);

std::int64_t number(const YAML::Node& section, const char* field) {
    const YAML::Node node = section[field];
    if (!node) throw std::runtime_error(fmt::format("no field '{}'", field));
    return (node.IsMap() ? node["value"] : node).as<std::int64_t>();
}

}  // namespace

DramChecker::DramChecker(const std::string& standard_file) {
    try {
        const YAML::Node standard = YAML::LoadFile(standard_file);
        const YAML::Node organisation = standard["organisation"], timings = standard["timings"],
                         refresh = standard["refresh"];
        const auto count = [&](const char* field) { return std::uint32_t(number(organisation, field)); };
        table_.ranks = count("ranks");
        table_.bank_groups = count("bank_groups");
        table_.banks = count("banks");
        table_.rows = count("rows");
        table_.burst = number(organisation, "burst_length") / number(standard, "transfers_per_clock");
        const auto cycles = [&](const char* field) { return number(timings, field); };
        table_.CL = cycles("CL");
        table_.CWL = cycles("CWL");
        table_.RCDRD = cycles("RCDRD");
        table_.RCDWR = cycles("RCDWR");
        table_.RP = cycles("RP");
        table_.RAS = cycles("RAS");
        table_.RC = cycles("RC");
        table_.WR = cycles("WR");
        table_.RTP = cycles("RTP");
        table_.CCD_S = cycles("CCD_S");
        table_.CCD_L = cycles("CCD_L");
        table_.CCD_R = cycles("CCD_R");
        table_.RRD_S = cycles("RRD_S");
        table_.RRD_L = cycles("RRD_L");
        table_.FAW = cycles("FAW");
        table_.WTR_S = cycles("WTR_S");
        table_.WTR_L = cycles("WTR_L");
        table_.RTW = cycles("RTW");
        table_.per_bank = refresh["mode"].as<std::string>() == "per_bank";
        table_.REFI = number(refresh, "REFI");
        table_.RFC = number(refresh, "RFC");
        table_.RREFD = refresh["RREFD"] ? number(refresh, "RREFD") : 0;
        table_.postponed = number(refresh, "postponed");
    } catch (const std::exception& error) {
        throw std::runtime_error(standard_file + ": " + error.what());
    }
}

void DramChecker::check(const IssuedCommand& command) {
    ++commands_;
    if (!known(command)) return;
    if (command.channel >= channels_.size()) channels_.resize(command.channel + 1);
    Channel& channel = channels_[command.channel];
    if (channel.banks.empty()) {
        channel.banks.resize(table_.ranks * table_.banks_of_a_rank());
        channel.groups.resize(table_.ranks * table_.bank_groups);
        channel.ranks.resize(table_.ranks);
        std::fill(std::begin(channel.bursts), std::end(channel.bursts), kLongAgo);
    }
    if (command.cycle < channel.released)
        return violated(kOrder, command, fmt::format("came when {} was already past", channel.released));
    hold(channel, command);
    while (channel.newest - channel.held[channel.first].cycle > 4 * table_.REFI ||
           channel.held.size() - channel.first > kHeldAtMost)
        release(channel, channel.held[channel.first++]);
    if (channel.first >= 4096 && 2 * channel.first > channel.held.size()) {
        channel.held.erase(channel.held.begin(), channel.held.begin() + std::ptrdiff_t(channel.first));
        channel.first = 0;
    }
}

void DramChecker::finish() {
    for (Channel& channel : channels_) {
        while (channel.first < channel.held.size()) release(channel, channel.held[channel.first++]);
        if (!channel.started) continue;
        IssuedCommand end{
            .cycle = channel.released, .channel = std::uint32_t(&channel - channels_.data()), .command = kEnd};
        for (std::uint32_t rank = 0; rank < table_.ranks; ++rank) {
            end.rank = std::uint16_t(rank);
            in_time(channel, end);
            for (std::uint32_t bank = 0; bank < table_.banks_of_a_rank(); ++bank) {
                end.bank_group = std::uint16_t(bank / table_.banks);
                end.bank = std::uint16_t(bank % table_.banks);
                refreshed(channel, end, rank * table_.banks_of_a_rank() + bank);
            }
        }
    }
}

bool DramChecker::known(const IssuedCommand& command) {
    if (command.channel < kChannelsAtMost && command.rank < table_.ranks && command.bank_group < table_.bank_groups &&
        command.bank < table_.banks && command.row < table_.rows && command.command <= DramCommand::refresh_all)
        return true;
    violated(kAddress, command, fmt::format("to row {}, outside the organisation", command.row));
    return false;
}

// Nearly all commands come in order, the others are late by a few.
void DramChecker::hold(Channel& channel, const IssuedCommand& command) {
    channel.newest = std::max(channel.newest, command.cycle);
    channel.held.push_back(command);
    std::size_t place = channel.held.size() - 1;
    for (; place > channel.first && channel.held[place - 1].cycle > command.cycle; --place)
        channel.held[place] = channel.held[place - 1];
    channel.held[place] = command;
}

void DramChecker::release(Channel& channel, const IssuedCommand& command) {
    if (!channel.started) {
        channel.started = true;
        channel.start = command.cycle;
        for (Bank& bank : channel.banks) bank.refreshed = command.cycle;
    }
    channel.released = command.cycle;
    switch (command.command) {
        case DramCommand::activate: return activate(channel, command);
        case DramCommand::precharge: return precharge(channel, command);
        case DramCommand::read:
        case DramCommand::write: return column(channel, command);
        case DramCommand::refresh_bank: return refresh_bank(channel, command);
        case DramCommand::refresh_all: return refresh_all(channel, command);
    }
}

void DramChecker::activate(Channel& channel, const IssuedCommand& command) {
    const std::uint32_t in_rank = command.bank_group * table_.banks + command.bank;
    Rank& rank = channel.ranks[command.rank];
    Group& group = channel.groups[command.rank * table_.bank_groups + command.bank_group];
    Bank& bank = channel.banks[command.rank * table_.banks_of_a_rank() + in_rank];
    if (bank.open) violated(kState, command, fmt::format("of a bank whose row {} is open", bank.row));
    expect(kRC, command, table_.RC, bank.activate, "an activate of this bank");
    expect(kRP, command, table_.RP, bank.precharge, "a precharge of this bank");
    expect(kRRD_L, command, table_.RRD_L, group.activate, "an activate of this bank group");
    expect(kRRD_S, command, table_.RRD_S, rank.activates.elsewhere(command.bank_group),
           "an activate of another bank group");
    std::int64_t& fourth_before = rank.last_four[rank.activated++ % 4];
    expect(kFAW, command, table_.FAW, fourth_before, "the first of five activates");
    expect(kRFC, command, table_.RFC, std::max(bank.refresh, rank.refresh_all), "a refresh of this bank");
    expect(kRREFD, command, table_.RREFD, rank.refreshes.elsewhere(in_rank), "a refresh of another bank");
    fourth_before = command.cycle;
    rank.activates.at(command.bank_group, command.cycle);
    rank.bank_activates.at(in_rank, command.cycle);
    group.activate = bank.activate = command.cycle;
    bank.open = true;
    bank.row = command.row;
}

void DramChecker::precharge(Channel& channel, const IssuedCommand& command) {
    Bank& bank = channel.banks[(command.rank * table_.bank_groups + command.bank_group) * table_.banks + command.bank];
    if (!bank.open) violated(kState, command, "of a bank that has no row open");
    expect(kRAS, command, table_.RAS, bank.activate, "the activate of this bank");
    expect(kRTP, command, table_.RTP, bank.read, "a read of this bank");
    expect(kWR, command, table_.CWL + table_.burst + table_.WR, bank.write, "a write of this bank");
    bank.precharge = command.cycle;
    bank.open = false;
}

void DramChecker::column(Channel& channel, const IssuedCommand& command) {
    Rank& rank = channel.ranks[command.rank];
    Group& group = channel.groups[command.rank * table_.bank_groups + command.bank_group];
    Bank& bank = channel.banks[(command.rank * table_.bank_groups + command.bank_group) * table_.banks + command.bank];
    if (!bank.open || bank.row != command.row)
        violated(kState, command,
                 bank.open ? fmt::format("of row {} while row {} is open", command.row, bank.row)
                           : fmt::format("of row {} while no row is open", command.row));
    if (command.command == DramCommand::read) {
        expect(kRCDRD, command, table_.RCDRD, bank.activate, "the activate of this bank");
        expect(kCCD_L, command, table_.CCD_L, group.read, "a read of this bank group");
        expect(kCCD_S, command, table_.CCD_S, rank.reads.elsewhere(command.bank_group), "a read of another bank group");
        expect(kCCD_R, command, table_.CCD_R, channel.reads.elsewhere(command.rank), "a read of another rank");
        const std::int64_t written = table_.CWL + table_.burst;
        expect(kWTR_L, command, written + table_.WTR_L, group.write, "a write of this bank group");
        expect(kWTR_S, command, written + table_.WTR_S, rank.writes.elsewhere(command.bank_group),
               "a write of another bank group");
        expect(kCCD_R, command, table_.CCD_R, channel.writes.elsewhere(command.rank), "a write of another rank");
        channel.reads.at(command.rank, command.cycle);
        rank.reads.at(command.bank_group, command.cycle);
        group.read = bank.read = command.cycle;
    } else {
        expect(kRCDWR, command, table_.RCDWR, bank.activate, "the activate of this bank");
        expect(kCCD_L, command, table_.CCD_L, group.write, "a write of this bank group");
        expect(kCCD_S, command, table_.CCD_S, rank.writes.elsewhere(command.bank_group),
               "a write of another bank group");
        expect(kCCD_R, command, table_.CCD_R, channel.writes.elsewhere(command.rank), "a write of another rank");
        expect(kRTW, command, table_.RTW, channel.reads.here, "a read");
        channel.writes.at(command.rank, command.cycle);
        rank.writes.at(command.bank_group, command.cycle);
        group.write = bank.write = command.cycle;
    }
    burst(channel, command);
}

// Bursts of reads and of writes may start in another order than their commands. Sixteen of the past are enough: the
// data of a legal stream runs ahead of its commands by CL - CWL + burst at most, eleven bursts in GDDR7, the longest.
void DramChecker::burst(Channel& channel, const IssuedCommand& command) {
    const bool read = command.command == DramCommand::read;
    const std::int64_t start = command.cycle + (read ? table_.CL : table_.CWL);
    if (start < channel.bus_free)
        for (const std::int64_t other : channel.bursts)
            if (start < other + table_.burst && other < start + table_.burst) {
                violated(kDataBus, command, fmt::format("puts its data at {} on that of {}", start, other));
                break;
            }
    channel.bursts[channel.transferred++ % 16] = start;
    channel.bus_free = std::max(channel.bus_free, start + table_.burst);
}

void DramChecker::refresh_bank(Channel& channel, const IssuedCommand& command) {
    const std::uint32_t in_rank = command.bank_group * table_.banks + command.bank;
    Rank& rank = channel.ranks[command.rank];
    const std::uint32_t index = command.rank * table_.banks_of_a_rank() + in_rank;
    Bank& bank = channel.banks[index];
    if (bank.open) violated(kState, command, fmt::format("of a bank whose row {} is open", bank.row));
    expect(kRP, command, table_.RP, bank.precharge, "a precharge of this bank");
    expect(kRFC, command, table_.RFC, std::max(bank.refresh, rank.refresh_all), "a refresh of this bank");
    expect(kRREFD, command, table_.RREFD, rank.refreshes.elsewhere(in_rank), "a refresh of another bank");
    expect(kRC, command, table_.RC, bank.activate, "an activate of this bank");
    expect(kRRD_S, command, table_.RRD_S, rank.bank_activates.elsewhere(in_rank), "an activate of another bank");
    in_time(channel, command);
    refreshed(channel, command, index);
    ++rank.bank_refreshes;
    rank.refreshes.at(in_rank, command.cycle);
    bank.refresh = command.cycle;
}

void DramChecker::refresh_all(Channel& channel, const IssuedCommand& command) {
    Rank& rank = channel.ranks[command.rank];
    expect(kRFC, command, table_.RFC, rank.refresh_all, "a refresh of the rank");
    in_time(channel, command);
    IssuedCommand of_bank = command;
    for (std::uint32_t in_rank = 0; in_rank < table_.banks_of_a_rank(); ++in_rank) {
        of_bank.bank_group = std::uint16_t(in_rank / table_.banks);
        of_bank.bank = std::uint16_t(in_rank % table_.banks);
        const std::uint32_t index = command.rank * table_.banks_of_a_rank() + in_rank;
        const Bank& bank = channel.banks[index];
        if (bank.open) violated(kState, of_bank, fmt::format("while row {} of this bank is open", bank.row));
        expect(kRP, of_bank, table_.RP, bank.precharge, "a precharge of this bank");
        expect(kRC, of_bank, table_.RC, bank.activate, "an activate of this bank");
        expect(kRFC, of_bank, table_.RFC, bank.refresh, "a refresh of this bank");
        refreshed(channel, of_bank, index);
    }
    rank.bank_refreshes += table_.banks_of_a_rank();
    rank.refresh_all = command.cycle;
}

// The longest a bank may go without a refresh. JEDEC: a refresh command is due each tREFI (all banks) or tREFI / banks
// (one bank), and `postponed` commands may be owed at any time. All banks: the commands around a pause of `postponed`
// owed ones are (1 + postponed) tREFI apart. One bank: a bank's turn comes every tREFI; it is latest after a turn in
// time when `postponed` commands are owed before the next, which is then itself up to one interval late; one RFC for
// closing the bank and for the refresh before it. This reads `postponed` as commands of the mode; should a standard
// allow as many for each bank, the rule here is the stricter one.
void DramChecker::refreshed(Channel& channel, const IssuedCommand& command, std::uint32_t bank) {
    const std::int64_t banks = table_.banks_of_a_rank();
    const std::int64_t late = (1 + table_.postponed) * table_.REFI;
    const std::int64_t longest = table_.per_bank ? table_.REFI + (late + banks - 1) / banks + table_.RFC : late;
    std::int64_t& last = channel.banks[bank].refreshed;
    if (command.cycle - last > longest)
        violated(kRefresh, command,
                 fmt::format("comes {} cycles after this bank's refresh of {}, at most {} allowed",
                             command.cycle - last, last, longest));
    last = command.cycle;
}

// The average: the n-th refresh of a rank, counted in banks, no later than `postponed` commands after it was due. A gap
// alone would let a controller owe the same refreshes for ever. From the channel's first command, with one interval
// for its phase when banks are refreshed singly, and one RFC.
void DramChecker::in_time(Channel& channel, const IssuedCommand& command) {
    const std::int64_t banks = table_.banks_of_a_rank();
    const std::int64_t done = channel.ranks[command.rank].bank_refreshes;
    const std::int64_t latest = table_.per_bank ? (done + 2 + table_.postponed) * table_.REFI / banks
                                                : (done / banks + 1 + table_.postponed) * table_.REFI;
    if (command.cycle - channel.start > latest + table_.RFC)
        violated(kRefresh, command,
                 fmt::format("comes with {} bank refreshes of the rank since {}; the next was due by {}", done,
                             channel.start, channel.start + latest + table_.RFC));
}

void DramChecker::too_early(Constraint constraint, const IssuedCommand& command, std::int64_t distance,
                            std::int64_t since, const char* what) {
    if (violations_[constraint].count)
        ++violations_[constraint].count;
    else
        violated(constraint, command, fmt::format("after {} at {}, expected >= {}", what, since, since + distance));
}

void DramChecker::violated(Constraint constraint, const IssuedCommand& command, const std::string& words) {
    DramViolation& violation = violations_[constraint];
    if (violation.count++) return;
    const auto kind = std::size_t(command.command);
    violation.first =
        fmt::format("{}: channel {} rank {} bank group {} bank {}: {} at {}, {}", kNames[constraint], command.channel,
                    command.rank, command.bank_group, command.bank,
                    kind < std::size(kCommands) ? kCommands[kind] : "an unknown command", command.cycle, words);
}

std::uint64_t DramChecker::count(const std::string& constraint) const {
    const auto all = violations();
    const auto found = all.find(constraint);
    return found == all.end() ? 0 : found->second.count;
}

std::map<std::string, DramViolation> DramChecker::violations() const {
    std::map<std::string, DramViolation> found;
    for (int constraint = 0; constraint < kConstraints; ++constraint)
        if (violations_[constraint].count) found[kNames[constraint]] = violations_[constraint];
    return found;
}

std::string DramChecker::report() const {
    std::string lines;
    for (const auto& [name, violation] : violations())
        lines += fmt::format("{} violated {} times; {}\n", name, violation.count, violation.first);
    return lines.empty() ? fmt::format("{} commands, no violation\n", commands_) : lines;
}

}  // namespace strata
