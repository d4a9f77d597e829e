#include "hwmodels/yaml_field.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace strata {
namespace {

std::string message_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(Units, parse_decimal_and_binary_prefixes) {
    EXPECT_DOUBLE_EQ(parse_bytes("80 GB", "here").si(), 80e9);
    EXPECT_DOUBLE_EQ(parse_bytes("2GiB", "here").si(), 2147483648.0);
    EXPECT_DOUBLE_EQ(parse_bandwidth("3.35 TB/s", "here").si(), 3.35e12);
    EXPECT_DOUBLE_EQ(parse_bandwidth("400 Gb/s", "here").si(), 50e9);  // bits: 400 / 8
    EXPECT_DOUBLE_EQ(parse_seconds("1.2 us", "here").si(), 1.2e-6);
}

TEST(Units, refuse_another_dimension_a_bare_number_and_a_negative_one) {
    EXPECT_EQ(message_of([] { parse_bandwidth("55 GB", "a.yaml:2:3"); }),
              "a.yaml:2:3: expected a bandwidth such as '64 GB/s', found '55 GB'");
    EXPECT_THROW(parse_bandwidth("55", "x"), InputError);
    EXPECT_THROW(parse_bytes("-1 GB", "x"), InputError);
    EXPECT_THROW(parse_seconds("nan us", "x"), InputError);
}

TEST(YamlField, reports_all_problems_at_once_with_their_places) {
    Problems problems;
    const YamlField root(parse_yaml("name: a\nbandwith: 3 GB/s\nlatency: 2 GB\n", "part.yaml"), "part.yaml", "",
                         problems);
    root.allow_only({"name", "bandwidth", "latency"});
    root["latency"].seconds();
    root["bandwidth"].bandwidth();
    ASSERT_EQ(problems.messages().size(), 3u);
    EXPECT_EQ(problems.messages()[0], "part.yaml:2:1: bandwith: unknown field; did you mean 'bandwidth'?");
    EXPECT_EQ(problems.messages()[1], "part.yaml:3:10: latency: expected a time such as '1.2 us', found '2 GB'");
    EXPECT_NE(problems.messages()[2].find("bandwidth: expected a bandwidth"), std::string::npos);
    EXPECT_THROW(problems.throw_if_any(), InputError);
}

TEST(YamlField, refuses_a_key_given_twice) {
    Problems problems;
    const YamlField root(parse_yaml("a: 1\nb: 2\na: 3\n", "x.yaml"), "x.yaml", "", problems);
    root.allow_only({"a", "b"});
    ASSERT_EQ(problems.messages().size(), 1u);
    EXPECT_EQ(problems.messages()[0], "x.yaml:3:1: a: this field is given twice");
}

TEST(YamlField, refuses_yaml_1_1_booleans) {
    Problems problems;
    const YamlField root(parse_yaml("a: yes\n", "x.yaml"), "x.yaml", "", problems);
    EXPECT_FALSE(root["a"].boolean());
    EXPECT_FALSE(problems.empty());
}

TEST(YamlField, names_line_and_column_of_broken_yaml_and_a_missing_file) {
    EXPECT_EQ(message_of([] { parse_yaml("a: [1, 2\nb: 3\n", "x.yaml"); }).rfind("x.yaml:", 0), 0u);
    EXPECT_NE(message_of([] { load_yaml("no/such/file.yaml"); }).find("no/such/file.yaml: no such file"),
              std::string::npos);
}

TEST(NearestName, offers_a_slip_of_the_pen_but_no_stranger) {
    EXPECT_EQ(nearest_name("H20_SXM", {"H200_SXM", "A100_SXM_80G"}).value(), "H200_SXM");
    EXPECT_FALSE(nearest_name("toaster", {"H200_SXM", "A100_SXM_80G"}).has_value());
}

}  // namespace
}  // namespace strata
