#include "app/gui/models/timeline_lanes.hpp"

#include <gtest/gtest.h>

#include <QApplication>
#include <QTest>
#include <random>

#include "app/gui/widgets/timeline_view.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/study/traced_step.hpp"

namespace strata {
namespace {

TEST(TimelineLane, adds_up_a_stretch_exactly_as_its_spans_one_by_one) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> us(0, 10);
    std::vector<TimelineSpan> spans;
    double at = 0;
    for (int i = 0; i < 1000; ++i) {
        const double begin = at + us(random), end = begin + us(random);
        spans.push_back({.begin_us = begin, .end_us = end, .kind = std::uint8_t(i % 3), .critical = i % 7 == 0});
        at = end;
    }
    const TimelineLane lane("rank", "compute", spans);
    for (int i = 0; i < 200; ++i) {
        const double from = us(random) * at / 10, to = from + us(random) * us(random) * us(random);
        TimelineLane::Use expected;
        for (const TimelineSpan& span : spans) {
            const double inside = std::min(to, span.end_us) - std::max(from, span.begin_us);
            if (inside <= 0) continue;
            expected.us[span.kind] += inside;
            if (span.critical) expected.critical_us += inside;
        }
        const TimelineLane::Use use = lane.use(from, to);
        EXPECT_NEAR(use.busy(), expected.busy(), 1e-6);
        EXPECT_NEAR(use.us[1], expected.us[1], 1e-6);
        EXPECT_NEAR(use.critical_us, expected.critical_us, 1e-6);
    }
}

// Two kernels of 2 us, and a fetch of 3 us beside the first that the second waits for.
Program small_program() {
    Program program;
    program.tasks.push_back({.name = "first", .duration = Seconds(2e-6)});
    program.tasks.push_back(
        {.name = "rows", .slot = Slot::memory, .lane = Lane::host_fetch, .duration = Seconds(3e-6)});
    program.tasks.push_back({.name = "second", .duration = Seconds(2e-6)}, 1);
    program.edges = {{0, 2}, {1, 2}};
    return program;
}

StepTimeline small_timeline() {
    const Program program = small_program();
    return timeline_of(program, traced_by_analytic(program));
}

TEST(StepTimeline, marks_what_the_step_waits_for) {
    const StepTimeline timeline = small_timeline();
    EXPECT_NEAR(timeline.makespan_us, 5, 1e-9);
    ASSERT_EQ(timeline.lanes.size(), 2u);
    EXPECT_FALSE(timeline.lanes[0].spans()[0].critical);  // hidden beside the fetch
    EXPECT_TRUE(timeline.lanes[0].spans()[1].critical);
    EXPECT_TRUE(timeline.lanes[1].spans()[0].critical);
    EXPECT_EQ(timeline.lanes[1].name(), "copy from host");
}

TEST(StepTimeline, refuses_a_trace_of_another_program) {
    const Program other{.tasks = {Task{}, Task{}}, .edges = {}};
    EXPECT_THROW(timeline_of(other, traced_by_analytic(small_program())), std::logic_error);
}

TEST(TimelineView, zooms_around_the_cursor_pans_and_stays_inside_the_step) {
    TimelineView view;
    view.resize(620, 300);
    view.set(small_timeline());
    view.zoom(5, 4);
    EXPECT_NEAR(view.to_us() - view.from_us(), 1, 1e-9);
    EXPECT_NEAR((4 - view.from_us()) / (view.to_us() - view.from_us()), 0.8, 1e-9);  // where it was
    view.pan(100);
    EXPECT_NEAR(view.to_us(), 5, 1e-9);
    QTest::keyClick(&view, Qt::Key_Home);
    EXPECT_NEAR(view.to_us() - view.from_us(), 5, 1e-9);
}

TEST(TimelineView, finds_ops_by_name_and_goes_to_them) {
    TimelineView view;
    view.resize(620, 300);
    view.set(small_timeline());
    EXPECT_EQ(view.search("sec"), 1u);
    EXPECT_EQ(view.search("nothing"), 0u);
    EXPECT_EQ(view.search("rows"), 1u);
    view.zoom(4, 5);  // away from it
    QString told;
    QObject::connect(&view, &TimelineView::told, [&](const QString& text) { told = text; });
    view.go_to_next();
    EXPECT_LE(view.from_us(), 0.001);
    EXPECT_TRUE(told.startsWith("engram rows")) << told.toStdString();
}

TEST(TimelineView, measures_between_two_points) {
    TimelineView view;
    view.resize(620, 300);
    view.set(small_timeline());
    view.show();
    const QPoint from(320, 60), to(420, 60);
    QTest::mousePress(&view, Qt::LeftButton, Qt::ShiftModifier, from);
    QMouseEvent move(QEvent::MouseMove, to, view.mapToGlobal(to), Qt::NoButton, Qt::LeftButton, Qt::ShiftModifier);
    QApplication::sendEvent(&view, &move);
    QTest::mouseRelease(&view, Qt::LeftButton, Qt::ShiftModifier, to);
    ASSERT_TRUE(view.measured());
    const double wide = view.width() - 120.0;  // lanes have at most this room
    EXPECT_GT(view.measured()->second - view.measured()->first, 100 * 5 / (wide + 60));
    EXPECT_LT(view.measured()->second - view.measured()->first, 100 * 5 / (wide - 20));
}

TEST(TimelineView, draws_columns_where_spans_are_narrower_than_pixels) {
    std::vector<TimelineSpan> spans;  // busy half of the time, in the second half of the step alone
    for (int i = 0; i < 100000; ++i)
        spans.push_back({.begin_us = 1e5 + i, .end_us = 1e5 + i + 0.5, .kind = std::uint8_t(Slot::experts)});
    StepTimeline timeline{.makespan_us = 2e5, .names = {"x"}};
    timeline.lanes.emplace_back("rank", "compute", spans);
    TimelineView view;
    view.resize(620, 200);
    view.set(timeline);
    const QImage image = view.grab().toImage();
    const auto drawn = [&](int x) {  // pixels of the lane in the colour of experts
        int count = 0;
        for (int y = 0; y < image.height() - 30; ++y)
            count += image.pixelColor(x, y) == kind_colour(std::size_t(Slot::experts));
        return count;
    };
    EXPECT_EQ(drawn(200), 0);
    EXPECT_NEAR(drawn(550), 13, 2);  // half of a lane's height of 26
}

}  // namespace
}  // namespace strata
