// Documents made to exhaust a reader are refused at once, with the place and what was expected.
#include "hwmodels/yaml_limits.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <filesystem>

#include "hwmodels/yaml_field.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

std::string limit_complaint(const std::string& text) {
    try {
        parse_yaml(text, "s.yaml");
    } catch (const InputError& error) {
        return error.what();
    }
    return "none";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Six lists of ten aliases each: 10^6 values in 200 bytes.
TEST(YamlLimits, aliases_count_each_time_they_are_used) {
    std::string bomb = "a0: &a0 x\n", fine = "a0: &a0 x\n";
    for (int i = 1; i <= 6; ++i) {
        std::string list;
        for (int j = 0; j < 10; ++j) list += fmt::format("{}*a{}", j ? ", " : "", i - 1);
        bomb += fmt::format("a{0}: &a{0} [{1}]\n", i, list);
        if (i <= 4) fine += fmt::format("a{0}: &a{0} [{1}]\n", i, list);
    }
    EXPECT_TRUE(contains(limit_complaint(bomb), "expected at most 200000 values, aliases (*) counted each time"))
        << limit_complaint(bomb);
    EXPECT_EQ(limit_complaint(fine), "none");
}

TEST(YamlLimits, an_alias_inside_its_own_anchor_is_refused) {
    EXPECT_TRUE(contains(limit_complaint("a: &a [*a]\n"), "s.yaml:1:")) << limit_complaint("a: &a [*a]\n");
    EXPECT_TRUE(contains(limit_complaint("a: &a [*a]\n"), "or an alias (*) inside its own anchor (&)"));
}

TEST(YamlLimits, nesting_is_bounded) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']') + "\n"; };
    EXPECT_EQ(limit_complaint(nested(60)), "none");
    EXPECT_TRUE(contains(limit_complaint(nested(100)), "expected values nested at most 64 deep"));
    EXPECT_NE(limit_complaint(std::string(100000, '[')), "none");
}

TEST(YamlLimits, names_of_fields_are_short_texts) {
    EXPECT_TRUE(contains(limit_complaint(std::string(300, 'k') + ": 1\n"),
                         "s.yaml:1:1: expected a name of at most 256 characters, found 300"));
    EXPECT_TRUE(contains(limit_complaint("? [a, b]\n: 1\n"), "expected the name of a field"));
}

TEST(YamlLimits, a_huge_file_is_refused_before_it_is_read) {
    const ScratchFolder folder;
    const std::string file = folder.write("big.yaml", "a: 1\n");
    std::filesystem::resize_file(file, std::uintmax_t{1} << 40);  // a hole: it costs nothing
    try {
        load_yaml(file);
        FAIL() << "not refused";
    } catch (const InputError& error) {
        EXPECT_TRUE(contains(error.what(), "big.yaml: expected a document of at most 16 MiB")) << error.what();
    }
}

}  // namespace
}  // namespace strata
