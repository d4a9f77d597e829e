// Every view, as it is used: opened, something changed that it shows, that undone, and all of it taken out as pictures
// and numbers.
#include <gtest/gtest.h>

#include <QComboBox>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/kernels_page.hpp"
#include "app/gui/pages/validation_page.hpp"
#include "app/gui/widgets/save_view.hpp"
#include "tests/gui/simulator.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kOfEverything =
    "name: views\nengines: [analytic]\nmodel: v4.1-flash\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192, routing: {law: zipf, exponent: 0.8}}\n"
    "placement: {dp: 8, ep: 8, engram: {tier: host}}\naxes: [{path: workload.context, values: [8192, 32768]}]\n";

using Step = std::function<void(MainWindow&)>;

struct View {
    const char* name;
    Step change, back;  // of something that it shows
    Step begin{};       // what it needs beside an open scenario
};

void PrintTo(const View& view, std::ostream* out) { *out << view.name; }  // found by googletest

Step sets(const char* path, const char* value) {
    return [=](MainWindow& window) { window.document().set_value(path, value); };
}

void undoes(MainWindow& window) { window.document().undo_stack().undo(); }

void ends(BackgroundJob& job) {
    EXPECT_TRUE(QTest::qWaitFor([&] { return !job.is_running(); }, 300000));
}

void runs(MainWindow& window) {
    window.run_study();
    ends(window.study_job());
}

Step then_runs(const Step& first) {
    return [=](MainWindow& window) {
        first(window);
        runs(window);
    };
}

Step validates(const char* rows) {
    return [=](MainWindow& window) {
        window.validation_page().set_pattern(rows);
        window.validation_page().run();
        ends(window.validation_page().job());
    };
}

Step chooses_family(int index) {
    return [=](MainWindow& window) {
        QComboBox& family = window.kernels_page().family();
        family.setCurrentIndex(index);
        emit family.activated(index);
    };
}

View of_scenario(const char* name, const char* path, const char* value) { return {name, sets(path, value), undoes}; }

std::vector<View> views() {
    const Step batch = sets("workload.batch", "64");
    return {of_scenario("answer", "workload.batch", "64"),
            of_scenario("allocation", "workload.batch", "64"),
            {"design-space", then_runs(batch), then_runs(undoes), runs},
            of_scenario("roofline", "workload.batch", "64"),
            {"validation", validates("mhc-*"), validates("engram-*"), validates("engram-*")},
            {"compare", sets("workload.batch", "128"), undoes,
             [batch](MainWindow& window) {
                 window.pin();
                 QSignalSpy answers(&window.engine(), &LiveEngine::answered);
                 batch(window);
                 EXPECT_TRUE(answers.wait(60000));
             }},
            of_scenario("timeline", "workload.batch", "64"),
            of_scenario("experts", "workload.routing.exponent", "0.3"),
            of_scenario("memory", "workload.batch", "64"),
            of_scenario("fabric", "workload.batch", "64"),
            {"kernels", chooses_family(1), chooses_family(0)},
            of_scenario("precision", "model.precision.experts", "nvfp4")};
}

class EveryView : public testing::TestWithParam<View> {
protected:
    // Of a page that has something to show; nothing while it still thinks.
    QString numbers() const {
        const QString all = numbers_of(window_.page());
        return all.count('\n') > 2 ? all : QString();
    }

    const QTemporaryDir folder_;
    MainWindow window_{kRoot, kSimulator};
};

TEST_P(EveryView, follows_a_change_comes_back_and_can_be_taken_out) {
    window_.engine().set_refining(false);
    window_.resize(1280, 800);
    window_.show();
    const QString file = folder_.filePath("views.yaml");
    std::ofstream(file.toStdString()) << kOfEverything;
    ASSERT_TRUE(window_.show_page(GetParam().name));
    QSignalSpy answers(&window_.engine(), &LiveEngine::answered);
    window_.open(file);
    ASSERT_TRUE(answers.wait(60000));
    if (GetParam().begin) GetParam().begin(window_);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !numbers().isEmpty(); }, 60000));
    const QString before = numbers();
    const QImage picture = picture_of(window_.page());

    GetParam().change(window_);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !numbers().isEmpty() && numbers() != before; }, 60000));
    EXPECT_NE(picture_of(window_.page()), picture);
    GetParam().back(window_);
    ASSERT_TRUE(QTest::qWaitFor([&] { return numbers() == before; }, 60000));

    for (const QString ending : {"png", "pdf", "svg", "csv"}) window_.save_view(folder_.filePath("view." + ending));
    EXPECT_EQ(QImage(folder_.filePath("view.png")).width(), 2 * window_.page().width());
    for (const QString ending : {"pdf", "svg"}) EXPECT_GT(QFile(folder_.filePath("view." + ending)).size(), 5000);
    QFile csv(folder_.filePath("view.csv"));
    ASSERT_TRUE(csv.open(QIODevice::ReadOnly));
    EXPECT_EQ(QString::fromUtf8(csv.readAll()), before);
}

TEST(EveryViewOf, the_window_is_in_the_list) {
    QStringList names;
    for (const View& view : views()) names << view.name;
    EXPECT_EQ(names, MainWindow::page_names());
}

INSTANTIATE_TEST_SUITE_P(Window, EveryView, testing::ValuesIn(views()),
                         [](const auto& of) { return QString(of.param.name).replace('-', '_').toStdString(); });

}  // namespace
}  // namespace strata
