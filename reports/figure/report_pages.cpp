#include "reports/figure/report_pages.hpp"

#include <QAbstractTextDocumentLayout>
#include <QDateTime>
#include <QPainter>
#include <QPdfWriter>
#include <QTextBlock>
#include <filesystem>

#include "hwmodels/input_error.hpp"
#include "reports/figure/report_text.hpp"

namespace strata {

namespace {

constexpr int kDotsPerInch = 600;               // fine enough that letters stand where they should
constexpr double kMarginMm = 18, kHeadMm = 10;  // of the page; between its margin and the text
constexpr double kMmPerInch = 25.4;

double head_of(const PageMeasure& page) { return kHeadMm * page.dots_per_inch / kMmPerInch; }

int page_of(const QTextDocument& text, int block, double page_height) {
    const QRectF place = text.documentLayout()->blockBoundingRect(text.findBlockByNumber(block));
    return static_cast<int>(place.top() / page_height) + 1;
}

// A heading whose text begins on the next page goes there with it. Qt lays out anew only what it takes for changed, and
// leaves charts where they were: everything is marked as that.
void keep_with_next(QTextDocument& text, const ReportText& places, double page_height) {
    for (const int leading : places.leading) {
        const QTextBlock block = text.findBlockByNumber(leading);
        if (!block.next().isValid() || page_of(text, leading, page_height) == page_of(text, leading + 1, page_height))
            continue;
        QTextBlockFormat format = block.blockFormat();
        format.setPageBreakPolicy(QTextFormat::PageBreak_AlwaysBefore);
        QTextCursor(block).setBlockFormat(format);
        text.markContentsDirty(0, text.characterCount());
    }
}

class PagePainter {
public:
    PagePainter(QTextDocument& text, QPdfWriter& writer, const PageMeasure& page, const QString& title)
        : text_(text), painter_(&writer), page_(page), title_(title) {}

    void draw(int number, int of) {
        const double head = head_of(page_);
        QFont small("DejaVu Sans");
        small.setPointSizeF(7.5);
        painter_.setFont(small);
        painter_.setPen(QColor(90, 102, 117));
        const QRectF top(0, 0, page_.width, head), bottom(0, head + page_.height, page_.width, head);
        painter_.drawText(top, Qt::AlignLeft | Qt::AlignTop, title_);
        painter_.drawText(top, Qt::AlignRight | Qt::AlignTop, "Strata");
        painter_.drawText(bottom, Qt::AlignRight | Qt::AlignBottom, QString("page %1 of %2").arg(number).arg(of));
        painter_.save();
        painter_.translate(0, head - (number - 1) * page_.height);
        QAbstractTextDocumentLayout::PaintContext context;
        context.clip = QRectF(0, (number - 1) * page_.height, page_.width, page_.height);
        context.palette.setColor(QPalette::Text, Qt::black);
        painter_.setClipRect(context.clip);
        text_.documentLayout()->draw(&painter_, context);
        painter_.restore();
    }

private:
    QTextDocument& text_;
    QPainter painter_;
    const PageMeasure& page_;
    QString title_;
};

void write_pages(const Document& document, QPdfWriter& writer) {
    PageMeasure page{.width = double(writer.width()), .height = double(writer.height()), .dots_per_inch = kDotsPerInch};
    page.height -= 2 * head_of(page);
    QTextDocument text;
    text.setDocumentMargin(0);
    text.documentLayout()->setPaintDevice(&writer);
    const ReportText places = set_report(document, page, text);
    text.setPageSize(QSizeF(page.width, page.height));
    keep_with_next(text, places, page.height);
    for (std::size_t i = 0; i < places.contents.size(); ++i)
        set_page(text, places.contents[i], QString::fromStdString(document.sections[i].title),
                 page_of(text, places.headings[i], page.height));
    const int count = text.pageCount();
    PagePainter painter(text, writer, page, QString::fromStdString(document.title));
    for (int number = 1; number <= count; ++number) {
        if (number > 1) writer.newPage();
        painter.draw(number, count);
    }
}

}  // namespace

void save_pages(const Document& document, const std::string& file) {
    const std::string partial = file + ".partial";
    {
        QPdfWriter writer(QString::fromStdString(partial));
        writer.setResolution(kDotsPerInch);
        writer.setPageSize(QPageSize(QPageSize::A4));
        writer.setPageMargins(QMarginsF(kMarginMm, kMarginMm, kMarginMm, kMarginMm), QPageLayout::Millimeter);
        writer.setTitle(QString::fromStdString(document.title));
        writer.setCreator("strata-print");
        write_pages(document, writer);
    }
    std::error_code none;
    if (!std::filesystem::exists(partial, none) || std::filesystem::file_size(partial, none) == 0)
        throw InputError("cannot write " + file + ": is its folder there, and may you write into it?");
    std::filesystem::rename(partial, file);
}

}  // namespace strata
