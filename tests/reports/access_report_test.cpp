// The report of a study of kind access: two memories, loads and row sizes, with round numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "reports/access_view.hpp"
#include "reports/render/chart_json.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

// Serves at most 60 % of its peak of 1000 GB/s; latency is 100 ns at 10 % load, and 5 us once it falls behind.
PointResult point(const std::string& part, double load, double row) {
    const double share = load > 0 ? std::min(load, 0.6) : row / (row + 100);
    Run run;
    run.engine = "bank";
    run.metrics = {{"access.bandwidth_GBps", 1000 * share},
                   {"access.efficiency", share},
                   {"access.latency_ns", load > 0.6 ? 5000 : 90 + 100 * load},
                   {"access.latency_p99_ns", load > 0.6 ? 9000 : 300}};
    run.accessed = {.part = part, .pattern = "random rows", .peak_GBps = 1000, .row_bytes = row, .load = load};
    return {{{"workload.part", part}, {"workload.load", std::to_string(load)}, {"workload.row", std::to_string(row)}},
            "bank",
            PointStatus::ok,
            {},
            run};
}

Study access_study() {
    Study study{"accesses", "a question", {"bank"}, {}};
    for (const char* part : {"HBM x 6", "DDR x 16"}) {
        for (const double load : {0.9, 0.1, 0.5}) study.results.push_back(point(part, load, 264));
        for (const double row : {64.0, 264.0, 4096.0}) study.results.push_back(point(part, 0, row));
    }
    study.results.push_back({study.results[0].settings, "bank", PointStatus::infeasible, "no standard", {}});
    return study;
}

Document document_of(const Study& study) {
    ReportFixture fixture;
    return report_of({study, fixture.law, fixture.catalog, fixture.costs, "", {"HGX_H200"}, {}, Manifest{}});
}

const Section& section_titled(const Document& document, const std::string& title) {
    const auto found = std::find_if(document.sections.begin(), document.sections.end(),
                                    [&](const Section& section) { return section.title == title; });
    if (found == document.sections.end()) throw std::runtime_error("no section " + title);
    return *found;
}

TEST(AccessReport, leaves_out_what_needs_a_model_and_opens_with_what_was_found) {
    const Document document = document_of(access_study());
    std::vector<std::string> titles;
    for (const Section& section : document.sections) titles.push_back(section.title);
    EXPECT_EQ(titles, (std::vector<std::string>{"What the parts give", "Latency against offered load",
                                                "Bandwidth against row size", "All results", "Hardware numbers",
                                                "How to make this again"}));
    EXPECT_EQ(document.sections[0].paragraphs[0],
              "Random rows of 264 B: HBM x 6 keeps up with 50 % of its peak, DDR x 16 keeps up with 50 % of its peak.");
}

TEST(AccessReport, draws_latencies_only_of_loads_that_a_part_keeps_up_with) {
    const Chart chart = section_titled(document_of(access_study()), "Latency against offered load").charts[0];
    ASSERT_EQ(chart.series.size(), 2u);
    EXPECT_EQ(chart.series[0].name, "HBM x 6");
    ASSERT_EQ(chart.series[0].points.size(), 2u);  // not 90 %, and in the order of loads
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].x, 10);
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].y, 100);
    EXPECT_DOUBLE_EQ(chart.series[0].points[1].x, 50);
}

TEST(AccessReport, draws_bandwidth_over_powers_of_two_and_names_a_size_between_them) {
    const Chart chart = section_titled(document_of(access_study()), "Bandwidth against row size").charts[0];
    ASSERT_EQ(chart.x.ticks.size(), 7u);  // 64 B, 128 B, ..., 4 KiB
    EXPECT_EQ(chart.x.ticks.front().text, "64 B");
    EXPECT_EQ(chart.x.ticks.back().text, "4 KiB");
    ASSERT_EQ(chart.annotations.size(), 2u);
    EXPECT_EQ(chart.annotations[0].text, "264 B");
    EXPECT_DOUBLE_EQ(chart.annotations[0].x, 264);
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].y, 100 * 64.0 / 164);
}

TEST(AccessReport, draws_no_sweep_that_was_not_made) {
    Study study = access_study();
    study.results.resize(1);
    const Document document = document_of(study);
    EXPECT_EQ(document.sections[1].title, "All results");
    EXPECT_NE(document.sections[0].paragraphs[0].find("keeps up with none"), std::string::npos);
}

TEST(AccessReport, lists_every_result_and_why_there_is_none) {
    const Section section = section_titled(document_of(access_study()), "All results");
    EXPECT_EQ(section.tables[0].rows.size(), 12u);
    EXPECT_EQ(section.tables[0].rows[0][2], "264 B");
    ASSERT_EQ(section.tables.size(), 2u);
    EXPECT_EQ(section.tables[1].rows[0].back(), "no standard");
}

TEST(AccessReport, a_charts_ticks_survive_the_way_to_the_printer) {
    const Chart chart = section_titled(document_of(access_study()), "Bandwidth against row size").charts[0];
    const Chart read = chart_from_json(to_json(chart).dump(), "chart");
    ASSERT_EQ(read.x.ticks.size(), chart.x.ticks.size());
    EXPECT_EQ(read.x.ticks[3].text, chart.x.ticks[3].text);
    EXPECT_DOUBLE_EQ(read.x.ticks[3].at, chart.x.ticks[3].at);
}

}  // namespace
}  // namespace strata
