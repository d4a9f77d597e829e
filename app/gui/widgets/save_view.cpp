// SVG goes by way of PDF and poppler's pdftocairo, as in reports/figure: Qt 6.4's own generator does not clip.
#include "app/gui/widgets/save_view.hpp"

#include <qcustomplot.h>

#include <QBuffer>
#include <QFileInfo>
#include <QPdfWriter>
#include <QProcess>
#include <QTemporaryDir>

#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"

namespace strata {

namespace {

constexpr double kPixelsInPicture = 2;  // of each on screen
constexpr int kScreenDpi = 96;

// What a plot shows on screen is a picture that it keeps; on paper its lines are drawn anew over that.
void draw_plots(QWidget& view, QCPPainter& painter) {
    for (QCustomPlot* plot : view.findChildren<QCustomPlot*>()) {
        if (!plot->isVisibleTo(&view)) continue;
        painter.save();
        painter.translate(plot->mapTo(&view, QPoint(0, 0)));
        plot->toPainter(&painter, plot->width(), plot->height());
        painter.restore();
    }
}

QByteArray pdf_of(QWidget& view) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(kScreenDpi);
    writer.setPageSize(QPageSize(QSizeF(view.size()) * 72 / kScreenDpi, QPageSize::Point));
    writer.setPageMargins({});
    writer.setCreator("strata-gui");
    QCPPainter painter;
    painter.begin(&writer);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    view.render(&painter, {}, {}, QWidget::DrawWindowBackground | QWidget::DrawChildren);
    draw_plots(view, painter);
    painter.end();
    return bytes;
}

std::string svg_of(QWidget& view) {
    const QTemporaryDir folder;
    const QString pdf = folder.filePath("view.pdf"), svg = folder.filePath("view.svg");
    write_whole(pdf.toStdString(), pdf_of(view).toStdString());
    QProcess converter;
    converter.start("pdftocairo", {"-svg", pdf, svg});
    if (!converter.waitForStarted())
        throw InputError("pdftocairo, which makes SVG, cannot be started: install poppler-utils");
    if (!converter.waitForFinished(60000) || converter.exitCode() != 0)
        throw std::runtime_error("pdftocairo failed: " + converter.readAllStandardError().toStdString());
    return whole_file(svg.toStdString());
}

std::string png_of(QWidget& view) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    picture_of(view).save(&buffer, "PNG");
    return bytes.toStdString();
}

}  // namespace

QImage picture_of(QWidget& view) {
    QImage image(view.size() * kPixelsInPicture, QImage::Format_RGB32);
    image.setDevicePixelRatio(kPixelsInPicture);
    image.fill(view.palette().color(QPalette::Window));
    view.render(&image);
    return image;
}

void save_view(QWidget& view, const QString& file) {
    const QString ending = QFileInfo(file).suffix().toLower();
    if (ending == "png") return write_whole(file.toStdString(), png_of(view));
    if (ending == "pdf") return write_whole(file.toStdString(), pdf_of(view).toStdString());
    if (ending == "svg") return write_whole(file.toStdString(), svg_of(view));
    if (ending == "csv") return write_whole(file.toStdString(), numbers_of(view).toStdString());
    throw InputError(file.toStdString(), "a name that ends in .png, .svg, .pdf or .csv",
                     ending.isEmpty() ? "no ending" : "'." + ending.toStdString() + "'");
}

}  // namespace strata
