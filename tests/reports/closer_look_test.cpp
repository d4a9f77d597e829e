// The sections that look closer at one point, on numbers for a pencil.
#include "reports/closer_look.hpp"

#include <gtest/gtest.h>

#include "reports/numeric_columns.hpp"
#include "reports/sections/sections.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

// 10 ms; HBM swings it by 2 ms, the wire by 0.5, cores not at all, and of drives nothing is known.
Tornado tornado() {
    Tornado tornado{.metric = "decode.tpot_ms", .base = 10, .by = 0.1, .swings = {}, .unknown_share = 0.25};
    tornado.swings = {{.input = "HBM bandwidth", .range = "/ 1.1 to x 1.1", .low = 11.5, .high = 9.5},
                      {.input = "wire", .range = "/ 1.1 to x 1.1", .low = 10.25, .high = 9.75},
                      {.input = "host cores", .range = "/ 1.1 to x 1.1", .low = 10, .high = 10},
                      {.input = "drives", .range = "/ 1.1 to x 1.1", .obstacle = "does not fit"}};
    return tornado;
}

TraceOp op(const char* name, const char* component, Lane lane, int layer, TraceTime begin, TraceTime end) {
    return {.name = name,
            .component = component,
            .origin = "measured",
            .lane = lane,
            .layer = layer,
            .begin = begin,
            .end = end};
}

// Layers 0 to 2 compute for 10 us each; rows for layer 2 are fetched from 5 us to 15 us.
Trace step() {
    constexpr TraceTime us = 1'000'000;
    Trace trace;
    for (int layer = 0; layer < 3; ++layer)
        trace.ops.push_back(op("product", "experts", Lane::compute, layer, layer * 10 * us, (layer + 1) * 10 * us));
    trace.ops.push_back(op("rows", "engram", Lane::host_fetch, 2, 5 * us, 15 * us));
    trace.tracks = {{"compute", {{0, 0, 0, 10 * us}, {1, 0, 10 * us, 20 * us}, {2, 0, 20 * us, 30 * us}}},
                    {"host_fetch", {{3, 0, 5 * us, 15 * us}}}};
    return trace;
}

TEST(SensitivitySection, shows_the_widest_first_and_names_what_makes_no_difference) {
    const CloserLook closer{"rho 0.8", tornado(), {}};
    const auto section = sensitivity_section(&closer);
    ASSERT_TRUE(section);
    EXPECT_NE(section->paragraphs[0].find("swings most with HBM bandwidth: from 9.5 to 11.5, 20.0 % of it"),
              std::string::npos)
        << section->paragraphs[0];
    const Chart& chart = section->charts.at(0);
    EXPECT_EQ(chart.x.categories, (std::vector<std::string>{"HBM bandwidth", "wire"}));
    EXPECT_DOUBLE_EQ(chart.series.at(0).points.at(0).y, 10);       // from as it is ...
    EXPECT_DOUBLE_EQ(chart.series.at(0).points.at(0).y_to, 11.5);  // ... to its low end
    EXPECT_DOUBLE_EQ(chart.series.at(1).points.at(1).y, 9.75);
    EXPECT_EQ(section->footnotes.at(1), "No difference: host cores.");
    EXPECT_EQ(section->footnotes.at(2), "Of 25.0 % of the step nobody knows the error.");
    EXPECT_FALSE(sensitivity_section(nullptr));
}

TEST(TimelineSection, is_the_middle_layer_and_cuts_off_what_reaches_out_of_it) {
    const CloserLook closer{"rho 0.8", {}, step()};
    const auto section = timeline_section(&closer);
    ASSERT_TRUE(section);
    const Chart& chart = section->charts.at(0);
    EXPECT_EQ(chart.x.categories, (std::vector<std::string>{"compute", "host_fetch"}));
    ASSERT_EQ(chart.series.size(), 2u);
    EXPECT_EQ(chart.series[0].name, "engram");  // the rows of another layer, until 15 us
    ASSERT_EQ(chart.series[0].points.size(), 1u);
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].y, 0);
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].y_to, 5);
    ASSERT_EQ(chart.series[1].points.size(), 1u);
    EXPECT_DOUBLE_EQ(chart.series[1].points[0].y_to, 10);
    EXPECT_NE(section->paragraphs[0].find("Layer 1 at rho 0.8, 10 us of a step of 0.03 ms"), std::string::npos)
        << section->paragraphs[0];
}

TEST(AssumptionsSection, says_how_much_of_the_step_rests_on_assumptions) {
    ReportFixture fixture;
    PointResult& result = fixture.study.results[1];
    result.run->path = CriticalPath{"H200_SXM",
                                    {{.family = "moe_experts", .origin = "measured", .ms = 6},
                                     {.family = "mhc_pre", .origin = "assumed", .ms = 3},
                                     {.family = "wire", .origin = "modelled", .ms = 3}}};
    Recommendation chosen{.point = &result, .engine = "systemc", .rule = {}};
    Manifest manifest;
    manifest.overrides = {"platform.nodes=2", "model.rho=1"};
    const ReportInput input{fixture.study, fixture.law, fixture.catalog, fixture.costs, "v4.1-flash", {}, {}, manifest};
    const auto section = assumptions_section(input, chosen);
    ASSERT_TRUE(section);
    EXPECT_EQ(section->paragraphs.at(0), "25.0 % of the step's length rests on times that are our assumption.");
    EXPECT_EQ(section->tables.at(0).rows.size(), 2u);
    EXPECT_EQ(section->footnotes.at(0), "Set by hand, so assumed: platform.nodes=2.");
}

TEST(FabricSection, is_there_where_something_goes_over_links) {
    ReportFixture fixture;
    PointResult& result = fixture.study.results[1];
    const Recommendation chosen{.point = &result, .engine = "systemc", .rule = {}};
    EXPECT_FALSE(fabric_section(chosen));
    result.run->metrics["network.scale_up_ms"] = 1.5;
    result.run->utilisation[static_cast<std::size_t>(Lane::scale_up)] = 0.125;
    const auto section = fabric_section(chosen);
    ASSERT_TRUE(section);
    EXPECT_EQ(section->tables.at(0).rows,
              (std::vector<std::vector<std::string>>{{"inside a scale-up domain", "1.5", "12.5 %"}}));
    EXPECT_EQ(section->tables.at(1).rows.size(), 1u);  // experts exchange, attention does not
}

TEST(Report, says_what_it_was_asked_of) {
    const auto scope = ReportFixture().document().scope;
    const std::vector<std::pair<std::string, std::string>> expected{
        {"model", "v4.1-flash"},          {"machine", "HGX_H200"},
        {"model.rho", "0.4, 0.8, 1"},     {"placement.engram.tier", "hbm, host"},
        {"engines", "analytic, systemc"}, {"results", "10 of 12 points and engines"}};
    EXPECT_EQ(scope, expected);
}

TEST(NumericColumns, hold_nothing_but_numbers_and_gaps) {
    const Table table{.title = {}, .columns = {"a", "b", "c"}, .rows = {{"1.5 %", "x", "-"}, {"-0.2", "1", "+3"}}};
    EXPECT_EQ(numeric_columns(table), (std::vector<bool>{true, false, true}));
    EXPECT_EQ(numeric_columns({.title = {}, .columns = {"a"}}), std::vector<bool>{false});
}

}  // namespace
}  // namespace strata
