#include "app/gui/screenshot.hpp"

#include <QApplication>
#include <QElapsedTimer>
#include <QSlider>
#include <QTimer>
#include <iostream>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/pages/compare_page.hpp"
#include "app/gui/pages/detail_page.hpp"
#include "app/gui/pages/roofline_page.hpp"
#include "app/gui/pages/validation_page.hpp"
#include "app/gui/widgets/record_view.hpp"

namespace strata {

namespace {

// Until `done`, or `seconds` have passed.
void wait_for(const std::function<bool()>& done, double seconds) {
    QTimer wakes;  // so that waiting looks up
    wakes.start(20);
    QElapsedTimer clock;
    clock.start();
    while (!done() && double(clock.elapsed()) < seconds * 1000)
        QApplication::processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::AllEvents, 50);
    QApplication::processEvents();
}

// Two answers to compare: every dial that has a slider is turned a little.
void turn_first_dial(MainWindow& window) {
    bool answered = false;
    const auto connection = QObject::connect(&window.engine(), &LiveEngine::answered, [&] { answered = true; });
    for (const char* path : {"model.rho", "workload.batch", "workload.prompt"})
        if (QSlider* slider = window.answer_page().dials().slider(path)) {
            slider->setValue(slider->value() + (slider->maximum() - slider->value()) / 2);
            break;
        }
    wait_for([&] { return answered; }, 30);
    QObject::disconnect(connection);
}

}  // namespace

int take(MainWindow& window, const Screenshot& wanted) {
    bool answered = false, refined = false, looked = false;
    QObject::connect(&window.engine(), &LiveEngine::answered, [&] { answered = true; });
    QObject::connect(&window.engine(), &LiveEngine::refined, [&] { refined = true; });
    if (!window.show_page(wanted.page)) {
        std::cerr << "strata-gui: --screenshot: expected one of " << MainWindow::page_names().join(", ").toStdString()
                  << ", found '" << wanted.page.toStdString() << "'\n";
        return 2;
    }
    auto* detail = qobject_cast<DetailPage*>(&window.page());
    if (detail) QObject::connect(detail, &DetailPage::shown, [&] { looked = true; });
    window.show();
    wait_for([&] { return answered && (refined || wanted.page != "answer") && (looked || !detail); }, 60);
    if (wanted.page == "design-space") {
        window.run_study();
        wait_for([&] { return !window.study_job().is_running(); }, 120);
    } else if (wanted.page == "validation") {
        window.validation_page().set_pattern(wanted.rows);
        window.validation_page().run();
        wait_for([&] { return !window.validation_page().job().is_running(); }, 300);
    } else if (wanted.page == "roofline") {
        window.roofline_page().table().select({0});
        wait_for([] { return false; }, 1);
    } else if (wanted.page == "compare") {
        turn_first_dial(window);
    }
    wait_for([] { return false; }, 0.5);  // sizes settle
    if (window.grab().save(wanted.file)) return 0;
    std::cerr << "strata-gui: cannot write " << wanted.file.toStdString() << '\n';
    return 2;
}

}  // namespace strata
