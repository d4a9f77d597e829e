// Studies in the window: run, paused, left and gone on with, opened from files, and what can go wrong with them.
#include <gtest/gtest.h>

#include <QFile>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/data_folder.hpp"
#include "app/gui/main_window.hpp"
#include "app/gui/models/known_study.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/widgets/notice_bar.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/sqlite.hpp"
#include "tests/gui/simulator.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// `steps` points, of which none is in the store that the tests share: its context is nobody else's.
QString scenario_in(const QTemporaryDir& folder, int steps, const char* engines = "analytic") {
    static int context = 7001;
    const QString file = folder.filePath("scenario.yaml");
    QFile stream(file);
    if (!stream.open(QIODevice::WriteOnly)) return {};
    stream.write(QString("name: small\nengines: [%1]\nmodel: v4.1-flash\nplatform: {system: HGX_H200}\n"
                         "workload: {kind: decode, batch: 512, context: %2}\nplacement: {dp: 8, ep: 8}\n"
                         "axes: [{path: model.rho, linear: {from: 0.4, to: 1, steps: %3}}]\n")
                     .arg(engines)
                     .arg(++context)
                     .arg(steps)
                     .toUtf8());
    return file;
}

void write(const QString& file, const QByteArray& text) {
    QFile stream(file);
    ASSERT_TRUE(stream.open(QIODevice::WriteOnly));
    stream.write(text);
}

std::size_t kept_points() { return PointStore((data_folder() + "/points.sqlite").toStdString()).size(); }

TEST(StudyInTheWindow, goes_on_after_a_cancel_from_the_points_that_it_has_kept) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.open(scenario_in(folder, 1200));
    QSignalSpy ended(&window.study_job(), &BackgroundJob::ended);
    window.run_study();
    ASSERT_TRUE(QTest::qWaitFor([&] { return window.points_waiting() > 0; }, 60000));  // some are known, others wait
    EXPECT_GT(window.design_page().table().shown(), 1199);                             // and both stand in the table
    window.cancel_study();
    ASSERT_TRUE(ended.wait(60000));
    EXPECT_FALSE(window.study());  // half of one is no study to report
    const std::size_t kept = kept_points();
    EXPECT_GT(kept, 0u);
    EXPECT_LT(kept, 1200u);
    window.run_study();
    ASSERT_TRUE(ended.wait(120000));
    ASSERT_TRUE(window.study());
    EXPECT_EQ(window.study()->results.size(), 1200u);
    EXPECT_EQ(window.points_waiting(), 0u);
}

TEST(StudyInTheWindow, a_worker_that_cannot_start_is_said_and_the_window_stays) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, "/no/such/strata-simulate");
    window.engine().set_refining(false);
    window.open(scenario_in(folder, 2, "analytic, systemc"));
    QSignalSpy ended(&window.study_job(), &BackgroundJob::ended);
    window.run_study();
    ASSERT_TRUE(ended.wait(60000));
    EXPECT_FALSE(window.notice().text().isEmpty());
    EXPECT_FALSE(window.notice().isHidden());
}

TEST(StudyInTheWindow, points_whose_worker_dies_fail_with_a_reason_and_the_others_stand) {
    const QTemporaryDir folder;
    const QString worker = folder.filePath("dies");
    write(worker, "#!/bin/sh\nkill -9 $$\n");
    QFile::setPermissions(worker, QFile::ReadOwner | QFile::ExeOwner | QFile::WriteOwner);
    MainWindow window(kRoot, worker.toStdString());
    window.engine().set_refining(false);
    window.open(scenario_in(folder, 2, "analytic, systemc"));
    QSignalSpy ended(&window.study_job(), &BackgroundJob::ended);
    window.run_study();
    ASSERT_TRUE(ended.wait(60000));
    ASSERT_TRUE(window.study());
    EXPECT_EQ(std::ranges::count(window.study()->results, PointStatus::ok, &PointResult::status), 2);
    EXPECT_EQ(std::ranges::count(window.study()->results, PointStatus::failed, &PointResult::status), 2);
    EXPECT_TRUE(window.notice().text().contains("2 of 4 points failed")) << window.notice().text().toStdString();
}

TEST(OpenedStudy, is_the_one_that_was_run) {
    const QTemporaryDir folder;
    const ScenarioFile file(scenario_in(folder, 3).toStdString(), kRoot + "/scenarios/models");
    const std::string store = folder.filePath("study.sqlite").toStdString();
    StudyOptions options{.root = kRoot};
    options.store = std::make_shared<PointStore>(store);
    const Study ran = run_study(file, options);
    options.store.reset();
    const auto opened = open_study(folder.path().toStdString());
    ASSERT_EQ(opened->study->results.size(), 3u);
    EXPECT_EQ(opened->study->name, "small");
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(opened->study->results[i].settings, ran.results[i].settings);
        EXPECT_EQ(opened->study->results[i].run->metrics, ran.results[i].run->metrics);
    }
}

std::string refusal_of(const QString& file) {
    try {
        open_study(file.toStdString());
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(OpenedStudy, of_a_newer_version_is_refused_with_its_version) {
    const QTemporaryDir folder;
    const QString results = folder.filePath("results.json"), store = folder.filePath("study.sqlite");
    write(results, R"({"schema": "strata-results/2", "points": []})");
    EXPECT_NE(refusal_of(results).find("a newer strata"), std::string::npos) << refusal_of(results);
    { const PointStore made(store.toStdString()); }
    {
        Database database(store.toStdString());
        database.run("PRAGMA application_id = 1398035009; PRAGMA user_version = 99; CREATE TABLE x(y)");
    }
    EXPECT_NE(refusal_of(store).find("version 99"), std::string::npos) << refusal_of(store);
    write(results, "{\"half of");
    EXPECT_NE(refusal_of(results).find("results.json"), std::string::npos);
    EXPECT_NE(refusal_of(folder.filePath("none.sqlite")), "");
}

TEST(OpenedStudy, that_cannot_be_read_is_said_in_the_window_and_what_was_shown_stays) {
    const QTemporaryDir folder;
    MainWindow window(kRoot, kSimulator);
    window.engine().set_refining(false);
    window.open(scenario_in(folder, 2));
    QSignalSpy ended(&window.study_job(), &BackgroundJob::ended);
    window.run_study();
    ASSERT_TRUE(ended.wait(60000));
    const QString file = folder.filePath("results.json");
    write(file, R"({"schema": "strata-results/7"})");
    window.open(file);
    ASSERT_TRUE(ended.wait(60000));
    EXPECT_TRUE(window.notice().text().contains("strata-results/7"));
    ASSERT_TRUE(window.study());
    EXPECT_EQ(window.study()->results.size(), 2u);
}

TEST(RemainingTime, goes_by_the_last_seconds_and_not_by_points_that_were_known) {
    // A thousand points known at once, then one a second: ten that are left take ten seconds.
    RemainingTime remaining;
    remaining.after(0.1, 1000, 1030);
    double left = 0;
    for (int second = 1; second <= 20; ++second) left = remaining.after(0.1 + second, std::size_t(1000 + second), 1030);
    EXPECT_NEAR(left, 10, 0.5);
}

}  // namespace
}  // namespace strata
