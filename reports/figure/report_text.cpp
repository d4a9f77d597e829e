#include "reports/figure/report_text.hpp"

#include <qcustomplot.h>

#include <QTextBlock>
#include <QTextCursor>
#include <QTextTable>
#include <algorithm>

#include "reports/figure/draw_chart.hpp"
#include "reports/numeric_columns.hpp"

namespace strata {

namespace {

constexpr int kChartObject = QTextFormat::UserObject + 1, kChartIndex = QTextFormat::UserProperty + 1;
// Qt scales margins, borders and tabs from a screen's 96 dots per inch to the device's; sizes of objects it does not.
constexpr double kScreen = 96, kMm = kScreen / 25.4;
constexpr int kChartWidth = 760, kChartHeight = 430;  // as it is drawn, before it is scaled to the page
const QColor kInk(28, 36, 48), kSoft(90, 102, 117), kLine(217, 223, 230);
constexpr std::size_t kMostReferenceRows = 60;  // of reference material; results.csv has all

QTextCharFormat letters(double points, bool bold = false, const QColor& colour = kInk) {
    QTextCharFormat format;
    format.setFontFamilies({"DejaVu Sans"});
    format.setFontPointSize(points);
    format.setFontWeight(bold ? QFont::Bold : QFont::Normal);
    format.setForeground(colour);
    return format;
}

// Long names and paths may break after what joins their parts.
QString breakable(const std::string& text) {
    constexpr int kLong = 24;
    QString whole = QString::fromStdString(text), set;
    int since_space = 0;
    for (const QChar c : whole) {
        set += c;
        since_space = c.isSpace() ? 0 : since_space + 1;
        const bool joint = QString("/._-,=").contains(c) && since_space > 6;
        if (joint || since_space >= kLong) {
            set += QChar(0x200b);
            since_space = 0;
        }
    }
    return set;
}

class Setter {
public:
    Setter(const PageMeasure& page, QTextDocument& text) : page_(page), text_(text), cursor_(&text) {
        objects_ = new ChartObject(QSizeF(page.width, page.width * kChartHeight / kChartWidth), &text);
        text.documentLayout()->registerHandler(kChartObject, objects_);
    }

    ReportText set(const Document& document) {
        ReportText places;
        paragraph(document.title, letters(20, true), 0, 1, true);
        paragraph(document.subtitle, letters(11, false, kSoft), 0, 3);
        for (const auto& [what, value] : document.scope)
            paragraph(what + ": " + value, letters(8.5, false, kSoft), 0, 0.6);
        for (std::size_t i = 0; i < document.sections.size(); ++i) {
            if (i == 1) contents(document, places);
            places.headings.push_back(paragraph(document.sections[i].title, letters(14, true), i == 0 ? 6 : 7, 2));
            leading_.push_back(places.headings.back());
            section(document.sections[i], i == 0);
        }
        places.leading = leading_;
        return places;
    }

private:
    // Returns its block.
    int paragraph(const std::string& what, const QTextCharFormat& format, double above_mm, double below_mm,
                  bool first = false) {
        QTextBlockFormat block;
        block.setTopMargin(above_mm * kMm);
        block.setBottomMargin(below_mm * kMm);
        block.setLineHeight(116, QTextBlockFormat::ProportionalHeight);
        cursor_.movePosition(QTextCursor::End);
        if (first)
            cursor_.setBlockFormat(block);
        else
            cursor_.insertBlock(block);
        cursor_.insertText(breakable(what), format);
        return cursor_.block().blockNumber();
    }

    void contents(const Document& document, ReportText& places) {
        paragraph("Contents", letters(11, true), 6, 1.5);
        for (const Section& section : document.sections) {
            const int block = paragraph("", letters(9), 0, 0.5);
            places.contents.push_back(block);
            QTextBlockFormat format = text_.findBlockByNumber(block).blockFormat();
            format.setTabPositions(
                {QTextOption::Tab(page_.width * kScreen / page_.dots_per_inch, QTextOption::RightTab)});
            QTextCursor(text_.findBlockByNumber(block)).setBlockFormat(format);
            set_page(text_, block, QString::fromStdString(section.title), 0);
        }
    }

    void section(const Section& section, bool answer) {
        bool first = answer;
        for (const std::string& text : section.paragraphs) {
            paragraph(text, letters(first ? 10.5 : 9.5, first), 0, 1.6);
            first = false;
        }
        for (const Chart& chart : section.charts) figure(chart);
        for (const Table& table : section.tables) set(table);
        for (const std::string& note : section.footnotes) paragraph(note, letters(7.5, false, kSoft), 0.8, 0);
    }

    void figure(const Chart& chart) {
        paragraph("", letters(9), 2, 2);
        QTextBlockFormat line = cursor_.blockFormat();
        line.setLineHeight(100, QTextBlockFormat::ProportionalHeight);
        cursor_.setBlockFormat(line);
        QTextCharFormat format;
        format.setObjectType(kChartObject);
        format.setProperty(kChartIndex, objects_->add(chart));
        cursor_.insertText(QString(QChar::ObjectReplacementCharacter), format);
    }

    void set(const Table& table) {
        if (table.rows.empty()) return;
        if (table.folded && table.rows.size() > kMostReferenceRows) {
            paragraph(table.title + " has " + std::to_string(table.rows.size()) +
                          " rows; they are in the HTML report and the files beside it.",
                      letters(8.5, false, kSoft), 2, 0);
            return;
        }
        if (!table.title.empty()) leading_.push_back(paragraph(table.title, letters(9, true), 3, 1));
        const int columns = static_cast<int>(table.columns.size());
        const double points = columns > 8 ? 6.2 : columns > 5 ? 7 : 7.8;
        QTextTableFormat format;
        format.setWidth(QTextLength(QTextLength::PercentageLength, 100));
        format.setHeaderRowCount(1);
        format.setBorder(0);
        format.setCellSpacing(0);
        format.setCellPadding(0.7 * kMm);
        cursor_.movePosition(QTextCursor::End);
        QTextTable& set = *cursor_.insertTable(static_cast<int>(table.rows.size()) + 1, columns, format);
        const std::vector<bool> numeric = numeric_columns(table);
        fill(set, 0, table.columns, letters(points, true, kSoft), numeric);
        for (std::size_t row = 0; row < table.rows.size(); ++row)
            fill(set, static_cast<int>(row) + 1, table.rows[row], letters(points), numeric);
    }

    static void fill(QTextTable& table, int row, const std::vector<std::string>& cells, const QTextCharFormat& format,
                     const std::vector<bool>& numeric) {
        for (int column = 0; column < table.columns() && column < static_cast<int>(cells.size()); ++column) {
            QTextTableCell cell = table.cellAt(row, column);
            QTextTableCellFormat border = cell.format().toTableCellFormat();
            border.setBottomBorder(0.15 * kMm);
            border.setBottomBorderStyle(QTextFrameFormat::BorderStyle_Solid);
            border.setBottomBorderBrush(row == 0 ? kSoft : kLine);
            cell.setFormat(border);
            QTextCursor into = cell.firstCursorPosition();
            const auto index = static_cast<std::size_t>(column);
            if (numeric[index]) {
                QTextBlockFormat right;
                right.setAlignment(Qt::AlignRight);
                into.setBlockFormat(right);
            }
            into.insertText(breakable(cells[index]), format);
        }
    }

    const PageMeasure& page_;
    QTextDocument& text_;
    QTextCursor cursor_;
    ChartObject* objects_;
    std::vector<int> leading_;
};

}  // namespace

int ChartObject::add(const Chart& chart) {
    QCustomPlot plot;
    plot.setViewport(QRect(0, 0, kChartWidth, kChartHeight));
    draw_chart(chart, plot);
    QPicture picture;
    {
        QCPPainter painter(&picture);
        painter.setMode(QCPPainter::pmVectorized);
        painter.setMode(QCPPainter::pmNoCaching);
        plot.toPainter(&painter, kChartWidth, kChartHeight);
    }
    pictures_.push_back(picture);
    return static_cast<int>(pictures_.size()) - 1;
}

void ChartObject::drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int, const QTextFormat& format) {
    // Each page is drawn with a clip of its own, which the clips inside a picture would replace: a chart lies on one
    // page.
    if (!painter->clipBoundingRect().contains(rect.center())) return;
    painter->save();
    painter->translate(rect.topLeft());
    const QPicture& picture = pictures_[static_cast<std::size_t>(format.intProperty(kChartIndex))];
    painter->scale(rect.width() / kChartWidth, rect.width() / kChartWidth);
    // drawPicture scales from the picture's dots to the device's, which the scale above has done already.
    const double dots = double(picture.logicalDpiX()) / painter->device()->logicalDpiX();
    painter->scale(dots, dots);
    painter->drawPicture(0, 0, picture);
    painter->restore();
}

ReportText set_report(const Document& document, const PageMeasure& page, QTextDocument& text) {
    return Setter(page, text).set(document);
}

void set_page(QTextDocument& text, int contents_block, const QString& title, int page) {
    QTextCursor cursor(text.findBlockByNumber(contents_block));
    cursor.movePosition(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
    cursor.insertText(QString("%1\t%2").arg(title).arg(page), letters(9));
}

}  // namespace strata
