// The pages that look deeper into a point, each on a scenario that has what it shows.
#include <gtest/gtest.h>

#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "app/gui/main_window.hpp"
#include "app/gui/models/expert_map.hpp"
#include "app/gui/models/fabric_use.hpp"
#include "app/gui/models/kernel_samples.hpp"
#include "app/gui/models/known_study.hpp"
#include "app/gui/models/memory_use.hpp"
#include "app/gui/models/precision_options.hpp"
#include "app/gui/models/row_curves.hpp"
#include "app/gui/pages/allocation_page.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/pages/experts_page.hpp"
#include "app/gui/pages/fabric_page.hpp"
#include "app/gui/pages/kernels_page.hpp"
#include "app/gui/pages/memory_page.hpp"
#include "app/gui/pages/timeline_page.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/command_palette.hpp"
#include "app/gui/widgets/parallel_axes.hpp"
#include "app/gui/widgets/rank_shelves.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/timeline_view.hpp"
#include "app/gui/widgets/when_seen.hpp"
#include "hwmodels/input_error.hpp"
#include "tests/gui/simulator.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kStep =
    "name: small\nengines: [analytic]\nmodel: v4.1-flash\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\nplacement: {dp: 8, ep: 8, engram: {tier: host}}\n";
constexpr const char* kSkewed =
    "name: skewed\nengines: [analytic]\nmodel: v4-flash\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 4096, routing: {law: zipf, exponent: 0.8}}\n"
    "placement: {dp: 8, ep: 8}\n";

Answerer& answerer() {
    static Answerer one(kRoot);
    return one;
}

AnswerRequest request(const std::string& text) { return {text, "test.yaml"}; }

QString file_of(const QTemporaryDir& folder, const char* text) {
    const QString file = folder.filePath("scenario.yaml");
    std::ofstream(file.toStdString()) << text;
    return file;
}

TEST(ExpertMap, has_every_token_once_before_and_after) {
    const ExpertMap map = expert_map(answerer(), request(kSkewed));
    EXPECT_EQ(map.ranks, 8);
    ASSERT_FALSE(map.layers.empty());
    for (const ExpertLayer& layer : {map.layers.front(), map.layers.back()}) {
        double before = 0, after = 0, placed = 0;
        for (const double load : layer.before) before += load;
        for (const double load : layer.after) after += load;
        for (const auto& rank : layer.of_ranks)
            for (const PlacedExpert& expert : rank) placed += expert.load;
        EXPECT_NEAR(before, 8, 1e-6);  // eight ranks, each the mean on average
        EXPECT_NEAR(after, 8, 1e-6);
        EXPECT_NEAR(placed, 8, 1e-6);
    }
    EXPECT_GT(map.before_max_over_mean, 1.05);
}

TEST(ExpertMap, compares_with_the_linear_order_of_as_many_slots) {
    const std::string file = kRoot + "/scenarios/examples/expert-balance.yaml";  // 256 experts on 144 ranks
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    const ScenarioFile scenario(file, parse_yaml(text.str(), file), kRoot + "/scenarios/models");
    const Point point = with_settings(scenario.first_point(), {{"placement.experts.order", "eplb_global"}});
    const ExpertMap map = expert_map(answerer(), {YAML::Dump(point.document), file});
    EXPECT_EQ(map.ranks, 144);
    EXPECT_LT(map.after_max_over_mean, map.before_max_over_mean);
}

TEST(ExpertMap, a_swap_moves_the_load_and_comes_back) {
    const ExpertMap before = expert_map(answerer(), request(kSkewed));
    const ExpertLayer& layer = before.layers[1];
    const auto busiest = int(std::ranges::max_element(layer.after) - layer.after.begin());
    const auto idlest = int(std::ranges::min_element(layer.after) - layer.after.begin());
    const auto& held = layer.of_ranks[std::size_t(busiest)];
    const PlacedExpert heaviest = *std::ranges::max_element(held, {}, &PlacedExpert::load);
    const auto swap = swap_for(layer, heaviest.expert, busiest, idlest);
    ASSERT_TRUE(swap);
    const std::string text = std::string(kSkewed).replace(std::string(kSkewed).find("ep: 8"), 5,
                                                          "ep: 8, experts: {swaps: " + written({*swap}) + "}");
    const ExpertMap after = expert_map(answerer(), request(text));
    EXPECT_LT(after.layers[1].after[std::size_t(busiest)], layer.after[std::size_t(busiest)]);
    EXPECT_GT(after.layers[1].after[std::size_t(idlest)], layer.after[std::size_t(idlest)]);
    EXPECT_EQ(after.layers[0].after, before.layers[0].after);  // other layers stay
    // Back where they were.
    const ExpertSwap back{.layer = swap->layer, .experts = swap->experts, .ranks = {idlest, busiest}};
    const std::string undone = std::string(kSkewed).replace(std::string(kSkewed).find("ep: 8"), 5,
                                                            "ep: 8, experts: {swaps: " + written({*swap, back}) + "}");
    EXPECT_EQ(expert_map(answerer(), request(undone)).layers[1].after, layer.after);
}

TEST(ExpertMap, says_what_a_scenario_without_routing_lacks) {
    EXPECT_THROW(expert_map(answerer(), request(kStep)), InputError);
}

TEST(ExpertsPage, a_move_by_keyboard_changes_the_step) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.resize(1200, 800);
    window.show();
    window.show_page("experts");
    ExpertsPage& page = window.experts_page();
    QSignalSpy shown(&page, &DetailPage::shown), answers(&window.engine(), &LiveEngine::answered);
    window.open(file_of(folder, kSkewed));
    ASSERT_TRUE(shown.wait(60000));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !answers.isEmpty(); }, 30000));
    page.shelves().choose(3, 0);
    QTest::keyClick(&page.shelves(), Qt::Key_Right, Qt::ControlModifier);
    ASSERT_EQ(page.settings().size(), 1u);
    EXPECT_EQ(page.shelves().chosen_rank(), 4);
    ASSERT_TRUE(shown.wait(60000));
    ASSERT_TRUE(QTest::qWaitFor([&] { return page.step_text().contains("by 1 move"); }, 3000))
        << page.step_text().toStdString();
    // As a scenario has it, so that it can be put there.
    QTest::keyClick(&window, Qt::Key_Return, Qt::ControlModifier);
    EXPECT_TRUE(window.document().value("placement.experts.swaps").has_value());
    EXPECT_TRUE(window.document().is_valid());
    EXPECT_TRUE(page.settings().empty());
}

TEST(RankShelves, an_expert_is_dragged_to_another_rank) {
    RankShelves shelves;
    shelves.resize(500, 250);
    shelves.set({.layer = 3, .before = {1, 1}, .after = {1.5, 0.5}, .of_ranks = {{{7, 1.0}, {8, 0.5}}, {{9, 0.5}}}});
    shelves.show();
    QSignalSpy moved(&shelves, &RankShelves::moved);
    const QPoint from = shelves.block(0, 1).center().toPoint(), to = shelves.block(1, 0).center().toPoint();
    QTest::mousePress(&shelves, Qt::LeftButton, {}, from);
    QMouseEvent move(QEvent::MouseMove, to, shelves.mapToGlobal(to), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&shelves, &move);
    QTest::mouseRelease(&shelves, Qt::LeftButton, {}, to);
    ASSERT_EQ(moved.size(), 1);
    EXPECT_EQ(moved[0], (QList<QVariant>{8, 0, 1}));
}

TEST(TimelinePage, shows_the_systemc_engines_step_and_its_parts) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.show();
    window.show_page("timeline");
    TimelinePage& page = window.timeline_page();
    QSignalSpy shown(&page, &DetailPage::shown);
    window.open(file_of(folder, kStep));
    ASSERT_TRUE(shown.wait(60000));
    const StepTimeline& timeline = page.view().timeline();
    EXPECT_EQ(timeline.engine, "systemc") << timeline.note;
    const auto lane = [&](const std::string& name) {
        return std::ranges::find_if(timeline.lanes, [&](const TimelineLane& one) { return one.name() == name; });
    };
    for (const char* name : {"compute", "copy from host", "HBM", "PCIe, host link", "host memory"})
        EXPECT_NE(lane(name), timeline.lanes.end()) << name;
    // The link is occupied no longer than the copies that it carries.
    const double link = lane("PCIe, host link")->use(0, timeline.makespan_us).busy();
    EXPECT_GT(link, 0);
    EXPECT_LE(link, lane("copy from host")->use(0, timeline.makespan_us).busy() * 1.0001);
    page.search().setText("dispatch");
    EXPECT_GT(page.view().search("dispatch"), 0u);
}

// A step of 4 us without layers: HBM busy in the first half, and in a quarter of the second.
TEST(MemoryUse, is_the_share_of_each_stretch_in_which_a_part_moves_data) {
    StepTimeline timeline{.engine = "systemc", .makespan_us = 4};
    timeline.lanes.emplace_back("slowest", "compute", std::vector<TimelineSpan>{{.begin_us = 0, .end_us = 4}});
    timeline.lanes.emplace_back(
        "slowest", "HBM", std::vector<TimelineSpan>{{.begin_us = 0, .end_us = 2}, {.begin_us = 2.5, .end_us = 3}});
    timeline.lanes.emplace_back("slowest", "NVMe", std::vector<TimelineSpan>{});
    timeline.lanes.emplace_back("least busy", "HBM", std::vector<TimelineSpan>{{.begin_us = 0, .end_us = 1}});
    const Chart chart = memory_use(timeline, 2);
    ASSERT_EQ(chart.series.size(), 1u);  // no other rank's, and nothing that was never used
    EXPECT_EQ(chart.series[0].name, "HBM");
    ASSERT_EQ(chart.series[0].points.size(), 2u);
    EXPECT_DOUBLE_EQ(chart.series[0].points[0].y, 100);
    EXPECT_DOUBLE_EQ(chart.series[0].points[1].y, 25);
    EXPECT_DOUBLE_EQ(chart.series[0].points[1].x, 3e-3);  // ms, its middle
}

TEST(MemoryPage, follows_memories_and_links_over_the_step) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.show();
    window.show_page("memory");
    QSignalSpy shown(&window.memory_page(), &DetailPage::shown);
    window.open(file_of(folder, kStep));
    ASSERT_TRUE(shown.wait(60000));
    const auto& chart = window.memory_page().use().chart();
    ASSERT_TRUE(chart);
    std::set<std::string> names;
    for (const Series& series : chart->series) {
        names.insert(series.name);
        for (const ChartPoint& point : series.points) {
            EXPECT_GE(point.y, 0);
            EXPECT_LE(point.y, 100 + 1e-9) << series.name;
        }
    }
    EXPECT_EQ(names, (std::set<std::string>{"HBM", "PCIe, host link", "host memory"}));
}

TEST(RowCurves, mark_the_engram_row_on_the_curve_of_its_memory) {
    const RowCurves found = row_curves(answerer(), request(kStep));
    ASSERT_EQ(found.curves.size(), 3u);  // HBM, host, drives
    const auto row = std::ranges::find(found.rows, "Engram row", &ReadRow::name);
    ASSERT_NE(row, found.rows.end());
    EXPECT_EQ(row->tier, "host");
    ASSERT_TRUE(row->share);
    for (const ChartPoint& point : found.curves[1].points)
        EXPECT_TRUE(point.x != row->bytes || point.y == *row->share) << point.x;
    EXPECT_LT(*row->share, found.curves[1].points.back().y);                 // a stream gets more
    EXPECT_NEAR(found.curves[2].points.front().y, 100 * 32.0 / 4096, 1e-9);  // a page for 32 B
}

TEST(FabricUse, a_dispatch_loads_its_busiest_link_to_the_full_and_no_other_more) {
    const FabricUse use = fabric_use(answerer(), request(kStep), "");
    EXPECT_EQ(use.fabric.endpoints_per_domain(), 8);
    EXPECT_FALSE(use.note.empty());  // the scenario names none
    ASSERT_GE(use.busiest, 0);
    EXPECT_DOUBLE_EQ(use.share[std::size_t(use.busiest)], 1);
    EXPECT_DOUBLE_EQ(*std::ranges::max_element(use.share), 1);
    EXPECT_DOUBLE_EQ(use.cuts.front().busiest_share, 1);
    EXPECT_GE(use.time_us, use.wire_us);
}

TEST(FabricUse, a_collective_is_drawn_on_its_own_fabric) {
    const FabricUse use = fabric_use(
        answerer(),
        request(
            "platform: {fabric: CloudMatrix384}\nworkload: {kind: collective, operation: all_to_all, bytes: 16 MiB}\n"),
        "");
    EXPECT_EQ(use.fabric.endpoints(), 384);
    EXPECT_GT(use.time_us, 0);
}

TEST(FabricPage, draws_fabrics_of_the_catalogue_or_says_what_nobody_has_published_of_them) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.show();
    window.show_page("fabric");
    FabricPage& page = window.fabric_page();
    QSignalSpy shown(&page, &DetailPage::shown);
    window.open(file_of(folder, kStep));
    ASSERT_TRUE(shown.wait(60000));
    const auto chosen = [&](const char* name) {
        page.choice().setCurrentText(name);
        emit page.choice().activated(page.choice().currentIndex());
        return shown.wait(60000);
    };
    ASSERT_TRUE(chosen("GB200_NVL72"));
    EXPECT_TRUE(page.said().contains("GB200_NVL72")) << page.said().toStdString();
    EXPECT_GT(page.table().shown(), 0) << page.said().toStdString();
    page.moment().setValue(page.moment().maximum());  // at its end the busiest links alone are at work
    EXPECT_TRUE(page.moment_text().startsWith("after ")) << page.moment_text().toStdString();
    ASSERT_TRUE(chosen("TPU_v5p_cube"));
    EXPECT_TRUE(page.said().contains("scale_up.latency")) << page.said().toStdString();
    EXPECT_EQ(page.table().shown(), 0);
}

TEST(KernelSamples, hold_spread_bound_and_goal_of_each_shape) {
    const std::vector<KernelSample> samples = kernel_samples(kRoot + "/kernels/profiles");
    const auto pre = std::ranges::find(samples, "mhc/pre", &KernelSample::kernel);
    ASSERT_NE(pre, samples.end());
    EXPECT_EQ(pre->family(), "mhc");
    EXPECT_LE(pre->p05_us, pre->median_us);
    EXPECT_GE(pre->p95_us, pre->median_us);
    EXPECT_TRUE(pre->share && pre->goal_share && pre->reached);
    EXPECT_EQ(*pre->reached, *pre->share >= *pre->goal_share);
    EXPECT_TRUE(std::ranges::any_of(samples, [](const KernelSample& one) { return !one.measured(); }));
}

TEST(KernelSamples, a_line_that_is_no_record_is_named) {
    for (const char* line : {R"({"kind": "sample"})",
                             R"({"kind": "sample", "kernel": "k", "shape": {}, "outcome": "measured",
                                 "t_us": {"median": 1, "p05": 1, "p95": 1, "n": 1e12}})"}) {
        const QTemporaryDir folder;
        std::string one_line = line;
        std::erase(one_line, '\n');
        std::ofstream(folder.filePath("gpu.jsonl").toStdString()) << "{\"kind\": \"end\"}\n" << one_line << '\n';
        try {
            kernel_samples(folder.path().toStdString());
            FAIL() << line;
        } catch (const InputError& error) {
            EXPECT_NE(std::string(error.what()).find("gpu.jsonl:2"), std::string::npos) << error.what();
        }
    }
}

QString program_that(const QTemporaryDir& folder, const QByteArray& does) {
    const QString file = folder.filePath("bench");
    QFile stream(file);
    if (stream.open(QIODevice::WriteOnly)) stream.write("#!/bin/sh\n" + does);
    stream.close();
    QFile::setPermissions(file, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return file;
}

// strata-kernels run --out RECORD ...: $3 is the record.
TEST(KernelRun, tells_of_the_record_while_it_grows_and_why_it_ended) {
    const QTemporaryDir folder;
    KernelRun run(program_that(folder, "echo '{\"kind\": \"end\"}' > $3\necho one; sleep 0.2; echo two\n"),
                  folder.filePath("records"));
    QSignalSpy grown(&run, &KernelRun::grown), ended(&run, &KernelRun::ended);
    run.start("mhc");
    ASSERT_TRUE(ended.wait(10000));
    EXPECT_GE(grown.size(), 2);
    EXPECT_EQ(ended.front().front().toString(), "");
    EXPECT_EQ(QDir(run.folder()).entryList({"*.jsonl"}).size(), 1);
}

TEST(KernelsPage, says_that_there_is_no_gpu_that_the_bench_died_or_is_not_there_and_keeps_its_table) {
    const QTemporaryDir folder;
    const auto said_with = [&](const QString& program) {
        KernelsPage page(kRoot, program);
        page.show();
        const int rows = page.table().shown();
        QSignalSpy ended(&page.measurement(), &KernelRun::ended);
        page.measure();
        if (ended.empty()) ended.wait(10000);
        EXPECT_GT(rows, 0);
        EXPECT_EQ(page.table().shown(), rows);
        return page.said().toStdString();
    };
    EXPECT_NE(said_with(program_that(folder, "echo no CUDA device\nexit 77\n")).find("no CUDA device"),
              std::string::npos);
    EXPECT_NE(said_with(program_that(folder, "kill -9 $$\n")).find("ended early"), std::string::npos);
    EXPECT_NE(said_with("/no/such/program").find("is not built here"), std::string::npos);
}

TEST(PrecisionOptions, fewer_bits_are_faster_and_less_exact) {
    const PrecisionOptions found = precision_options(answerer(), request(kStep));
    const auto option = [&](const std::string& format) {
        return *std::ranges::find_if(found.options, [&](const PrecisionOption& one) {
            return one.tensors == "experts" && one.format == format;
        });
    };
    const PrecisionOption bf16 = option("bf16"), fp8 = option("fp8_block"), fp4 = option("nvfp4");
    EXPECT_LT(*bf16.error, *fp8.error);
    EXPECT_LT(*fp8.error, *fp4.error);
    ASSERT_TRUE(fp8.time_ms && fp4.time_ms);
    EXPECT_LT(fp4.hbm_gb, fp8.hbm_gb);
    EXPECT_EQ(std::ranges::count_if(found.options,
                                    [](const PrecisionOption& one) { return one.tensors == "experts" && one.chosen; }),
              1);
}

TEST(ParallelAxes, a_drag_along_an_axis_chooses_the_points_that_pass_there) {
    ParallelAxes view;
    view.resize(600, 300);
    view.set(
        {{.name = "rho", .values = {0.4, 0.6, 0.8}}, {.name = "tier", .words = {"hbm", "host"}, .values = {0, 1, 1}}});
    view.show();
    QSignalSpy brushed(&view, &ParallelAxes::brushed);
    const int x = int(view.x_of(0));
    QTest::mousePress(&view, Qt::LeftButton, {}, {x, int(view.y_of(0, 0.7))});
    QTest::mouseRelease(&view, Qt::LeftButton, {}, {x, int(view.y_of(0, 0.5))});
    ASSERT_EQ(brushed.size(), 1);
    EXPECT_EQ(brushed.front().front().value<std::vector<std::size_t>>(), std::vector<std::size_t>{1});
}

TEST(CommandPalette, finds_an_action_by_letters_in_order_and_does_it) {
    QAction run("&Run"), refine("Refine by the &systemc engine"), off("Quit");
    off.setEnabled(false);
    int ran = 0;
    QObject::connect(&refine, &QAction::triggered, [&] { ++ran; });
    CommandPalette palette({&run, &refine, &off}, nullptr);
    EXPECT_EQ(palette.found(),
              (QStringList{"Run", "Refine by the systemc engine"}));  // what cannot be done is left out
    palette.line().setText("rfsys");
    EXPECT_EQ(palette.found(), QStringList{"Refine by the systemc engine"});
    QTest::keyClick(&palette.line(), Qt::Key_Return);
    EXPECT_EQ(ran, 1);
}

// A moving slider asks all pages to draw; what is behind another page waits, and then draws once.
TEST(WhenSeen, draws_at_once_where_it_is_seen_and_once_when_it_is_shown) {
    QWidget page;
    int drawn = 0;
    WhenSeen seen(&page, [&] { ++drawn; });
    seen.draw();
    seen.draw();
    EXPECT_EQ(drawn, 0);
    page.show();
    EXPECT_EQ(drawn, 1);
    seen.draw();
    EXPECT_EQ(drawn, 2);
    page.hide();
    page.show();
    EXPECT_EQ(drawn, 2);
}

// Dark pixels in the middle of it: letters.
int ink_in(QWidget& widget) {
    const QImage picture = widget.grab().toImage();
    int dark = 0;
    for (int y = picture.height() / 4; y < picture.height() * 3 / 4; ++y)
        for (int x = picture.width() / 4; x < picture.width() * 3 / 4; ++x) dark += qGray(picture.pixel(x, y)) < 128;
    return dark;
}

TEST(DesignPage, says_in_its_empty_chart_what_to_do_and_no_longer_once_there_are_points) {
    DesignPage page;
    page.resize(900, 700);
    page.show();
    QTest::qWait(100);
    auto* plot = page.findChild<QWidget*>("points");
    ASSERT_TRUE(plot);
    EXPECT_GT(ink_in(*plot), 100);
    EXPECT_EQ(plot->findChildren<QObject*>("reason").size(), 1);
    Study study{"small", "", {"analytic"}, {}, {}};
    for (const double tpot : {1.0, 2.0}) {
        PointResult& point = study.results.emplace_back();
        point.run.emplace().metrics = {{"decode.tpot_ms", tpot}, {"decode.tokens_per_s", 1 / tpot}};
    }
    page.show_study(known_study(std::move(study), {}));
    EXPECT_EQ(plot->findChildren<QObject*>("reason").size(), 0);
}

TEST(AllocationPage, draws_a_scenarios_own_points_and_says_why_it_cannot) {
    const QTemporaryDir folder;
    std::ofstream(folder.filePath("points.csv").toStdString())
        << "budget,rho,loss\nsmall,0.4,2.0\nsmall,0.6,1.8\nsmall,0.8,1.9\nsmall,1,2.3\n";
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    ASSERT_TRUE(window.show_page("allocation"));
    QSignalSpy curves(window.findChild<AllocationPage*>(), &DetailPage::shown);
    const auto shown = [&](const char* quality) {
        curves.clear();
        window.open(file_of(folder, (std::string(kStep) + quality).c_str()));
        EXPECT_TRUE(curves.wait(60000));
        return window.findChild<AllocationPage*>()->findChildren<ChartView*>().front();
    };
    ASSERT_TRUE(shown("")->chart());
    EXPECT_EQ(shown("")->chart()->series.front().name, "published optimum");
    const auto charts = window.findChild<AllocationPage*>()->findChildren<ChartView*>();
    ASSERT_EQ(charts.size(), 3);  // loss, throughput and cost: the optimum, how sure it is, the values
    for (const ChartView* view : charts) {
        ASSERT_TRUE(view->chart());
        EXPECT_EQ(view->chart()->series[1].style, SeriesStyle::band) << view->chart()->title;
    }
    const Chart& speed = *charts[1]->chart();
    for (std::size_t i = 0; i < speed.series[1].points.size(); ++i) {
        EXPECT_LT(speed.series[1].points[i].y, speed.series[2].points[i].y);
        EXPECT_GT(speed.series[1].points[i].y_to, speed.series[2].points[i].y);
    }
    const auto& own = shown("quality: {allocation: points.csv}\n")->chart();
    ASSERT_TRUE(own);
    EXPECT_EQ(own->series.front().name, "optimum of own points");
    EXPECT_FALSE(shown("quality: {allocation: points.csv, budget: none}\n")->chart());
}

}  // namespace
}  // namespace strata
