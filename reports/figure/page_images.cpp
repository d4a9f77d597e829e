#include "reports/figure/page_images.hpp"

#include <fmt/format.h>

#include <QAbstractTextDocumentLayout>
#include <QFontDatabase>
#include <QFontMetricsF>
#include <QPageSize>
#include <QPainter>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextLayout>
#include <algorithm>
#include <cmath>
#include <set>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr double kPointsPerInch = 72, kMillimetresPerInch = 25.4;
constexpr int kLineHeightPercent = 120;  // of the font's own: close print, as in books

QPageSize page_size(const std::string& name) {
    if (name == "A4") return QPageSize(QPageSize::A4);
    if (name == "A5") return QPageSize(QPageSize::A5);
    if (name == "Letter") return QPageSize(QPageSize::Letter);
    throw InputError("--page", "one of A4, A5, Letter", "'" + name + "'");
}

QFont font_of(const PageLayout& layout) {
    if (!QFontDatabase::families().contains(QString::fromStdString(layout.font)))
        throw InputError("--font", "a font that is installed", "'" + layout.font + "'");
    QFont font(QString::fromStdString(layout.font));
    // In pixels, so that the size is that of the page and not of a screen.
    font.setPixelSize(std::max(1, int(std::lround(layout.font_size * layout.dpi / kPointsPerInch))));
    return font;
}

// Without a glyph Qt draws a box and calls it a success.
void require_glyphs(const QString& text, const QFont& font, const std::string& name) {
    const QFontMetricsF metrics(font);
    std::set<uint> seen;
    int line = 1;
    for (const uint one : text.toUcs4()) {
        if (one == '\n') ++line;
        const QChar::Category category = QChar::category(one);
        const bool invisible = category == QChar::Other_Control || category == QChar::Other_Format;
        if (!seen.insert(one).second || invisible || QChar::isSpace(one)) continue;
        if (!metrics.inFontUcs4(one))
            throw InputError(fmt::format("{}:{}", name, line), "characters that an installed font has",
                             fmt::format("U+{:04X}", one));
    }
}

long words_in(const QString& text) {
    static const QRegularExpression spaces("\\s+");
    return long(text.split(spaces, Qt::SkipEmptyParts).size());
}

// The document is one strip, cut into pages between lines; a line belongs to the page that its top is on.
void count_lines(const QTextDocument& document, double page_height, std::vector<PageImage>& pages) {
    for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
        const QTextLayout& set = *block.layout();
        for (int i = 0; i < set.lineCount(); ++i) {
            const QTextLine line = set.lineAt(i);
            const QString text = block.text().mid(line.textStart(), line.textLength()).trimmed();
            if (text.isEmpty()) continue;
            const double top = set.position().y() + line.y();
            const auto at = std::min(pages.size() - 1, static_cast<std::size_t>(top / page_height));
            PageImage& page = pages[at];
            page.characters += long(text.toUcs4().size());
            page.words += words_in(text);
            page.text_tokens += estimated_tokens(text);
            ++page.lines;
        }
    }
}

void set_line_height(QTextDocument& document) {
    QTextCursor all(&document);
    all.select(QTextCursor::Document);
    QTextBlockFormat format;
    format.setLineHeight(kLineHeightPercent, QTextBlockFormat::ProportionalHeight);
    all.mergeBlockFormat(format);
}

}  // namespace

double estimated_tokens(const QString& text) {
    double tokens = 0;
    for (const uint one : text.toUcs4()) {
        const QChar::Script script = QChar::script(one);
        const bool ideograph = script == QChar::Script_Han || script == QChar::Script_Hiragana ||
                               script == QChar::Script_Katakana || script == QChar::Script_Hangul;
        tokens += ideograph ? kTokensPerIdeograph : kTokensPerCharacter;
    }
    return tokens;
}

std::vector<PageImage> page_images(const std::string& text, const PageLayout& layout, const std::string& name) {
    const QSizeF inches = page_size(layout.page).size(QPageSize::Inch);
    const QSize pixels(int(std::lround(inches.width() * layout.dpi)), int(std::lround(inches.height() * layout.dpi)));
    const double margin = std::round(layout.margin_mm / kMillimetresPerInch * layout.dpi);
    const double width = pixels.width() - 2 * margin, height = pixels.height() - 2 * margin;
    const QFont font = font_of(layout);
    const double line = QFontMetricsF(font).height() * kLineHeightPercent / 100;
    if (width < 10 * line || height < 2 * line)
        throw InputError("--font-size", fmt::format("a size of which {} with its margins holds lines", layout.page),
                         fmt::format("{} pt", layout.font_size));
    const QString contents = QString::fromStdString(text);
    require_glyphs(contents, font, name);

    QTextDocument document;
    document.setDocumentMargin(0);
    document.setDefaultFont(font);
    document.setPlainText(contents);
    set_line_height(document);
    document.setPageSize(QSizeF(width, height));
    std::vector<PageImage> pages(std::size_t(std::max(1, document.pageCount())));
    count_lines(document, height, pages);
    for (std::size_t i = 0; i < pages.size(); ++i) {
        QImage image(pixels, QImage::Format_RGB32);
        image.fill(Qt::white);
        QPainter painter(&image);
        painter.translate(margin, margin - double(i) * height);
        QAbstractTextDocumentLayout::PaintContext context;
        context.clip = QRectF(0, double(i) * height, width, height);
        context.palette.setColor(QPalette::Text, Qt::black);
        painter.setClipRect(context.clip);
        document.documentLayout()->draw(&painter, context);
        painter.end();
        pages[i].image = image;
    }
    return pages;
}

}  // namespace strata
