// What a report of collectives says: the fastest, what is busiest there, and how far packets are from flows.
#include <gtest/gtest.h>

#include "reports/collective_view.hpp"
#include "reports/sections/sections.hpp"

namespace strata {
namespace {

PointResult result(const std::string& planes, const std::string& engine, double time_us) {
    Run run;
    run.engine = engine;
    run.bottleneck = "endpoint 3 -> switch 9";
    run.metrics = {{"collective.time_us", time_us},
                   {"collective.bus_bandwidth_GBps", 1000 / time_us},
                   {"collective.waiting_us", 0},
                   {"collective.busiest_link_share", 0.8}};
    return {{{"platform.fabric.scale_out.planes", planes}}, engine, PointStatus::ok, {}, run};
}

Study two_planes() {
    Study study{"planes", "", {"flow", "packet"}, {}};
    study.results = {result("1", "flow", 100), result("1", "packet", 110), result("2", "flow", 50),
                     result("2", "packet", 49)};
    study.results.push_back(
        {{{"platform.fabric.scale_out.planes", "3"}}, "flow", PointStatus::infeasible, "no route", {}});
    return study;
}

TEST(CollectiveReport, names_the_fastest_and_its_busiest_link_and_the_distance_of_packets_from_flows) {
    ASSERT_TRUE(is_collective(two_planes()));
    const Section section = collective_summary_section(two_planes());
    EXPECT_EQ(
        section.paragraphs.at(0),
        "The fastest (planes 2) takes 49.0 us, 20.4 GB/s of bus bandwidth. Its busiest link is busy for 80 % of that: "
        "endpoint 3 -> switch 9.");
    EXPECT_NE(section.paragraphs.at(1).find("-2.0 % to +10.0 % more"), std::string::npos) << section.paragraphs.at(1);
    ASSERT_EQ(section.charts.size(), 2u);
    ASSERT_EQ(section.charts[0].series.size(), 2u);  // a line for each engine
    EXPECT_EQ(section.charts[0].series[0].points.size(), 2u);
    EXPECT_NE(section.charts[0].series[0].dashed, section.charts[0].series[1].dashed);
}

TEST(CollectiveReport, shows_every_point_and_why_one_is_missing_but_no_column_of_zeros) {
    const Section section = collective_points_section(two_planes());
    const Table& table = section.tables.at(0);
    EXPECT_EQ(table.rows.size(), 5u);
    EXPECT_EQ(std::count(table.columns.begin(), table.columns.end(), "waiting [us]"), 0);
    EXPECT_EQ(std::count(table.columns.begin(), table.columns.end(), "time [us]"), 1);
    EXPECT_EQ(section.footnotes, (std::vector<std::string>{"planes 3: infeasible: no route"}));
}

}  // namespace
}  // namespace strata
