#include "app/gui/models/comparison.hpp"

#include <gtest/gtest.h>

#include <QApplication>
#include <QKeyEvent>

#include "app/gui/pages/compare_page.hpp"
#include "app/gui/widgets/heat_grid.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/roofline_changes.hpp"

namespace strata {
namespace {

// A step of two ops and an exchange.
SharedAnswer answer(const std::string& name, double tpot, double experts_us, double exchange_ms) {
    Answer made{.name = name, .run = Run{}};
    made.run->metrics = {{"decode.tpot_ms", tpot}, {"memory.hbm_gb", 80}};
    made.run->components["experts"] = {.memory = experts_us / 1e3, .exchange = exchange_ms};
    made.ops = {{.component = "experts", .name = "up", .calls = 2, .time_us = experts_us},
                {.component = "experts", .name = "down", .calls = 1, .time_us = 100}};
    return std::make_shared<Answer>(std::move(made));
}

const std::vector<NamedAnswer> kRuns{{"baseline", answer("baseline", 20, 500, 3)}, {"now", answer("now", 25, 800, 2)}};

TEST(Comparison, puts_the_metric_first_that_changed_most) {
    const std::vector<Difference> metrics = metric_differences(kRuns, 1);
    ASSERT_EQ(metrics.size(), 2u);
    EXPECT_EQ(metrics[0].what, "decode.tpot_ms");
    EXPECT_DOUBLE_EQ(*metrics[0].absolute, 5);
    EXPECT_DOUBLE_EQ(*metrics[0].relative, 0.25);
    EXPECT_DOUBLE_EQ(*metrics[1].relative, 0);
}

TEST(Comparison, adds_calls_of_an_op_up_and_sorts_by_time) {
    const std::vector<Difference> ops = op_differences(kRuns, 1);
    ASSERT_EQ(ops.size(), 3u);
    EXPECT_EQ(ops[0].what, "experts (exchanges)");  // 3 ms to 2: more than up, 2 x 0.5 ms to 2 x 0.8
    EXPECT_DOUBLE_EQ(*ops[0].absolute, -1);
    EXPECT_EQ(ops[1].what, "experts up");
    EXPECT_NEAR(*ops[1].absolute, 0.6, 1e-12);
    EXPECT_DOUBLE_EQ(*ops[2].absolute, 0);
}

TEST(Comparison, an_op_of_one_side_alone_took_no_time_on_the_other) {
    std::vector<NamedAnswer> runs = kRuns;
    auto more = std::make_shared<Answer>(*runs[1].answer);
    more->ops.push_back({.component = "engram", .name = "gather", .calls = 1, .time_us = 9000});
    runs[1].answer = more;
    const std::vector<Difference> ops = op_differences(runs, 1);
    EXPECT_EQ(ops[0].what, "engram gather");
    EXPECT_DOUBLE_EQ(*ops[0].values[0], 0);
    EXPECT_DOUBLE_EQ(*ops[0].absolute, 9);
}

TEST(Comparison, says_where_a_component_lost_its_time) {
    const auto differences = component_differences(*kRuns[0].answer->run, *kRuns[1].answer->run);
    ASSERT_EQ(differences.size(), 1u);
    EXPECT_NEAR(differences[0].ms[0], 0.3, 1e-12);  // memory
    EXPECT_DOUBLE_EQ(differences[0].ms[3], -1);     // exchange
}

TEST(ComparePage, keeps_what_is_pinned_and_follows_the_current_answer) {
    ComparePage page;
    page.resize(1000, 700);
    page.show();
    page.show_answer(kRuns[0].answer);
    page.show_answer(kRuns[1].answer);
    ASSERT_EQ(page.runs().size(), 2u);
    EXPECT_EQ(page.runs().front().name, "baseline");  // the first answer is one
    const QModelIndex first = page.metrics().model().index(0, 0);
    EXPECT_EQ(first.data().toString(), "decode.tpot_ms");
    EXPECT_EQ(first.siblingAtColumn(2).data().toString(), "+25");
    EXPECT_EQ(first.siblingAtColumn(2).data(RecordTable::verdict_role).toInt(), -1);  // slower
    page.pin();
    page.show_answer(answer("third", 10, 100, 1));
    EXPECT_EQ(page.runs().size(), 3u);
    EXPECT_EQ(page.metrics().model().index(0, 2).data().toString(), "-50");
    page.look_at(1);
    EXPECT_EQ(page.metrics().model().index(0, 2).data().toString(), "+25");
    EXPECT_EQ(page.heat().cells().rows, QStringList{"experts"});
}

TEST(HeatGrid, is_walked_by_arrow_keys_and_stays_inside) {
    HeatGrid grid;
    grid.resize(400, 300);
    grid.set({.title = "loads", .rows = {"a", "b"}, .columns = {"0", "1", "2"}, .values = {1, 2, 3, 4, 5, 6}});
    grid.set_current(0, 0);
    const auto press = [&](Qt::Key key) {
        QKeyEvent event(QEvent::KeyPress, key, Qt::NoModifier);
        QApplication::sendEvent(&grid, &event);
    };
    press(Qt::Key_Down);
    press(Qt::Key_Down);
    press(Qt::Key_Right);
    EXPECT_EQ(grid.current(), std::pair(1, 1));
    // The largest value is drawn unlike the least.
    const QImage image = grid.grab().toImage();
    EXPECT_NE(image.pixelColor(grid.rect_of(0, 0).center().toPoint()),
              image.pixelColor(grid.rect_of(1, 2).center().toPoint()));
}

TEST(RooflineChanges, are_of_ops_that_both_have_the_largest_change_first) {
    const auto op = [](const char* name, double us, double flops = 1e9) {
        return RooflineOp{
            .component = "experts", .name = name, .calls = 2, .flops = flops, .bytes = 1e6, .time_us = us};
    };
    const std::vector<RooflineOp> before{op("up", 100), op("down", 50), op("same", 10), op("copy", 5, 0)};
    const std::vector<RooflineOp> now{op("up", 150), op("down", 40), op("same", 10), op("copy", 9, 0), op("new", 1)};
    const std::vector<RooflineChange> changes = roofline_changes(before, now, 8);
    ASSERT_EQ(changes.size(), 2u);
    EXPECT_EQ(changes[0].now->name, "up");
    EXPECT_DOUBLE_EQ(changes[0].relative, 0.5);
    EXPECT_DOUBLE_EQ(changes[1].relative, -0.2);
    EXPECT_EQ(roofline_changes(before, now, 1).size(), 1u);
}

}  // namespace
}  // namespace strata
