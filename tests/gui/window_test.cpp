// A walk through the window, as a person would take it.
#include <gtest/gtest.h>

#include <QDockWidget>
#include <QFile>
#include <QSignalSpy>
#include <QSlider>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/pages/detail_page.hpp"
#include "app/gui/pages/memory_page.hpp"
#include "app/gui/widgets/metric_card.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// A copy that a test may change.
QString scenario_in(const QTemporaryDir& folder) {
    const QString file = folder.filePath("scenario.yaml");
    QFile stream(file);
    if (!stream.open(QIODevice::WriteOnly)) return {};
    stream.write(
        "name: small\nengines: [analytic]\nmodel: v4.1-flash\nplatform: {system: HGX_H200}\n"
        "workload: {kind: decode, batch: 512, context: 8192}\nplacement: {dp: 8, ep: 8}\n"
        "axes:\n  - {path: workload.batch, values: [64, 512, 100000000]}\n");
    return file;
}

TEST(MainWindow, opens_a_scenario_answers_a_slider_runs_the_study_and_exports) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, std::string(STRATA_BINARY_DIR) + "/strata-simulate");
    window.engine().set_refining(false);
    QSignalSpy answers(&window.engine(), &LiveEngine::answered);
    window.open(scenario_in(folder));
    window.show();
    ASSERT_TRUE(answers.wait(30000));
    QTest::qWait(50);
    const std::vector<MetricCard*>& cards = window.answer_page().cards();
    ASSERT_GE(cards.size(), 2u);
    const QString before = cards.front()->shown();
    EXPECT_GT(before.toDouble(), 0);

    QSlider* batch = window.answer_page().dials().slider("workload.batch");
    ASSERT_NE(batch, nullptr);
    batch->setValue(batch->maximum() / 2);
    ASSERT_TRUE(answers.wait(30000));
    ASSERT_TRUE(QTest::qWaitFor([&] { return cards.front()->shown() != before; }, 5000));
    EXPECT_GT(cards.front()->shown().toDouble(), before.toDouble());  // more sequences share a step

    QSignalSpy ended(&window.study_job(), &BackgroundJob::ended);
    window.run_study();
    ASSERT_TRUE(ended.wait(60000));
    ASSERT_TRUE(window.study());
    EXPECT_EQ(window.study()->results.size(), 3u);
    EXPECT_EQ(window.study()->results.back().status, PointStatus::infeasible);
    EXPECT_FALSE(window.design_page().front().empty());
    EXPECT_EQ(window.design_page().table().shown(), 3);

    const QString out = folder.filePath("report");
    window.document().set_value("model", "v3");  // what ran is what is reported
    QSignalSpy exported(&window.export_job(), &BackgroundJob::ended);
    window.export_to(out);
    ASSERT_TRUE(exported.wait(60000));
    EXPECT_TRUE(QFile::exists(out + "/report.html"));
    EXPECT_GT(QFile(out + "/results.csv").size(), 100);
    QFile report(out + "/report.json");
    ASSERT_TRUE(report.open(QIODevice::ReadOnly));
    EXPECT_TRUE(report.readAll().contains("v4.1-flash"));
}

TEST(MainWindow, says_what_is_wrong_and_keeps_the_last_answer) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, std::string(STRATA_BINARY_DIR) + "/strata-simulate");
    window.engine().set_refining(false);
    QSignalSpy answers(&window.engine(), &LiveEngine::answered);
    window.open(scenario_in(folder));
    ASSERT_TRUE(answers.wait(30000));
    window.document().set_value("placement.dp", "many");
    EXPECT_FALSE(window.document().is_valid());
    window.run_study();
    EXPECT_FALSE(window.study_job().is_running());
    window.document().undo_stack().undo();
    EXPECT_TRUE(window.document().is_valid());
}

TEST(MainWindow, has_every_page_under_its_name_and_draws_it) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, std::string(STRATA_BINARY_DIR) + "/strata-simulate");
    window.engine().set_refining(false);
    window.resize(1280, 800);
    window.show();
    window.open(scenario_in(folder));
    for (const QString& name : MainWindow::page_names()) {
        EXPECT_TRUE(window.show_page(name)) << name.toStdString();
        if (auto* page = qobject_cast<DetailPage*>(&window.page())) {
            QSignalSpy shown(page, &DetailPage::shown);
            ASSERT_TRUE(shown.wait(60000)) << name.toStdString();
        }
        EXPECT_FALSE(window.page().grab().isNull());
        // What a page asks for at least must fit a small screen.
        EXPECT_LE(window.page().minimumSizeHint().width(), 900) << name.toStdString();
        EXPECT_LE(window.page().minimumSizeHint().height(), 700) << name.toStdString();
    }
    EXPECT_FALSE(window.show_page("no such page"));
}

TEST(MainWindow, comes_back_as_it_was_left) {
    const QTemporaryDir folder;
    const std::string simulator = std::string(STRATA_BINARY_DIR) + "/strata-simulate";
    {
        MainWindow window(kRoot, simulator);
        window.show();
        window.show_page("memory");
        window.findChild<QDockWidget*>("scenario")->hide();
        window.close();
    }
    MainWindow window(kRoot, simulator);
    window.restore_layout();
    EXPECT_TRUE(window.findChild<QDockWidget*>("scenario")->isHidden());
    EXPECT_EQ(&window.page(), static_cast<QWidget*>(&window.memory_page()));
}

}  // namespace
}  // namespace strata
