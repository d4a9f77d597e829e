// A text as pictures of its pages, set as a printed page is: what optical context compression feeds its encoder. What
// each page holds is counted, so that the text tokens of a page come from pages that were really set.
#pragma once

#include <QImage>
#include <string>
#include <vector>

namespace strata {

struct PageLayout {
    std::string page = "A4";  // A4, A5, Letter
    double dpi = 96;          // A4: 794 x 1123 pixels
    double font_size = 10;    // points
    double margin_mm = 15;
    std::string font = "DejaVu Sans";
};

struct PageImage {
    QImage image;
    long characters = 0;  // without line ends and spaces at the ends of lines
    long words = 0;
    long lines = 0;
    double text_tokens = 0;  // assumed, by kTokensPerCharacter
};

// DeepSeek's own rule of thumb (api-docs.deepseek.com/quick_start/token_usage): tokens of a character, English and
// Chinese. What a tokenizer really makes of a text differs by tens of percent.
inline constexpr double kTokensPerCharacter = 0.3, kTokensPerIdeograph = 0.6;
inline constexpr const char* kTokensSource = "0.3 a character, 0.6 an ideograph: api-docs.deepseek.com, token usage";

double estimated_tokens(const QString& text);

// Needs a QGuiApplication. `name` is what errors call the text. Throws InputError for an unknown page, a font that is
// not there or so large that a page holds no line, and for a character that no font has.
std::vector<PageImage> page_images(const std::string& text, const PageLayout& layout, const std::string& name);

}  // namespace strata
