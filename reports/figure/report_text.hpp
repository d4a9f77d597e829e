// A Document as text that Qt can set: headings, paragraphs, tables, and charts as objects that draw themselves.
#pragma once

#include <QObject>
#include <QPicture>
#include <QTextDocument>
#include <QTextObjectInterface>
#include <vector>

#include "reports/document.hpp"

namespace strata {

// Draws the chart whose index its character carries, as wide as the page.
class ChartObject : public QObject, public QTextObjectInterface {
    Q_OBJECT
    Q_INTERFACES(QTextObjectInterface)
public:
    ChartObject(QSizeF size, QObject* parent) : QObject(parent), size_(size) {}
    int add(const Chart& chart);
    QSizeF intrinsicSize(QTextDocument*, int, const QTextFormat&) override { return size_; }
    void drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int, const QTextFormat& format) override;

private:
    QSizeF size_;
    std::vector<QPicture> pictures_;
};

// Of the text on a page, in dots of the device.
struct PageMeasure {
    double width = 1, height = 1, dots_per_inch = 1;
};

struct ReportText {
    std::vector<int> headings;  // the block of each section's heading, in order
    std::vector<int> leading;   // blocks that must not be the last on a page: these, and titles of tables
    std::vector<int> contents;  // the block of each entry of the contents
};

// Fills `text`; the contents say 0 as page until set_page does.
ReportText set_report(const Document& document, const PageMeasure& page, QTextDocument& text);
void set_page(QTextDocument& text, int contents_block, const QString& title, int page);

}  // namespace strata
