// strata-print CHART.json FILE...: a chart as strata writes it, into pictures. Needs no display.
#include <QApplication>
#include <QFontDatabase>
#include <QTemporaryDir>
#include <iostream>

#include "hwmodels/input_error.hpp"
#include "reports/figure/save_chart.hpp"
#include "reports/files.hpp"
#include "reports/render/chart_json.hpp"

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "strata-print CHART.json FILE...: draws a chart into FILEs that end in .png, .svg or .pdf\n";
        return 2;
    }
    qputenv("QT_QPA_PLATFORM", "offscreen");
    try {
        const strata::Chart chart = strata::chart_from_json(strata::whole_file(argv[1]), argv[1]);
        // Qt asks for a private folder although nothing is put there, and complains where a machine gives none.
        const QTemporaryDir runtime;
        if (!qEnvironmentVariableIsSet("XDG_RUNTIME_DIR")) qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
        const QApplication application(argc, argv);
        // Without a font Qt draws boxes and calls it a success.
        if (!QFontDatabase::families().contains("DejaVu Sans"))
            throw std::runtime_error("the font DejaVu Sans is missing: install fonts-dejavu-core");
        for (int i = 2; i < argc; ++i) strata::save_chart(chart, argv[i]);
        return 0;
    } catch (const strata::InputError& error) {
        std::cerr << "strata-print: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata-print: " << error.what() << '\n';
        return 3;
    }
}
