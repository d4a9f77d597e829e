// The report of a study of kind training: two schedules with round numbers, and one that does not fit.
#include <gtest/gtest.h>

#include "reports/sections/sections.hpp"
#include "reports/training_view.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

Run step_of(double step_s, double bubble_s) {
    Run run;
    run.engine = "analytic";
    run.metrics = {{"training.step_s", step_s},
                   {"training.tokens_per_day", 1e12 / step_s},
                   {"training.mfu", 0.4},
                   {"training.mfu_causal", 0.35},
                   {"training.bubble_share", bubble_s / step_s},
                   {"training.exposed_communication_share", 0.1},
                   {"training.forward_s", step_s - bubble_s - 1},
                   {"training.bubble_s", bubble_s},
                   {"training.update_s", 1},
                   {"memory.hbm_gb", 60},
                   {"memory.weights_gb", 20},
                   {"memory.activations_gb", 40}};
    run.share_of_compute = {{"interpolated", 0.75}, {"assumed", 0.25}};
    return run;
}

Study training_study() {
    Study study{"training", "a question", {"analytic"}, {}};
    study.results = {{{{"workload.schedule", "1f1b"}}, "analytic", PointStatus::ok, {}, step_of(20, 4)},
                     {{{"workload.schedule", "dualpipe"}}, "analytic", PointStatus::ok, {}, step_of(16, 2)},
                     {{{"workload.schedule", "gpipe"}}, "analytic", PointStatus::infeasible, "needs 300 GB", {}}};
    return study;
}

TEST(TrainingReport, piles_the_parts_of_a_step_to_its_length) {
    const Section section = training_summary_section(training_study());
    const Chart& chart = section.charts.front();
    EXPECT_EQ(chart.x.categories.size(), 2u);  // of the points that ran
    double height = 0;
    for (const Series& series : chart.series) {
        EXPECT_EQ(series.style, SeriesStyle::stacked);
        height += series.points[1].y;
    }
    EXPECT_DOUBLE_EQ(height, 16);
    EXPECT_EQ(section.charts.size(), 2u);  // nothing fails in this study
    EXPECT_NE(section.paragraphs.front().find("dualpipe"), std::string::npos);
    EXPECT_NE(section.footnotes.front().find("25 % assumed"), std::string::npos);
}

TEST(TrainingReport, says_how_uneven_ranks_are_where_tokens_are_routed) {
    Study study = training_study();
    EXPECT_FALSE(balance_section(study, "analytic"));
    for (PointResult& result : study.results)
        if (result.run)
            result.run->metrics.insert({{"moe.load_max_over_mean", 1.25},
                                        {"moe.straggler_ms", 800},
                                        {"moe.ranks_per_token", 7.5},
                                        {"moe.nodes_per_token", 4}});
    const auto section = balance_section(study, "analytic");
    ASSERT_TRUE(section);
    EXPECT_EQ(section->tables.front().rows.size(), 2u);  // of the points that ran
    EXPECT_EQ(section->tables.front().rows[0][1], "1.25");
    EXPECT_EQ(training_columns(study).size(), training_columns(training_study()).size() + 2);
}

TEST(TrainingReport, lists_every_point_and_why_there_is_none) {
    const Section section = training_points_section(training_study());
    ASSERT_EQ(section.tables.front().rows.size(), 3u);
    EXPECT_EQ(section.tables.front().rows[0][1], "20.000");
    EXPECT_EQ(section.tables.front().rows[2][1], "-");
    EXPECT_EQ(section.footnotes, std::vector<std::string>{"infeasible: needs 300 GB"});
}

TEST(TrainingReport, is_of_studies_that_train) {
    EXPECT_TRUE(is_training(training_study()));
    EXPECT_FALSE(is_training(hand_made_study()));
}

}  // namespace
}  // namespace strata
