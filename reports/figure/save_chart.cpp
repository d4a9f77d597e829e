// SVG goes by way of PDF and poppler's pdftocairo: the SVG generator of Qt 6.4 does not clip, so data would run over
// the labels.
#include "reports/figure/save_chart.hpp"

#include <qcustomplot.h>

#include <QProcess>
#include <QTemporaryDir>
#include <filesystem>

#include "hwmodels/input_error.hpp"
#include "reports/figure/draw_chart.hpp"

namespace strata {

namespace {

constexpr int kWidth = 760, kHeight = 460;

void to_svg(const QString& pdf, const QString& svg) {
    QProcess converter;
    converter.start("pdftocairo", {"-svg", pdf, svg});
    if (!converter.waitForStarted())
        throw std::runtime_error("pdftocairo, which makes SVG, cannot be started: install poppler-utils");
    if (!converter.waitForFinished(60000) || converter.exitCode() != 0)
        throw std::runtime_error("pdftocairo failed: " + converter.readAllStandardError().toStdString());
}

}  // namespace

void save_chart(const Chart& chart, const std::string& file) {
    namespace fs = std::filesystem;
    const std::string ending = fs::path(file).extension().string();
    QCustomPlot plot;
    plot.setViewport(QRect(0, 0, kWidth, kHeight));  // a widget that is never shown hears of no size
    draw_chart(chart, plot);
    const QString title = QString::fromStdString(chart.title);
    const QString partial = QString::fromStdString(file + ".partial");
    bool saved = true;
    if (ending == ".png") {
        saved = plot.savePng(partial, kWidth, kHeight, 2);
    } else if (ending == ".pdf") {
        saved = plot.savePdf(partial, kWidth, kHeight, QCP::epNoCosmetic, "strata-print", title);
    } else if (ending == ".svg") {
        const QTemporaryDir folder;
        const QString pdf = folder.filePath("chart.pdf");
        saved = plot.savePdf(pdf, kWidth, kHeight, QCP::epNoCosmetic, "strata-print", title);
        if (saved) to_svg(pdf, partial);
    } else {
        throw InputError(file, "a name that ends in .png, .svg or .pdf", "'" + ending + "'");
    }
    if (!saved) throw InputError("cannot write " + file + ": is its folder there, and may you write into it?");
    fs::rename(partial.toStdString(), file);
}

}  // namespace strata
