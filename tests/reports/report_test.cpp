#include "reports/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/study_view.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

std::vector<std::string> titles(const Document& document) {
    std::vector<std::string> all;
    for (const Section& section : document.sections) all.push_back(section.title);
    return all;
}

const Chart& chart_of(const Document& document, const std::string& name) {
    for (const Section& section : document.sections)
        for (const Chart& chart : section.charts)
            if (chart.name == name) return chart;
    throw std::runtime_error("no chart " + name);
}

// Losses 1.7248, 1.7109, 1.7248: only rho 0.8 lies within 0.002 of the lowest, and HBM is the faster tier there.
TEST(Recommendation, is_the_fastest_of_those_near_the_lowest_loss) {
    const ReportFixture fixture;
    const Recommendation chosen = fixture.recommendation();
    EXPECT_EQ(label_of(*chosen.point, fixture.study), "rho 0.8, tier hbm");
    EXPECT_EQ(chosen.engine, "systemc");
    EXPECT_EQ(chosen.point->engine, "systemc");
    EXPECT_EQ(chosen.eligible, 2u);
}

TEST(Recommendation, keeps_to_the_assertions) {
    ReportFixture fixture;
    fixture.assertions = {{"decode.tpot_ms", ">=", 23, "decode.tpot_ms >= 23"}};  // 21 ms in host memory, x 1.1
    EXPECT_EQ(label_of(*fixture.recommendation().point, fixture.study), "rho 0.8, tier host");
    fixture.assertions = {{"decode.tpot_ms", "<=", 1, "decode.tpot_ms <= 1"}};
    EXPECT_EQ(fixture.recommendation().point, nullptr);
    EXPECT_EQ(fixture.document().sections.front().title, "Verdict");
}

TEST(Recommendation, is_the_fastest_of_all_where_rho_is_not_swept) {
    ReportFixture fixture;
    for (PointResult& result : fixture.study.results) result.settings[0].first = "workload.batch";
    EXPECT_EQ(label_of(*fixture.recommendation().point, fixture.study), "batch 0.4, tier hbm");
    EXPECT_FALSE(fixture.recommendation().by_loss);
}

TEST(Report, shows_memory_by_class_and_a_column_of_expanders_only_where_there_are_some) {
    ReportFixture fixture;
    const auto memory = [&] {
        const Document document = fixture.document();
        return *std::find_if(document.sections.begin(), document.sections.end(),
                             [](const Section& s) { return s.title == "Memory by tier"; });
    };
    const Section without = memory();
    EXPECT_EQ(without.tables[0].columns.size(), 4u);
    EXPECT_EQ(without.tables[1].rows[0], (std::vector<std::string>{"tier hbm", "10", "20", "8", "1", "5", "2", "4"}));
    for (PointResult& result : fixture.study.results)
        if (result.run) result.run->metrics["memory.cxl_gb"] = 70;
    EXPECT_EQ(memory().tables[0].columns[3], "CXL of a node [GB]");
    EXPECT_EQ(memory().tables[0].rows[0][3], "70");
}

TEST(Report, says_which_part_of_the_model_takes_the_time) {
    const ReportFixture fixture;
    const Document document = fixture.document();
    const auto section = std::find_if(document.sections.begin(), document.sections.end(),
                                      [](const Section& s) { return s.title == "Where the step's time goes"; });
    ASSERT_NE(section, document.sections.end());
    EXPECT_NE(section->paragraphs[0].find("moving bytes for experts"), std::string::npos) << section->paragraphs[0];
    EXPECT_NE(section->paragraphs[0].find("50.0 % of the step"), std::string::npos);
    EXPECT_EQ(section->tables[0].rows[0][0], "experts");  // 65 % of the step, attention 20 %
    EXPECT_EQ(section->tables[0].rows[0].back(), "65.0 %");
}

const Section* section_of(const Document& document, const std::string& title) {
    const auto found = std::find_if(document.sections.begin(), document.sections.end(),
                                    [&](const Section& section) { return section.title == title; });
    return found == document.sections.end() ? nullptr : &*found;
}

TEST(Report, names_the_cheapest_point_and_what_has_no_price) {
    ReportFixture fixture;
    EXPECT_EQ(section_of(fixture.document(), "Cost and energy"), nullptr);
    for (PointResult& result : fixture.study.results) {
        if (!result.run) continue;
        auto& metrics = result.run->metrics;
        metrics["cost.usd_per_million_tokens"] = metrics.at("decode.tpot_ms") / 10;  // TPOT 10 ms is the least
        metrics["cost.usd_per_million_tokens_low"] = metrics.at("decode.tpot_ms") / 20;
        metrics["cost.usd_per_million_tokens_high"] = metrics.at("decode.tpot_ms") / 5;
        result.run->absent["cost.capital_usd"] = "X.price.purchase is null";
    }
    const Document document = fixture.document();
    const Section* section = section_of(document, "Cost and energy");
    ASSERT_NE(section, nullptr);
    EXPECT_NE(section->paragraphs[0].find("1 USD per million tokens (rho 0.4, tier hbm)"), std::string::npos)
        << section->paragraphs[0];
    EXPECT_EQ(section->tables[0].rows[0].back(), "1 (0.5 to 2)");
    EXPECT_EQ(section->footnotes[0], "No cost.capital_usd: X.price.purchase is null.");
    EXPECT_EQ(section->charts.size(), 1u);  // nothing is known of energy
}

TEST(Report, shows_quality_beside_cost_where_a_study_has_it) {
    ReportFixture fixture;
    EXPECT_EQ(section_of(fixture.document(), "Quality beside cost"), nullptr);
    for (PointResult& result : fixture.study.results) {
        if (!result.run) continue;
        auto& metrics = result.run->metrics;
        metrics["quality.residual_gain"] = 1.5;
        metrics["quality.residual_gain_low"] = 1.25;
        metrics["quality.residual_gain_high"] = 2;
        result.run->absent["quality.precision_loss_percent"] = "the error of int8 was not measured";
    }
    const Document document = fixture.document();
    const Section* section = section_of(document, "Quality beside cost");
    ASSERT_NE(section, nullptr);
    EXPECT_EQ(section->tables[0].rows.size(), 5u);  // a row a point, not an engine; the sixth does not fit
    EXPECT_EQ(section->tables[0].rows[0][2], "1.5 (1.25 to 2)");
    EXPECT_EQ(section->tables[0].rows[0][3], "unknown");
    EXPECT_EQ(section->footnotes[0], "No quality.precision_loss_percent: the error of int8 was not measured.");
    EXPECT_EQ(section_of(document, "Cost and energy"), nullptr);  // quality is none of its business
}

TEST(Report, says_what_binds_or_that_nothing_does) {
    ReportFixture fixture;
    EXPECT_EQ(section_of(fixture.document(), "What binds"), nullptr);
    const Gain memory{.resource = "HBM bandwidth", .settings = {{"a.b", "2"}}, .gain = 0.05, .elasticity = 0.5};
    const Gain none{.resource = "cores", .settings = {}};
    for (PointResult& result : fixture.study.results)
        result.binding = Binding{.metric = "m", .base = 1, .by = 0.1, .gains = {memory, none}};
    const Document document = fixture.document();
    const Section* section = section_of(document, "What binds");
    ASSERT_NE(section, nullptr);
    EXPECT_NE(section->paragraphs[0].find("tier hbm: HBM bandwidth. 10 % more of it gains +5.00 % of m"),
              std::string::npos)
        << section->paragraphs[0];
    EXPECT_EQ(section->tables[0].rows[0], (std::vector<std::string>{"HBM bandwidth", "+5.00 %", "0.500", "a.b=2"}));
    EXPECT_EQ(section->charts[0].series[0].points.size(), 1u);  // what gains nothing is no bar
    for (PointResult& result : fixture.study.results) result.binding->gains = {none};
    EXPECT_NE(section_of(fixture.document(), "What binds")->paragraphs[0].find("Nothing to gain"), std::string::npos);
}

TEST(Report, shows_how_busy_the_parts_of_the_recommended_point_are) {
    ReportFixture fixture;
    for (PointResult& result : fixture.study.results)
        if (result.run)
            result.run->resources = {{.name = "node0.gpu0.hbm", .busy = 0.6, .bytes = Bytes(3e9)},
                                     {.name = "node0.gpu1.hbm", .busy = 0.6, .bytes = Bytes(3e9)}};
    const Document document = fixture.document();
    const Section* section = section_of(document, "How busy each part is");
    ASSERT_NE(section, nullptr);
    ASSERT_EQ(section->tables.size(), 2u);  // an engine each
    EXPECT_EQ(section->tables[0].rows,
              (std::vector<std::vector<std::string>>{{"node0.gpu0.hbm", "60.0 %", "3"}}));  // one rank for all
}

TEST(Report, has_all_sections_that_apply) {
    EXPECT_EQ(titles(ReportFixture().document()),
              (std::vector<std::string>{"Verdict", "Conclusion", "Loss against the allocation dial",
                                        "Throughput and latency", "Memory by tier", "Where the step's time goes",
                                        "What limits each point", "Do the engines agree?", "All results",
                                        "How sure the times are", "Hardware numbers", "How to make this again"}));
}

// Of 22 ms in HBM and 23.1 ms in host memory 10 are one family on one device, which cancels; of the latter 2.2 are a
// gather known to a factor of two: host memory is ahead if that takes less than half, which is its p10.
TEST(Report, concludes_with_best_next_how_much_and_how_sure) {
    ReportFixture fixture;
    for (PointResult& result : fixture.study.results) {
        if (!result.run) continue;
        const double tpot = result.run->metrics.at("decode.tpot_ms");
        const double gathered = result.settings[1].second == "host" ? 2.2 : 0, wired = tpot - 10 - gathered;
        result.run->path =
            CriticalPath{"H200_SXM",
                         {{.family = "moe_experts", .origin = "transferred", .ms = 10, .p10_ms = 8, .p90_ms = 12.5},
                          {.family = "wire", .origin = "modelled", .ms = wired, .p10_ms = wired, .p90_ms = wired}}};
        if (gathered > 0)
            result.run->path->times.push_back({.family = "engram_gather",
                                               .origin = "transferred",
                                               .ms = gathered,
                                               .p10_ms = gathered / 2,
                                               .p90_ms = gathered * 2});
    }
    const Recommendation chosen = fixture.recommendation();
    ASSERT_NE(chosen.runner_up, nullptr);
    EXPECT_EQ(label_of(*chosen.runner_up, fixture.study), "rho 0.8, tier host");
    ASSERT_TRUE(chosen.certainty);
    EXPECT_NEAR(chosen.certainty->first_ahead, 0.9, 0.01);
    EXPECT_EQ(chosen.certainty->settled_by, "engram_gather (transferred)");
    const Document document = fixture.document();
    ASSERT_EQ(document.sections[1].title, "Conclusion");
    const std::string text = document.sections[1].paragraphs.at(0);
    for (const char* part : {"Best is rho 0.8, tier hbm with 2909", "Next is rho 0.8, tier host with 2771, 4.8 % less",
                             "bound by memory", "with probability 0.9", "measuring engram_gather (transferred)"})
        EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
    EXPECT_NE(recommended_text(chosen, fixture.study, fixture.law, "v4.1-flash").find("with probability"),
              std::string::npos);
}

TEST(Report, of_a_single_point_leaves_out_what_needs_a_sweep) {
    ReportFixture fixture;
    fixture.study.results.resize(1);
    fixture.study.results[0].settings.clear();
    const std::vector<std::string> found = titles(fixture.document());
    for (const char* absent : {"Loss against the allocation dial", "Throughput and latency", "Do the engines agree?"})
        EXPECT_EQ(std::count(found.begin(), found.end(), absent), 0) << absent;
    EXPECT_NE(fixture.document().sections[0].paragraphs[0].find("the only point"), std::string::npos);
}

TEST(Report, charts_hold_the_numbers_of_the_study) {
    const Document document = ReportFixture().document();
    const Chart& latency = chart_of(document, "latency");
    ASSERT_EQ(latency.series.size(), 4u);  // two tiers, two engines
    EXPECT_EQ(latency.series[0].name, "tier hbm, systemc");
    EXPECT_FALSE(latency.series[0].dashed);
    ASSERT_EQ(latency.series[0].points.size(), 3u);
    EXPECT_DOUBLE_EQ(latency.series[0].points[1].x, 0.8);
    EXPECT_DOUBLE_EQ(latency.series[0].points[1].y, 20 * 1.1);
    EXPECT_EQ(latency.series[2].name, "tier hbm, analytic");
    EXPECT_TRUE(latency.series[2].dashed);
    EXPECT_EQ(latency.series[2].colour, latency.series[0].colour);
    EXPECT_EQ(latency.series[1].points.size(), 2u);  // rho 1 in host memory does not fit
}

// Each is on its own scale, so what is drawn is how far it is above its lowest.
TEST(Report, sets_losses_measured_elsewhere_beside_the_published_ones) {
    const ReportFixture fixture;
    ReportInput input{fixture.study, fixture.law, fixture.catalog, fixture.costs, "v4.1-flash", {"HGX_H200"}, {}, {}};
    input.trained = allocation_fits({{"small", 0.4, 5.0}, {"small", 0.6, 4.0}, {"small", 1, 4.5}});
    const Document document = report_of(input);
    const Chart& chart = chart_of(document, "allocation_measured");
    ASSERT_EQ(chart.series.size(), 3u);
    EXPECT_EQ(chart.series[1].name, "measured (small budget)");
    EXPECT_NEAR(chart.series[1].points.front().y, 1, 1e-9);
    EXPECT_NEAR(chart.series[1].points[1].y, 0, 1e-9);
    EXPECT_NEAR(chart.series[2].points.front().y, 1.7248 - 1.7109, 1e-9);
}

TEST(Report, allocation_curve_shows_anchors_as_markers_and_the_rest_dashed) {
    const Document document = ReportFixture().document();
    const Chart& chart = chart_of(document, "allocation");
    EXPECT_EQ(chart.series[0].style, SeriesStyle::band);
    EXPECT_TRUE(chart.series[1].dashed);
    EXPECT_EQ(chart.series[2].style, SeriesStyle::markers);
    ASSERT_EQ(chart.series[2].points.size(), 3u);
    EXPECT_DOUBLE_EQ(chart.series[2].points[1].y, 1.7109);
}

TEST(Report, engines_that_differ_by_a_tenth_are_said_to) {
    const Document document = ReportFixture().document();
    const auto section = std::find_if(document.sections.begin(), document.sections.end(),
                                      [](const Section& s) { return s.title == "Do the engines agree?"; });
    EXPECT_NE(section->paragraphs[0].find("at most 10.0 %"), std::string::npos) << section->paragraphs[0];
    EXPECT_EQ(section->tables[0].rows[0][3], "+10.00 %");
}

TEST(Report, lists_what_did_not_fit_with_its_reason) {
    const Document document = ReportFixture().document();
    const auto section = std::find_if(document.sections.begin(), document.sections.end(),
                                      [](const Section& s) { return s.title == "All results"; });
    ASSERT_EQ(section->tables.size(), 2u);
    EXPECT_EQ(section->tables[1].rows[0][3], "needs 3 GB, \"has\" 2");
}

}  // namespace
}  // namespace strata
