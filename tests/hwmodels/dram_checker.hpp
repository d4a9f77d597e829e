// Holds a stream of DRAM commands against a standard's table. It reads the table from the standard's file by itself and
// shares nothing with the model but the form of a command, so that a mistake of the model's loader, of its arithmetic
// or of its idea of a constraint cannot hide here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hwmodels/dram/command.hpp"

namespace strata {

struct DramViolation {
    std::uint64_t count = 0;
    std::string first;  // in words
};

class DramChecker {
public:
    explicit DramChecker(const std::string& standard_file);

    // Commands of a channel may come out of order by up to four REFI or 65,536 commands.
    void check(const IssuedCommand& command);
    // What is still held, and the refreshes that are due by each channel's last command. Nothing may follow.
    void finish();

    std::uint64_t commands() const { return commands_; }
    std::uint64_t count(const std::string& constraint) const;
    std::map<std::string, DramViolation> violations() const;  // by the constraint's name; empty: all was legal
    std::string report() const;                               // a line for each, with its first case

private:
    enum Constraint {
        kCCD_S,
        kCCD_L,
        kCCD_R,
        kRTW,
        kWTR_S,
        kWTR_L,
        kDataBus,
        kRC,
        kRRD_S,
        kRRD_L,
        kFAW,
        kRCDRD,
        kRCDWR,
        kRAS,
        kRTP,
        kWR,
        kRP,
        kRFC,
        kRREFD,
        kState,
        kRefresh,
        kOrder,
        kAddress,
        kConstraints
    };
    static constexpr std::int64_t kLongAgo = -(std::int64_t(1) << 40);

    struct Table {
        std::int64_t CL, CWL, RCDRD, RCDWR, RP, RAS, RC, WR, RTP, CCD_S, CCD_L, CCD_R, RRD_S, RRD_L, FAW, WTR_S, WTR_L,
            RTW, REFI, RFC, RREFD, postponed, burst;
        std::uint32_t ranks, bank_groups, banks, rows;
        bool per_bank;

        std::uint32_t banks_of_a_rank() const { return bank_groups * banks; }
    };
    // When something was done last, and when it was done last elsewhere.
    struct Last {
        std::uint32_t where = 0;
        std::int64_t here = kLongAgo, before_elsewhere = kLongAgo;

        void at(std::uint32_t place, std::int64_t cycle) {
            if (place != where) before_elsewhere = here;
            where = place;
            here = cycle;
        }
        std::int64_t elsewhere(std::uint32_t place) const { return place == where ? before_elsewhere : here; }
    };
    struct Bank {
        std::int64_t activate = kLongAgo, precharge = kLongAgo, read = kLongAgo, write = kLongAgo, refresh = kLongAgo;
        std::int64_t refreshed = 0;  // or the channel's first command
        std::uint32_t row = 0;
        bool open = false;
    };
    struct Group {
        std::int64_t activate = kLongAgo, read = kLongAgo, write = kLongAgo;
    };
    struct Rank {
        Last reads, writes, activates;   // by bank group
        Last bank_activates, refreshes;  // by bank
        std::int64_t refresh_all = kLongAgo;
        std::int64_t last_four[4] = {kLongAgo, kLongAgo, kLongAgo,
                                     kLongAgo};  // activates, the oldest at `activated` % 4
        std::uint64_t activated = 0;
        std::int64_t bank_refreshes = 0;
    };
    struct Channel {
        std::vector<IssuedCommand> held;  // by cycle, from `first`
        std::size_t first = 0;
        std::int64_t start = 0, newest = kLongAgo, released = kLongAgo;
        bool started = false;

        std::vector<Bank> banks;
        std::vector<Group> groups;
        std::vector<Rank> ranks;
        Last reads, writes;  // by rank
        std::int64_t bursts[16];
        std::uint64_t transferred = 0;
        std::int64_t bus_free = kLongAgo;
    };

    bool known(const IssuedCommand& command);
    void hold(Channel& channel, const IssuedCommand& command);
    void release(Channel& channel, const IssuedCommand& command);
    void activate(Channel& channel, const IssuedCommand& command);
    void precharge(Channel& channel, const IssuedCommand& command);
    void column(Channel& channel, const IssuedCommand& command);
    void burst(Channel& channel, const IssuedCommand& command);
    void refresh_bank(Channel& channel, const IssuedCommand& command);
    void refresh_all(Channel& channel, const IssuedCommand& command);
    void refreshed(Channel& channel, const IssuedCommand& command, std::uint32_t bank);
    void in_time(Channel& channel, const IssuedCommand& command);

    void expect(Constraint constraint, const IssuedCommand& command, std::int64_t distance, std::int64_t since,
                const char* what) {
        if (command.cycle - since < distance) [[unlikely]]
            too_early(constraint, command, distance, since, what);
    }
    void too_early(Constraint constraint, const IssuedCommand& command, std::int64_t distance, std::int64_t since,
                   const char* what);
    void violated(Constraint constraint, const IssuedCommand& command, const std::string& words);

    Table table_;
    std::vector<Channel> channels_;
    DramViolation violations_[kConstraints];
    std::uint64_t commands_ = 0;
};

}  // namespace strata
