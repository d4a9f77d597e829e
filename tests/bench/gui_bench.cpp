// What a hand feels: a slider until the answer is painted, and a timeline of a million spans while it is dragged.
// Offscreen, so that painting is the processor's, as it is without a graphics card.
#include <benchmark/benchmark.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QFont>
#include <QProcess>
#include <QSlider>
#include <QTemporaryDir>
#include <algorithm>
#include <cstring>
#include <random>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/timeline_view.hpp"
#include "sim/study/point_store.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// One for all; it ends with the program.
void start_qt() {
    static int argc = 1;
    static char name[] = "strata-bench";
    static char* argv[] = {name, nullptr};
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    static QApplication* application = new QApplication(argc, argv);
    application->setFont(QFont("DejaVu Sans", 9));
}

double at_share(std::vector<double> values, double share) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[static_cast<std::size_t>(share * double(values.size() - 1))];
}

// Eight lanes of 125,000 spans each, some so long that they fill pixels and most so short that they share them.
StepTimeline million() {
    std::mt19937 random(1);
    std::exponential_distribution<double> us(1);
    StepTimeline timeline{.engine = "made up", .note = "", .names = {"op a", "op b", "op c"}, .lanes = {}};
    for (int lane = 0; lane < 8; ++lane) {
        std::vector<TimelineSpan> spans;
        double at = 0;
        for (std::uint32_t i = 0; i < 125000; ++i) {
            const double begin = at + us(random), end = begin + us(random) * (i % 100 == 0 ? 50 : 1);
            spans.push_back({.begin_us = begin,
                             .end_us = end,
                             .name = i % 3,
                             .kind = std::uint8_t(i % kSpanKinds),
                             .critical = i % 5 == 0});
            at = end;
        }
        timeline.makespan_us = std::max(timeline.makespan_us, at);
        timeline.lanes.emplace_back("rank", "lane " + std::to_string(lane), std::move(spans));
    }
    return timeline;
}

// `state.range(0)`: how far in, 1 for all of it. A frame is a pan and its painting.
void timeline_pan(benchmark::State& state) {
    start_qt();
    TimelineView view;
    view.resize(1600, 400);
    view.set(million());
    view.show();
    view.zoom(double(state.range(0)), view.timeline().makespan_us / 2);
    const double step = (view.to_us() - view.from_us()) / 50;
    double direction = step;
    std::vector<double> frames;
    QImage frame(view.size(), QImage::Format_RGB32);
    for (auto _ : state) {
        QElapsedTimer clock;
        clock.start();
        if (view.to_us() >= view.timeline().makespan_us || view.from_us() <= 0) direction = -direction;
        view.pan(direction);
        view.render(&frame);
        frames.push_back(double(clock.nsecsElapsed()) / 1e6);
    }
    state.counters["frames/s"] = benchmark::Counter(double(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["p95_ms"] = at_share(frames, 0.95);
}
BENCHMARK(timeline_pan)->Name("gui/timeline-pan")->Arg(1)->Arg(4)->Arg(100)->Unit(benchmark::kMillisecond);

// The whole way: slider, answer of the analytic engine in its thread, window painted.
void slider(benchmark::State& state) {
    start_qt();
    MainWindow window(kRoot, "");
    window.engine().set_refining(false);
    window.resize(1400, 860);
    int answers = 0;
    QObject::connect(&window.engine(), &LiveEngine::answered, [&] { ++answers; });
    window.open(QString::fromStdString(kRoot + "/scenarios/engram-allocation.yaml"));
    window.show();
    const auto wait_for_answer = [&](int wanted) {
        while (answers < wanted) QApplication::processEvents(QEventLoop::WaitForMoreEvents);
    };
    wait_for_answer(1);
    QSlider* batch = window.answer_page().dials().slider("workload.batch");
    batch->setSliderDown(true);  // as by a hand: one that is let go snaps to whole sequences
    std::vector<double> times;
    int position = batch->minimum();
    QImage frame(window.size(), QImage::Format_RGB32);
    for (auto _ : state) {
        QElapsedTimer clock;
        clock.start();
        position = position >= batch->maximum() - 2 ? batch->minimum() : position + 1;
        const int before = answers;
        batch->setValue(position);
        wait_for_answer(before + 1);
        window.answer_page().repaint();
        window.answer_page().render(&frame);
        times.push_back(double(clock.nsecsElapsed()) / 1e6);
    }
    state.counters["p50_ms"] = at_share(times, 0.5);
    state.counters["p95_ms"] = at_share(times, 0.95);
}
BENCHMARK(slider)->Name("gui/slider")->Iterations(200)->Unit(benchmark::kMillisecond);

// A store of `points` points as a search leaves them: three dials, a dozen numbers each.
void fill_store(const std::string& file, int points) {
    PointStore store(file);
    RowShape shape{.study = "large", .engine = "analytic", .axes = {"model.rho", "workload.batch", "placement.ep"}};
    for (int i = 0; i < 12; ++i) shape.metrics.push_back("decode.metric_" + std::to_string(i) + "_ms");
    shape.metrics.push_back("decode.tokens_per_s");
    shape.metrics.push_back("decode.tpot_ms");
    std::mt19937 random(1);
    std::uniform_real_distribution<double> any(0, 100);
    std::vector<KeptPoint> kept;
    for (int i = 0; i < points; ++i) {
        KeptPoint& point = kept.emplace_back();
        std::memcpy(point.key.data(), &i, sizeof i);
        point.settings = {{"model.rho", std::to_string(0.4 + 0.6 * i / points)},
                          {"workload.batch", std::to_string(8 + i % 512)},
                          {"placement.ep", std::to_string(1 << (i % 8))}};
        for (std::size_t metric = 0; metric < shape.metrics.size(); ++metric) point.numbers.push_back(any(random));
    }
    store.keep(shape, std::move(kept));
    store.flush();
}

// From the file to the painted page with all its points and its table.
void open_large_study(benchmark::State& state) {
    start_qt();
    const QTemporaryDir folder;
    const std::string file = folder.filePath("study.sqlite").toStdString();
    fill_store(file, static_cast<int>(state.range(0)));
    MainWindow window(kRoot, "");
    window.engine().set_refining(false);
    window.resize(1400, 860);
    window.show();
    bool ended = false;
    QObject::connect(&window.study_job(), &BackgroundJob::ended, [&] { ended = true; });
    QImage frame(window.size(), QImage::Format_RGB32);
    for (auto _ : state) {
        ended = false;
        window.open(QString::fromStdString(file));
        while (!ended) QApplication::processEvents(QEventLoop::WaitForMoreEvents);
        window.render(&frame);
    }
    if (window.design_page().table().shown() != state.range(0)) state.SkipWithError("not all points are shown");
}
BENCHMARK(open_large_study)
    ->Name("gui/open-study")
    ->Arg(100000)
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// A process of its own until its window has been painted once: what somebody waits for who clicks on the icon.
void start(benchmark::State& state) {
    start_qt();
    for (auto _ : state) {
        QProcess gui;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert("QT_QPA_PLATFORM", "offscreen");
        gui.setProcessEnvironment(environment);
        gui.start(QApplication::applicationDirPath() + "/strata-gui", {"--until-painted"});
        if (!gui.waitForFinished(60000) || gui.exitCode() != 0) state.SkipWithError("strata-gui did not end well");
    }
}
BENCHMARK(start)->Name("gui/start")->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace strata
