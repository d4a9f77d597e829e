// Files in and out: views as pictures and numbers, changes that survive a crash, and disks that are full.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFile>
#include <QImage>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

#include "app/gui/main_window.hpp"
#include "app/gui/models/autosave.hpp"
#include "app/gui/pages/detail_page.hpp"
#include "app/gui/widgets/notice_bar.hpp"
#include "app/gui/widgets/save_view.hpp"
#include "hwmodels/input_error.hpp"
#include "tests/gui/simulator.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const QString kScenario = QString::fromStdString(kRoot + "/scenarios/engram-allocation.yaml");

QByteArray contents(const QString& file) {
    QFile stream(file);
    return stream.open(QIODevice::ReadOnly) ? stream.readAll() : QByteArray();
}

// A window with its first answer.
class OpenWindow : public testing::Test {
protected:
    void SetUp() override {
        window_.engine().set_refining(false);
        window_.resize(1280, 800);
        QSignalSpy answers(&window_.engine(), &LiveEngine::answered);
        window_.open(kScenario);
        window_.show();
        ASSERT_TRUE(answers.wait(30000));
        QTest::qWait(50);
    }
    MainWindow window_{kRoot, kSimulator};
    const QTemporaryDir folder_;
};

TEST_F(OpenWindow, saves_a_view_in_the_form_that_its_name_says) {
    for (const char* ending : {"png", "pdf", "svg", "csv"}) window_.save_view(folder_.filePath(QString("v.") + ending));
    const QImage picture(folder_.filePath("v.png"));
    EXPECT_EQ(picture.width(), 2 * window_.page().width());
    EXPECT_TRUE(contents(folder_.filePath("v.pdf")).startsWith("%PDF"));
    EXPECT_TRUE(contents(folder_.filePath("v.svg")).contains("<svg"));
    const QString numbers = contents(folder_.filePath("v.csv"));
    EXPECT_TRUE(numbers.startsWith("# headline numbers\n")) << numbers.left(200).toStdString();
    EXPECT_TRUE(numbers.contains("row,piece,ms"));
    EXPECT_THROW(window_.save_view(folder_.filePath("v.docx")), InputError);
}

TEST_F(OpenWindow, has_numbers_on_every_page) {
    for (const char* name : {"roofline", "timeline", "memory", "fabric", "precision", "compare"}) {
        window_.show_page(name);
        if (auto* page = qobject_cast<DetailPage*>(&window_.page())) {
            QSignalSpy shown(page, &DetailPage::shown);
            ASSERT_TRUE(shown.wait(60000)) << name;
        }
        EXPECT_GE(numbers_of(window_.page()).count('\n'), name == std::string("compare") ? 0 : 3) << name;
    }
}

TEST_F(OpenWindow, copies_the_view_as_a_picture) {
    window_.copy_view();
    EXPECT_EQ(QApplication::clipboard()->image().width(), 2 * window_.page().width());
}

// A full disk, as a process can have one to itself: files may grow to so many bytes.
class FullDisk {
public:
    explicit FullDisk(rlim_t bytes = 2048) {
        getrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit small{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

TEST_F(OpenWindow, keeps_the_old_file_where_the_disk_is_full) {
    const QString file = folder_.filePath("view.png");
    window_.save_view(file);
    const QByteArray before = contents(file);
    const FullDisk full;
    EXPECT_THROW(window_.save_view(file), InputError);
    EXPECT_EQ(contents(file), before);
    EXPECT_EQ(QDir(folder_.path()).entryList(QDir::Files), QStringList{"view.png"});
}

TEST_F(OpenWindow, keeps_the_old_report_where_the_disk_is_full) {
    const QString scenario = folder_.filePath("scenario.yaml"), report = folder_.filePath("report");
    QFile file(scenario);
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(
        "model: v4.1-flash\nplatform: {system: HGX_H200}\nworkload: {kind: decode, batch: 64, context: 8192}\n"
        "placement: {dp: 8, ep: 8}\naxes: [{path: workload.batch, values: [64, 512]}]\n");
    file.close();
    window_.open(scenario);
    QSignalSpy ended(&window_.study_job(), &BackgroundJob::ended);
    window_.run_study();
    ASSERT_TRUE(ended.wait(60000));
    const auto exports_to = [&](const QString& folder) {
        QSignalSpy exported(&window_.export_job(), &BackgroundJob::ended);
        window_.export_to(folder);
        EXPECT_TRUE(window_.export_job().is_running());  // and the window goes on
        EXPECT_TRUE(exported.wait(60000));
        return exported.front().back().toString().isEmpty();
    };
    ASSERT_TRUE(exports_to(report)) << window_.notice().text().toStdString();
    const auto all = [&] { return QDir(report).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot); };
    const QStringList before = all();
    const QByteArray page = contents(report + "/report.html");
    for (const char* name : {"report.html", "report.pdf", "report.md", "results.csv", "results.json", "throughput.svg"})
        EXPECT_TRUE(before.contains(name)) << before.join(' ').toStdString();
    for (const rlim_t bytes : {2048, 40000}) {  // no file is whole, or some are
        const FullDisk full(bytes);
        EXPECT_FALSE(exports_to(report));
        EXPECT_TRUE(window_.notice().text().contains("cannot write")) << window_.notice().text().toStdString();
        EXPECT_FALSE(exports_to(folder_.filePath("other")));
    }
    EXPECT_EQ(all(), before);
    EXPECT_EQ(contents(report + "/report.html"), page);
    EXPECT_FALSE(QDir(folder_.filePath("other")).exists());
    EXPECT_TRUE(exports_to(folder_.filePath("other")));  // it lives
}

TEST_F(OpenWindow, traces_a_step_into_a_file_that_perfetto_opens) {
    QSignalSpy ended(&window_.export_job(), &BackgroundJob::ended);
    EXPECT_THROW(window_.export_trace(folder_.filePath("step.txt")), InputError);
    window_.export_trace(folder_.filePath("step.json"));
    ASSERT_TRUE(ended.wait(60000));
    EXPECT_TRUE(contents(folder_.filePath("step.json")).contains("traceEvents"))
        << window_.notice().text().toStdString();
}

TEST_F(OpenWindow, a_file_that_is_not_there_is_refused_and_the_scenario_stays) {
    const std::string before = window_.document().text();
    EXPECT_THROW(window_.open(folder_.filePath("none.yaml")), InputError);
    EXPECT_EQ(window_.document().text(), before);
}

TEST_F(OpenWindow, a_tour_has_three_steps) {
    window_.start_tour();
    for (const char* next : {"Next", "Next", "Done"}) {
        ASSERT_NE(window_.notice().button(next), nullptr) << next;
        window_.notice().button(next)->click();
    }
    EXPECT_TRUE(window_.notice().isHidden());
}

// What a window that crashed has left: a file of a process that is no more.
QString left_by_the_dead(const QTemporaryDir& folder, const QString& scenario, const QString& text) {
    const pid_t dead = fork();
    if (dead == 0) _exit(0);
    waitpid(dead, nullptr, 0);
    const QString file = folder.filePath(QString("%1-1.json").arg(dead));
    QFile stream(file);
    if (stream.open(QIODevice::WriteOnly))
        stream.write(QString(R"({"file": "%1", "text": "%2"})").arg(scenario, text).toUtf8());
    return file;
}

TEST(Autosave, finds_what_a_crash_left_and_not_what_a_living_window_keeps) {
    const QTemporaryDir folder;
    ScenarioDocument document(kRoot);
    document.open(kScenario);
    const Autosave autosave(document, folder.path());
    EXPECT_FALSE(autosave.left_behind());
    document.set_value("workload.batch", "77");
    ASSERT_TRUE(QTest::qWaitFor([&] { return QDir(folder.path()).entryList({"*.json"}).size() == 1; }, 5000));
    EXPECT_FALSE(autosave.left_behind());  // its window lives
    const QString kept = left_by_the_dead(folder, "/a.yaml", "name: lost");
    const auto left = autosave.left_behind();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->file, "/a.yaml");
    EXPECT_EQ(left->text, "name: lost");
    Autosave::forget(*left);
    EXPECT_FALSE(QFile::exists(kept));
}

TEST(Autosave, keeps_nothing_that_is_saved) {
    const QTemporaryDir folder, scenarios;
    ScenarioDocument document(kRoot);
    document.open(kScenario);
    const Autosave autosave(document, folder.path());
    document.set_value("workload.batch", "77");
    ASSERT_TRUE(QTest::qWaitFor([&] { return QDir(folder.path()).entryList({"*.json"}).size() == 1; }, 5000));
    EXPECT_TRUE(contents(folder.filePath(QDir(folder.path()).entryList({"*.json"}).front())).contains("batch: 77"));
    document.save_as(scenarios.filePath("saved.yaml"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return QDir(folder.path()).entryList({"*.json"}).size() == 0; }, 5000));
}

}  // namespace
}  // namespace strata
