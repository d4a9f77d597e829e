// Each constraint has a stream that is just legal and the same stream with its last command one cycle off, which must
// be caught under that constraint's name and no other. The standard is made up so that no constraint hides behind
// another.
#include "tests/hwmodels/dram_checker.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

using Stream = std::vector<IssuedCommand>;
using Names = std::vector<std::string>;

constexpr const char* kStandard = R"(
transfers_per_clock: 4
organisation: {channels: 1, pseudo_channels: 1, ranks: 2, bank_groups: 2, banks: 4, rows: 1024, burst_length: 8}
timings: {CL: 20, CWL: 10, RCDRD: 15, RCDWR: 12, RP: 14, RAS: 30, RC: 50, WR: 16, RTP: 6, CCD_S: 3, CCD_L: 5, CCD_R: 6,
          RRD_S: 4, RRD_L: {value: 6, kind: assumed, source: test}, FAW: 40, WTR_S: 7, WTR_L: 9, RTW: 15}
refresh: {mode: per_bank, REFI: 1000, RFC: 100, RREFD: 8, postponed: 2}
)";  // a burst is 2 cycles, a rank has 8 banks

struct Place {
    int rank = 0, group = 0, bank = 0;
};

IssuedCommand issued(DramCommand command, int cycle, Place place, int row = 0, int channel = 0) {
    return {.cycle = cycle,
            .channel = std::uint32_t(channel),
            .row = std::uint32_t(row),
            .rank = std::uint16_t(place.rank),
            .bank_group = std::uint16_t(place.group),
            .bank = std::uint16_t(place.bank),
            .command = command};
}
IssuedCommand activate(int cycle, Place place = {}) { return issued(DramCommand::activate, cycle, place); }
IssuedCommand precharge(int cycle, Place place = {}) { return issued(DramCommand::precharge, cycle, place); }
IssuedCommand read(int cycle, Place place = {}) { return issued(DramCommand::read, cycle, place); }
IssuedCommand write(int cycle, Place place = {}) { return issued(DramCommand::write, cycle, place); }
IssuedCommand refresh_bank(int cycle, Place place = {}) { return issued(DramCommand::refresh_bank, cycle, place); }
IssuedCommand refresh_all(int cycle, int rank = 0) { return issued(DramCommand::refresh_all, cycle, {rank, 0, 0}); }

constexpr Place kOtherGroup{0, 1, 0}, kOtherBank{0, 0, 1}, kOtherRank{1, 0, 0};

DramChecker checker(const std::string& changed = "") {
    std::string standard = kStandard;
    if (!changed.empty())
        standard = std::regex_replace(standard, std::regex(changed.substr(0, changed.find(':')) + ": \\w+"), changed);
    const ScratchFolder folder;
    return DramChecker(folder.write("standard.yaml", standard));
}

DramChecker checked(const Stream& stream, const std::string& changed = "") {
    DramChecker found = checker(changed);
    for (const IssuedCommand& command : stream) found.check(command);
    found.finish();
    return found;
}

Names violated(const DramChecker& checker) {
    Names names;
    for (const auto& [name, violation] : checker.violations()) names.push_back(name);
    return names;
}

struct Edge {
    const char* title;
    const char* constraint;
    Stream legal;
    int off = -1;              // what the last command's cycle is changed by
    const char* changed = "";  // a field of the standard
};
void PrintTo(const Edge& edge, std::ostream* out) { *out << edge.constraint << ", " << edge.title; }

class DramCheckerEdge : public testing::TestWithParam<Edge> {};

TEST_P(DramCheckerEdge, is_legal_to_the_cycle) {
    const DramChecker legal = checked(GetParam().legal, GetParam().changed);
    EXPECT_EQ(legal.report(), std::to_string(GetParam().legal.size()) + " commands, no violation\n");
    Stream off = GetParam().legal;
    off.back().cycle += GetParam().off;
    const DramChecker caught = checked(off, GetParam().changed);
    EXPECT_EQ(violated(caught), Names{GetParam().constraint}) << caught.report();
}

// Activates of banks of alternating groups, RRD_S apart: two more than one window of four holds.
const Stream kFiveActivates{activate(0), activate(4, kOtherGroup), activate(8, kOtherBank), activate(12, {0, 1, 1}),
                            activate(40, {0, 0, 2})};
// All eight banks in turn; bank 0 is then late by the owed commands while the others go on.
Stream bank_refreshes() {
    Stream stream;
    for (int turn = 0; turn < 12; ++turn)
        if (turn != 8) stream.push_back(refresh_bank(125 * turn, {0, turn % 8 / 4, turn % 4}));
    for (int turn = 0; turn < 12; ++turn) stream.push_back(refresh_bank(125 * turn + 60, {1, turn % 8 / 4, turn % 4}));
    stream.push_back(refresh_bank(1000 + 375 + 100));  // REFI + (1 + 2) REFI / 8 + RFC
    return stream;
}

const std::vector<Edge> kEdges{
    {"reads_of_two_groups", "tCCD_S", {activate(0), activate(4, kOtherGroup), read(40), read(43, kOtherGroup)}},
    {"writes_of_two_groups", "tCCD_S", {activate(0), activate(4, kOtherGroup), write(40), write(43, kOtherGroup)}},
    {"reads_of_a_bank", "tCCD_L", {activate(0), read(40), read(45)}},
    {"reads_of_a_group", "tCCD_L", {activate(0), activate(6, kOtherBank), read(40), read(45, kOtherBank)}},
    {"reads_of_a_group_with_another_between",
     "tCCD_L",
     {activate(0), activate(4, kOtherGroup), read(40), read(43, kOtherGroup), read(48)},
     -1,
     "CCD_L: 8"},
    {"writes_of_a_bank", "tCCD_L", {activate(0), write(40), write(45)}},
    {"reads_of_two_ranks", "tCCD_R", {activate(0), activate(0, kOtherRank), read(40), read(46, kOtherRank)}},
    {"writes_of_two_ranks", "tCCD_R", {activate(0), activate(0, kOtherRank), write(40), write(46, kOtherRank)}},
    {"write_then_read_of_another_rank",
     "tCCD_R",
     {activate(0), activate(0, kOtherRank), write(40), read(46, kOtherRank)}},
    {"read_then_write", "tRTW", {activate(0), read(40), write(55)}},
    {"read_then_write_of_another_rank",
     "tRTW",
     {activate(0), activate(0, kOtherRank), read(40), write(55, kOtherRank)}},
    {"write_then_read_of_two_groups",  // 40 + CWL 10 + 2 + 7
     "tWTR_S",
     {activate(0), activate(4, kOtherGroup), write(40), read(59, kOtherGroup)}},
    {"write_then_read_of_a_bank", "tWTR_L", {activate(0), write(40), read(61)}},
    {"data_of_a_write_behind_that_of_a_read",  // 40 + CL 20 + 2 - CWL 10
     "data bus",
     {activate(0), read(40), write(52)},
     -1,
     "RTW: 8"},
    {"activates_of_a_bank", "tRC", {activate(0), precharge(30), activate(50)}},
    {"activate_then_refresh_of_the_bank", "tRC", {activate(0), precharge(30), refresh_bank(50)}},
    {"activate_then_refresh_of_all", "tRC", {activate(0, {0, 1, 3}), precharge(30, {0, 1, 3}), refresh_all(50)}},
    {"activates_of_two_groups", "tRRD_S", {activate(0), activate(4, kOtherGroup)}},
    {"activate_then_refresh_of_another_bank", "tRRD_S", {activate(0), refresh_bank(4, kOtherBank)}},
    {"activates_of_a_group", "tRRD_L", {activate(0), activate(6, kOtherBank)}},
    {"five_activates", "tFAW", kFiveActivates},
    {"activate_then_read", "tRCDRD", {activate(0), read(15)}},
    {"activate_then_write", "tRCDWR", {activate(0), write(12)}},
    {"activate_then_precharge", "tRAS", {activate(0), precharge(30)}},
    {"read_then_precharge", "tRTP", {activate(0), read(40), precharge(46)}},
    {"write_then_precharge", "tWR", {activate(0), write(20), precharge(48)}},  // 20 + CWL 10 + 2 + 16
    {"precharge_then_activate", "tRP", {activate(0), precharge(40), activate(54)}},
    {"precharge_then_refresh_of_the_bank", "tRP", {activate(0), precharge(40), refresh_bank(54)}},
    {"precharge_then_refresh_of_all", "tRP", {activate(0, {0, 1, 3}), precharge(40, {0, 1, 3}), refresh_all(54)}},
    {"refresh_then_activate_of_the_bank", "tRFC", {refresh_bank(0), activate(100)}},
    {"refresh_then_refresh_of_the_bank", "tRFC", {refresh_bank(0), refresh_bank(100)}},
    {"refresh_of_all_then_activate", "tRFC", {refresh_all(0), activate(100, {0, 1, 2})}},
    {"refresh_of_all_then_refresh_of_all", "tRFC", {refresh_all(0), refresh_all(100)}},
    {"refresh_then_refresh_of_another_bank", "tRREFD", {refresh_bank(0), refresh_bank(8, kOtherBank)}},
    {"refresh_then_activate_of_another_bank", "tRREFD", {refresh_bank(0), activate(8, kOtherGroup)}},
    {"refresh_of_a_bank_in_its_turn", "refresh", bank_refreshes(), +1},
    {"refreshes_of_all_three_REFI_apart",
     "refresh",
     {refresh_all(0), refresh_all(0, 1), refresh_all(3000, 1), refresh_all(3000)},
     +1,
     "mode: all_bank"},
    {"no_refresh_until_the_end", "refresh", {activate(0), read(3000)}, +1, "mode: all_bank"},
};

INSTANTIATE_TEST_SUITE_P(Constraints, DramCheckerEdge, testing::ValuesIn(kEdges), [](const auto& edge) {
    return std::regex_replace(edge.param.constraint, std::regex(" "), "_") + "_" + edge.param.title;
});

TEST(DramChecker, names_the_first_case_in_words_and_counts_the_others) {
    Stream stream = kFiveActivates;
    stream.back().cycle = 39;
    const DramChecker found = checked(stream);
    EXPECT_EQ(found.report(),
              "tFAW violated 1 times; tFAW: channel 0 rank 0 bank group 0 bank 2: activate at 39, after the first of "
              "five activates at 0, expected >= 40\n");
    EXPECT_EQ(checked({activate(0), read(14), read(19), precharge(50), activate(64), read(70)}).count("tRCDRD"), 2u);
}

TEST(DramChecker, refuses_what_the_state_of_a_bank_does_not_allow) {
    const Names state{"state"};
    EXPECT_EQ(violated(checked({activate(0), activate(60)})), state);
    EXPECT_EQ(violated(checked({read(0)})), state);
    EXPECT_EQ(violated(checked({activate(0), precharge(40), write(60)})), state);
    EXPECT_EQ(violated(checked({activate(0), issued(DramCommand::read, 40, {}, 7)})), state);  // another row
    EXPECT_EQ(violated(checked({precharge(0)})), state);
    EXPECT_EQ(violated(checked({activate(0), refresh_bank(60)})), state);
    EXPECT_EQ(violated(checked({activate(0, {0, 1, 2}), refresh_all(60)})), state);
    EXPECT_EQ(violated(checked({activate(0, kOtherRank), refresh_all(60)})), Names{});
}

TEST(DramChecker, refuses_places_outside_the_organisation) {
    for (const Place place : {Place{2, 0, 0}, Place{0, 2, 0}, Place{0, 0, 4}})
        EXPECT_EQ(violated(checked({activate(0, place)})), Names{"address"});
    EXPECT_EQ(violated(checked({issued(DramCommand::activate, 0, {}, 1024)})), Names{"address"});
}

TEST(DramChecker, keeps_channels_apart) {
    Stream stream;
    for (int channel = 0; channel < 5; ++channel) stream.push_back(issued(DramCommand::activate, 0, {}, 0, channel));
    EXPECT_EQ(violated(checked(stream)), Names{});
}

// The precharge belongs between the two reads: taken as it comes it would close what the second read needs.
TEST(DramChecker, puts_commands_that_come_late_in_their_place) {
    EXPECT_EQ(
        violated(checked({activate(0), activate(4, kOtherGroup), read(40), read(80, kOtherGroup), precharge(46)})),
        Names{});
    EXPECT_EQ(
        violated(checked({activate(0), activate(4, kOtherGroup), read(40), read(80, kOtherGroup), precharge(45)})),
        Names{"tRTP"});
}

TEST(DramChecker, reports_what_comes_too_late_to_be_put_in_its_place) {
    Stream stream;
    for (const int cycle : {0, 2000, 4000, 6000})
        for (const int rank : {0, 1}) stream.push_back(refresh_all(cycle, rank));
    stream.push_back(activate(-1));
    EXPECT_EQ(violated(checked(stream, "mode: all_bank")), Names{"order"});
}

// A tenth too long: no gap passes 3 REFI, but the n-th refresh at 1100 n is later than (n + 2) REFI + RFC from n = 22
// on.
TEST(DramChecker, catches_a_refresh_interval_that_is_a_little_too_long) {
    for (const int refreshes : {31, 32}) {
        Stream stream{refresh_all(0), refresh_all(0, 1)};
        for (int turn = 1; turn <= refreshes; ++turn)
            for (const int rank : {0, 1}) stream.push_back(refresh_all(1100 * turn, rank));
        EXPECT_EQ(violated(checked(stream, "mode: all_bank")), refreshes == 31 ? Names{} : Names{"refresh"});
    }
}

TEST(DramChecker, says_which_field_a_file_lacks) {
    const ScratchFolder folder;
    try {
        const DramChecker lacking(folder.write("lacking.yaml", "organisation: {ranks: 1}\ntimings: {}\nrefresh: {}\n"));
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("no field 'bank_groups'"), std::string::npos) << error.what();
    }
}

TEST(DramChecker, reads_every_shipped_standard) {
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(STRATA_SOURCE_DIR) / "hwmodels" /
                                                                "catalog" / "dram"))
        EXPECT_NO_THROW(DramChecker{file.path().string()}) << file.path();
}

}  // namespace
}  // namespace strata
