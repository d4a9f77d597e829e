// strata-gui [SCENARIO]: the workbench. --grab FILE --page NAME takes a picture of a page and ends; it needs no
// display.
#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFontDatabase>
#include <QTemporaryDir>
#include <QTimer>
#include <iostream>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/roofline_page.hpp"
#include "app/gui/pages/validation_page.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "hwmodels/data_root.hpp"

namespace {

// Until `done`, or `seconds` have passed.
void wait_for(const std::function<bool()>& done, int seconds) {
    QElapsedTimer clock;
    clock.start();
    while (!done() && clock.elapsed() < seconds * 1000)
        QApplication::processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::AllEvents, 50);
    QApplication::processEvents();
}

// Waits for what the page shows, which is made in the background.
int grab(strata::MainWindow& window, const QString& file, const QString& page, const QString& rows) {
    bool answered = false, swept = false, refined = false, derived = page != "roofline";
    QObject::connect(&window.engine(), &strata::LiveEngine::answered, [&] { answered = true; });
    QObject::connect(&window.engine(), &strata::LiveEngine::over_rho, [&] { swept = true; });
    QObject::connect(&window.engine(), &strata::LiveEngine::refined, [&] { refined = true; });
    QTimer wakes;  // so that waiting looks up
    wakes.start(50);
    window.show_page(page);
    window.show();
    wait_for([&] { return answered && swept && (refined || page != "answer"); }, 30);
    if (page == "design") {
        window.run_study();
        wait_for([&] { return !window.study_job().is_running(); }, 120);
    } else if (page == "validation") {
        window.validation_page().set_pattern(rows);
        window.validation_page().run();
        wait_for([&] { return !window.validation_page().job().is_running(); }, 300);
    } else if (!derived) {
        window.roofline_page().table().select({0});
        wait_for([] { return false; }, 1);
    }
    wait_for([] { return false; }, 1);  // sizes settle
    if (window.grab().save(file)) return 0;
    std::cerr << "strata-gui: cannot write " << file.toStdString() << '\n';
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--grab" && !qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
            qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir runtime;  // Qt asks for a private folder and complains where a machine gives none
    if (!qEnvironmentVariableIsSet("XDG_RUNTIME_DIR")) qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
    QApplication application(argc, argv);
    QApplication::setOrganizationName("strata");
    QApplication::setApplicationName("strata-gui");
    QApplication::setApplicationVersion(STRATA_VERSION);
    QCommandLineParser parser;
    parser.setApplicationDescription("Strata's workbench: a scenario, its live answer, its studies.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument("SCENARIO", "a scenario file; scenarios/engram-allocation.yaml if not given",
                                 "[SCENARIO]");
    QCommandLineOption grabbed("grab", "", "FILE"), page("page", "", "NAME", "answer"), dark("dark"),
        rows("rows", "", "PATTERN", "*");
    for (QCommandLineOption* option : {&grabbed, &page, &rows, &dark}) {
        option->setFlags(QCommandLineOption::HiddenFromHelp);
        parser.addOption(*option);
    }
    parser.process(application);
    try {
        if (!QFontDatabase::families().contains("DejaVu Sans"))
            throw std::runtime_error("the font DejaVu Sans is missing: install fonts-dejavu-core");
        QApplication::setStyle("Fusion");
        QApplication::setFont(QFont("DejaVu Sans", 9));
        // The system's own palette says whether it is dark; Fusion's greys are replaced by calmer ones.
        QApplication::setPalette(parser.isSet(dark) || strata::is_dark(QApplication::palette())
                                     ? strata::dark_palette()
                                     : strata::light_palette());
        const std::string root = strata::data_root(STRATA_SOURCE_DIR);
        strata::MainWindow window(root, "");
        window.resize(1400, 860);
        const QStringList files = parser.positionalArguments();
        window.open(files.isEmpty() ? QString::fromStdString(root + "/scenarios/engram-allocation.yaml")
                                    : files.front());
        if (parser.isSet(grabbed)) return grab(window, parser.value(grabbed), parser.value(page), parser.value(rows));
        window.show();
        return QApplication::exec();
    } catch (const strata::InputError& error) {
        std::cerr << "strata-gui: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata-gui: " << error.what() << '\n';
        return 3;
    }
}
