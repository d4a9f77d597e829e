// The ledger against the ledger as it was: better, worse, and what is neither.
#include "reports/gate/ledger_comparison.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

LedgerVerdict row(const std::string& id, double error, bool pass) {
    return {.id = id, .pass = pass, .predicted = 1 + error, .error = error};
}

TEST(LedgerComparison, a_row_that_misses_now_or_is_further_off_got_worse) {
    const LedgerComparison found = compare_ledgers(
        {row("a", 0.24, true), row("b", -0.30, false), row("c", -0.10, true), row("d", 0.40, false),
         row("e", 0.1, true)},
        {row("a", 0.26, false), row("b", 0.35, false), row("c", 0.09, true), row("d", 0.2, true), row("e", -0.1, true)},
        "*");
    ASSERT_EQ(found.worse.size(), 2u);
    EXPECT_EQ(found.worse[0].to.id, "b");  // by 5 points, a by 2
    EXPECT_EQ(found.worse[1].to.id, "a");
    ASSERT_EQ(found.better.size(), 2u);
    EXPECT_EQ(found.better[0].to.id, "d");
    EXPECT_EQ(found.same, 1u);  // on the other side, and no further off
    EXPECT_TRUE(found.fails());
    EXPECT_NE(ledger_comparison_text(found).find("-30.0 % MISS -> +35.0 % MISS"), std::string::npos)
        << ledger_comparison_text(found);
    EXPECT_NE(ledger_comparison_markdown(found).find("| worse | a | +24.0 % ok | +26.0 % MISS |"), std::string::npos);
}

TEST(LedgerComparison, better_rows_alone_are_fine_and_lost_ones_are_not) {
    EXPECT_FALSE(compare_ledgers({row("a", 0.3, false)}, {row("a", 0.1, true), row("new", 1, false)}, "*").fails());
    const LedgerComparison lost =
        compare_ledgers({row("a", 0.3, false), row("z", 0.1, true)}, {row("z", 0.1, true)}, "*");
    EXPECT_EQ(lost.lost, std::vector<std::string>{"a"});
    EXPECT_TRUE(lost.fails());
    EXPECT_FALSE(compare_ledgers({row("a", 0.3, false), row("z", 0.1, true)}, {row("z", 0.1, true)}, "z").fails());
}

TEST(LedgerComparison, reads_what_validate_wrote_and_refuses_anything_else) {
    const LedgerRow written{.id = "x",
                            .source = "s",
                            .unit = "ms",
                            .note = "",
                            .published = 10,
                            .above = "",
                            .predicted = 12,
                            .tolerance = 0.25,
                            .pass = true,
                            .provenance = "modelled"};
    const ScratchFolder folder;
    const auto read = read_verdicts(folder.write("ledger.json", ledger_json({written}).dump()));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].id, "x");
    EXPECT_TRUE(read[0].pass);
    EXPECT_DOUBLE_EQ(*read[0].error, 0.2);
    for (const char* text : {"{}", "[]", "[{}]", "[3]", "no"})
        EXPECT_THROW(read_verdicts(folder.write("other.json", text)), InputError) << text;
}

}  // namespace
}  // namespace strata
