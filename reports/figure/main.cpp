// strata-print CHART.json FILE...: a chart as strata writes it, into pictures.
// strata-print report REPORT.json [--pdf FILE] [--figures FOLDER]: a report as strata writes it, into pages and
// pictures. strata-print pages TEXTFILE --out DIR: a text, into pictures of its pages. Needs no display.
#include <QApplication>
#include <QCommandLineParser>
#include <QFontDatabase>
#include <QTemporaryDir>
#include <iostream>

#include "hwmodels/input_error.hpp"
#include "reports/figure/pages_command.hpp"
#include "reports/figure/report_pages.hpp"
#include "reports/figure/save_chart.hpp"
#include "reports/files.hpp"
#include "reports/render/chart_json.hpp"
#include "reports/render/document_json.hpp"

namespace {

const char* const kReportUsage =
    "strata-print report REPORT.json [--pdf FILE] [--figures FOLDER]: a report into A4 pages, its charts into SVG and "
    "PNG\n";

void print_chart(const QStringList& arguments) {
    const std::string file = arguments.front().toStdString();
    const strata::Chart chart = strata::chart_from_json(strata::whole_file(file), file);
    for (const QString& picture : arguments.mid(1)) strata::save_chart(chart, picture.toStdString());
}

void print_report(const QStringList& arguments) {
    QCommandLineParser parser;
    parser.addOption({"pdf", "", "FILE"});
    parser.addOption({"figures", "", "FOLDER"});
    if (!parser.parse(QStringList("strata-print") + arguments))
        throw strata::InputError(parser.errorText().toStdString());
    if (parser.positionalArguments().size() != 1) throw strata::InputError(kReportUsage);
    const std::string file = parser.positionalArguments().front().toStdString();
    const strata::Document document = strata::document_from_json(strata::whole_file(file), file);
    if (parser.isSet("figures"))
        for (const strata::Section& section : document.sections)
            for (const strata::Chart& chart : section.charts)
                for (const char* ending : {".svg", ".png"})
                    strata::save_chart(chart, parser.value("figures").toStdString() + "/" + chart.name + ending);
    if (parser.isSet("pdf")) strata::save_pages(document, parser.value("pdf").toStdString());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "strata-print CHART.json FILE...: draws a chart into FILEs that end in .png, .svg or .pdf\n"
                  << kReportUsage << strata::kPagesUsage;
        return 2;
    }
    qputenv("QT_QPA_PLATFORM", "offscreen");
    try {
        // Qt asks for a private folder although nothing is put there, and complains where a machine gives none.
        const QTemporaryDir runtime;
        if (!qEnvironmentVariableIsSet("XDG_RUNTIME_DIR")) qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
        const QApplication application(argc, argv);
        // Without a font Qt draws boxes and calls it a success.
        if (!QFontDatabase::families().contains("DejaVu Sans"))
            throw std::runtime_error("the font DejaVu Sans is missing: install fonts-dejavu-core");
        const QStringList arguments = QApplication::arguments().mid(1);
        if (arguments.front() == "pages")
            strata::print_pages(arguments.mid(1));
        else if (arguments.front() == "report")
            print_report(arguments.mid(1));
        else
            print_chart(arguments);
        return 0;
    } catch (const strata::InputError& error) {
        std::cerr << "strata-print: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata-print: " << error.what() << '\n';
        return 3;
    }
}
