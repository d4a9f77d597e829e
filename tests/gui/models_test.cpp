#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QColor>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/gui/models/dials.hpp"
#include "app/gui/models/metrics.hpp"
#include "app/gui/models/record_table.hpp"
#include "app/gui/models/scenario_form_model.hpp"
#include "app/gui/models/yaml_edit.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/scenario/schema.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const QString kEdited = QString::fromStdString(kRoot + "/scenarios/engram-allocation.yaml");

const std::string kText =
    "# why\n"
    "model: v4.1-flash  # flagship\n"
    "platform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\n"
    "placement:\n"
    "  dp: 8  # one a GPU\n"
    "  ep: 8\n";

TEST(YamlEdit, replaces_a_value_and_leaves_comments_and_layout) {
    std::string wanted = kText;
    wanted.replace(wanted.find("512"), 3, "64");
    EXPECT_EQ(with_value(kText, "workload.batch", "64"), wanted);
    wanted = kText;
    wanted.replace(wanted.find("dp: 8"), 5, "dp: 4");
    EXPECT_EQ(with_value(kText, "placement.dp", "4"), wanted);
}

TEST(YamlEdit, makes_what_is_missing_in_flow_and_in_block_maps) {
    const std::string tier = with_value(kText, "placement.engram.tier", "host");
    EXPECT_EQ(value_at(tier, "placement.engram.tier"), "host");
    EXPECT_NE(tier.find("# one a GPU"), std::string::npos);
    const std::string nodes = with_value(kText, "platform.nodes", "4");
    EXPECT_NE(nodes.find("platform: {system: HGX_H200, nodes: 4}"), std::string::npos) << nodes;
    const std::string kernels = with_value(kText, "kernels.experts", "mega");
    EXPECT_NE(kernels.find("kernels: {experts: mega}\n"), std::string::npos) << kernels;
}

TEST(YamlEdit, spells_out_a_name_that_stands_for_a_map) {
    const std::string text = with_value(kText, "model.rho", "0.7");
    EXPECT_EQ(value_at(text, "model.rho"), "0.7");
    EXPECT_EQ(value_at(text, "model.preset"), "v4.1-flash");
    EXPECT_NE(text.find("# flagship"), std::string::npos) << text;
    EXPECT_EQ(value_at(kText, "model.preset"), "v4.1-flash");
}

TEST(YamlEdit, takes_a_value_away_and_keeps_the_rest) {
    const std::string text = without_value(without_value(kText, "placement.ep"), "workload.context");
    EXPECT_EQ(value_at(text, "placement.ep"), std::nullopt);
    EXPECT_EQ(value_at(text, "workload.context"), std::nullopt);
    EXPECT_EQ(value_at(text, "placement.dp"), "8");
    EXPECT_NE(text.find("# one a GPU"), std::string::npos) << text;
    EXPECT_EQ(without_value(kText, "economics.pue"), kText);
}

TEST(YamlEdit, refuses_a_value_that_is_no_yaml) { EXPECT_THROW(with_value(kText, "workload.batch", "[1"), InputError); }

TEST(ScenarioDocument, puts_an_error_at_its_field_and_undo_takes_it_away) {
    ScenarioDocument document(kRoot);
    document.open(kEdited);
    ASSERT_TRUE(document.is_valid());
    const std::string before = document.text();
    document.set_value("placement.dp", "eight");
    ASSERT_FALSE(document.is_valid());
    const ScenarioIssue* issue = document.issue_of("placement.dp");
    ASSERT_NE(issue, nullptr) << document.issues().front().message;
    EXPECT_GT(issue->line, 0);
    EXPECT_TRUE(document.first_point().has_value());  // the last one that was right
    document.undo_stack().undo();
    EXPECT_TRUE(document.is_valid());
    EXPECT_EQ(document.text(), before);
    document.undo_stack().redo();
    EXPECT_FALSE(document.is_valid());
}

TEST(ScenarioDocument, typing_is_one_step_of_undo) {
    ScenarioDocument document(kRoot);
    document.open(kEdited);
    const std::string before = document.text();
    document.set_text(before + "# a");
    document.set_text(before + "# ab");
    document.undo_stack().undo();
    EXPECT_EQ(document.text(), before);
}

TEST(ScenarioDocument, first_point_has_the_first_value_of_each_axis) {
    ScenarioDocument document(kRoot);
    document.open(kEdited);
    EXPECT_DOUBLE_EQ(document.first_point()->scenario.rho, 0.4);
    EXPECT_EQ(document.first_point()->scenario.placement.engram, Tier::hbm);
}

TEST(ScenarioFormModel, is_a_sound_tree_that_shows_and_changes_the_document) {
    ScenarioDocument document(kRoot);
    document.open(kEdited);
    ScenarioFormModel model(document, schema_tree(schema_of("scenario", kRoot + "/scenarios/schema")));
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    const QModelIndex batch = model.index_of("workload.batch");
    ASSERT_TRUE(batch.isValid());
    const QModelIndex value = batch.siblingAtColumn(ScenarioFormModel::value_column);
    EXPECT_EQ(value.data().toString(), "512");
    EXPECT_EQ(batch.siblingAtColumn(ScenarioFormModel::unit_column).data().toString(), "sequences");
    EXPECT_TRUE(batch.data(Qt::ToolTipRole).toString().contains("in flight"));
    EXPECT_TRUE(model.setData(value, "256"));
    EXPECT_EQ(document.first_point()->scenario.workload.batch, 256);
    EXPECT_TRUE(model.setData(model.index_of("placement.tp").siblingAtColumn(ScenarioFormModel::value_column), "none"));
    EXPECT_FALSE(model.index_of("placement.tp").data(ScenarioFormModel::issue_role).toString().isEmpty());
}

TEST(ScenarioFormModel, offers_the_choices_and_the_range_of_the_schema) {
    ScenarioDocument document(kRoot);
    document.open(kEdited);
    const ScenarioFormModel model(document, schema_tree(schema_of("scenario", kRoot + "/scenarios/schema")));
    const QStringList tiers =
        model.index_of("placement.engram.tier").data(ScenarioFormModel::choices_role).toStringList();
    EXPECT_EQ(tiers, (QStringList{"hbm", "host", "cxl", "nvme"}));
    EXPECT_TRUE(model.index_of("model.rho").data(Qt::ToolTipRole).toString().contains("0 &lt; x &lt;= 1"));
}

TEST(Dials, go_from_position_to_value_and_back) {
    const Dial batch{
        .path = "", .label = "", .unit = "", .low = 8, .high = 8192, .value = 512, .log = true, .whole = true};
    EXPECT_DOUBLE_EQ(batch.at(0), 8);
    EXPECT_DOUBLE_EQ(batch.at(1), 8192);
    EXPECT_NEAR(batch.position_of(256), 0.5, 1e-12);  // sqrt(8 x 8192)
    EXPECT_DOUBLE_EQ(batch.at(0.5), 256);
    const Dial link{.path = "", .label = "", .unit = "GB/s"};
    EXPECT_EQ(link.written(4800), "4.8 TB/s");
    EXPECT_EQ(link.written(450), "450 GB/s");
}

TEST(Pareto, keeps_what_no_other_beats) {
    // Lower x and higher y are better: (2, 1) is beaten by (1, 1), (3, 2) by (2.5, 2).
    const std::vector<Candidate> points{{1, 1, 0}, {2, 1, 1}, {3, 2, 2}, {2.5, 2, 3}, {4, 5, 4}};
    std::vector<std::size_t> front;
    for (const Candidate& point : pareto_front(points, true, false)) front.push_back(point.index);
    EXPECT_EQ(front, (std::vector<std::size_t>{0, 3, 4}));
}

TEST(RecordTable, sorts_numbers_as_numbers_and_says_why_a_point_failed) {
    Study study{"s", "", {"analytic"}, {}, {}};
    strata::Run run;
    run.metrics["decode.tpot_ms"] = 9;
    study.results.push_back({{{"workload.batch", "64"}}, "analytic", PointStatus::ok, {}, run, {}});
    run.metrics["decode.tpot_ms"] = 10;
    study.results.push_back({{{"workload.batch", "128"}}, "analytic", PointStatus::ok, {}, run, {}});
    study.results.push_back({{{"workload.batch", "256"}}, "analytic", PointStatus::infeasible, "does not fit", {}, {}});
    RecordTable table;
    const QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::Fatal);
    table.set(records_of(std::make_shared<const Study>(study), {{{"workload.batch", "512"}}}));
    EXPECT_EQ(table.rowCount(), 4);
    QSortFilterProxyModel sorted;
    sorted.setSourceModel(&table);
    sorted.setSortRole(RecordTable::sort_role);
    const int time = table.columnCount() - 1;
    sorted.sort(time, Qt::DescendingOrder);
    EXPECT_EQ(sorted.index(0, time).data().toString(), "10");  // as text 9 would come first
    EXPECT_EQ(table.index(2, 2).data(Qt::ToolTipRole).toString(), "does not fit");
    EXPECT_EQ(table.index(3, 0).data().toString(), "512");
    EXPECT_EQ(table.index(3, 2).data().toString(), "waits");
}

}  // namespace
}  // namespace strata
