// strata-gui [SCENARIO]: the workbench. --screenshot VIEW FILE [SCENARIO] takes a picture of a page and ends; it needs
// no display.
#include <QApplication>
#include <QCommandLineParser>
#include <QFontDatabase>
#include <QSettings>
#include <QTemporaryDir>
#include <QTimer>
#include <iostream>

#include "app/gui/main_window.hpp"
#include "app/gui/screenshot.hpp"
#include "app/gui/widgets/theme.hpp"
#include "hwmodels/data_root.hpp"
#include "hwmodels/input_error.hpp"

namespace {

QSize size_of(const QString& text) {
    const QStringList sides = text.split('x');
    const QSize size(sides.value(0).toInt(), sides.value(1).toInt());
    if (sides.size() != 2 || size.width() < 1 || size.height() < 1)
        throw strata::InputError("--size", "WIDTHxHEIGHT in pixels, such as 1280x800", "'" + text.toStdString() + "'");
    return size;
}

void dress(QApplication& application, bool dark) {
    if (!QFontDatabase::families().contains("DejaVu Sans"))
        throw std::runtime_error("the font DejaVu Sans is missing: install fonts-dejavu-core");
    QApplication::setStyle("Fusion");
    QApplication::setFont(QFont("DejaVu Sans", 9));
    // The system's own palette says whether it is dark; Fusion's greys are replaced by calmer ones.
    application.setPalette(dark || strata::is_dark(QApplication::palette()) ? strata::dark_palette()
                                                                            : strata::light_palette());
}

int run(QApplication& application) {
    QCommandLineParser parser;
    parser.setApplicationDescription("Strata's workbench: a scenario, its live answer, its studies.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument("SCENARIO", "a scenario file; scenarios/engram-allocation.yaml if not given",
                                 "[SCENARIO]");
    const QCommandLineOption screenshot(
        "screenshot", "Write a picture of a page into FILE, which stands before SCENARIO, and end.", "VIEW> <FILE");
    const QCommandLineOption size("size", "Of the window.", "WIDTHxHEIGHT", "1400x860");
    const QCommandLineOption dark("dark", "Light on dark.");
    const QCommandLineOption rows("rows", "With --screenshot validation: which rows of the ledger.", "PATTERN", "*");
    const QCommandLineOption painted("until-painted", "End when the window has been painted: how long is a start?");
    parser.addOptions({screenshot, size, dark, rows, painted});
    parser.process(application);
    dress(application, parser.isSet(dark));
    QStringList files = parser.positionalArguments();
    strata::Screenshot wanted{.page = parser.value(screenshot), .file = {}, .rows = parser.value(rows)};
    if (parser.isSet(screenshot)) {
        if (files.isEmpty()) throw strata::InputError("--screenshot", "a page and a file", "a page alone");
        wanted.file = files.takeFirst();
    }
    const std::string root = strata::data_root(STRATA_SOURCE_DIR);
    strata::MainWindow window(root, "");
    window.resize(size_of(parser.value(size)));
    window.open(files.isEmpty() ? QString::fromStdString(root + "/scenarios/engram-allocation.yaml") : files.front());
    if (parser.isSet(screenshot)) return take(window, wanted);
    if (!parser.isSet(size)) window.restore_layout();
    window.show();
    if (parser.isSet(painted)) {
        QTimer::singleShot(0, &window, [&window] {  // behind the events that a shown window has
            window.grab();
            QApplication::quit();
        });
        return QApplication::exec();
    }
    if (!QSettings().contains("toured")) window.start_tour();
    window.offer_left_behind();
    return QApplication::exec();
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--screenshot" && !qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
            qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir runtime;  // Qt asks for a private folder and complains where a machine gives none
    if (!qEnvironmentVariableIsSet("XDG_RUNTIME_DIR")) qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
    QApplication application(argc, argv);
    QApplication::setOrganizationName("strata");
    QApplication::setApplicationName("strata-gui");
    QApplication::setApplicationVersion(STRATA_VERSION);
    try {
        return run(application);
    } catch (const strata::InputError& error) {
        std::cerr << "strata-gui: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata-gui: " << error.what() << '\n';
        return 3;
    }
}
