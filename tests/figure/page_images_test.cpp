#include "reports/figure/page_images.hpp"

#include <gtest/gtest.h>

#include <QRegularExpression>
#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

// 400 lines of prose, each of nine words with letters that reach below the line.
std::string prose(int sentences = 400) {
    std::string text;
    for (int i = 0; i < sentences; ++i) text += "Every page of this copy judges glyphs by quality. ";
    return text;
}

struct Ink {
    int top = -1, bottom = -1, left = -1, right = -1;
    long pixels = 0;
};

Ink ink_of(const QImage& image) {
    Ink ink;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x) {
            if (qGray(image.pixel(x, y)) > 128) continue;
            ink.top = ink.top < 0 ? y : ink.top;
            ink.bottom = y;
            ink.left = ink.left < 0 ? x : std::min(ink.left, x);
            ink.right = std::max(ink.right, x);
            ++ink.pixels;
        }
    return ink;
}

// Rows of a page that hold ink, as runs from top to bottom: the lines of text.
std::vector<std::pair<int, int>> printed_lines(const QImage& image) {
    std::vector<std::pair<int, int>> lines;
    bool in_line = false;
    for (int y = 0; y < image.height(); ++y) {
        bool ink = false;
        for (int x = 0; x < image.width() && !ink; ++x) ink = qGray(image.pixel(x, y)) <= 128;
        if (ink && !in_line) lines.push_back({y, y});
        if (ink) lines.back().second = y;
        in_line = ink;
    }
    return lines;
}

TEST(PageImages, a_larger_font_takes_no_fewer_pages) {
    std::size_t before = 0;
    for (const double size : {6, 8, 10, 14, 20}) {
        const std::size_t pages = page_images(prose(), {.font_size = size}, "test").size();
        EXPECT_GE(pages, before) << size;
        before = pages;
    }
    EXPECT_GT(before, page_images(prose(), {.font_size = 6}, "test").size());
}

TEST(PageImages, are_of_the_paper_s_size_and_keep_its_margins) {
    const std::vector<PageImage> pages = page_images(prose(), {.dpi = 100, .margin_mm = 25.4}, "test");
    ASSERT_GT(pages.size(), 1u);
    for (const PageImage& page : pages) {
        EXPECT_EQ(page.image.width(), 827);    // 8.27 inches
        EXPECT_EQ(page.image.height(), 1169);  // 11.69 inches
        const Ink ink = ink_of(page.image);
        EXPECT_GT(ink.pixels, 1000);
        EXPECT_GE(ink.top, 100);  // an inch
        EXPECT_LE(ink.bottom, 1169 - 100);
        EXPECT_GE(ink.left, 98);  // a glyph may overhang by a pixel
        EXPECT_LE(ink.right, 827 - 98);
    }
}

// Every line has letters that reach up (E, d, l) and down (p, g, y), so a line that is cut is lower than the others.
TEST(PageImages, cut_no_line) {
    for (const double size : {7, 10, 13}) {
        const std::vector<PageImage> pages = page_images(prose(), {.font_size = size}, "test");
        for (std::size_t i = 0; i + 1 < pages.size(); ++i) {
            const auto lines = printed_lines(pages[i].image);
            ASSERT_EQ(long(lines.size()), pages[i].lines) << "page " << i << " at " << size;
            const auto height = [](const auto& line) { return line.second - line.first; };
            EXPECT_NEAR(height(lines.back()), height(lines[lines.size() / 2]), 2) << "page " << i << " at " << size;
            EXPECT_NEAR(height(lines.front()), height(lines[lines.size() / 2]), 2) << "page " << i << " at " << size;
        }
    }
}

TEST(PageImages, hold_the_whole_text_between_them) {
    long words = 0, characters = 0;
    double tokens = 0;
    for (const PageImage& page : page_images(prose(), {}, "test")) {
        words += page.words, characters += page.characters, tokens += page.text_tokens;
    }
    EXPECT_EQ(words, 400 * 9);
    // 49 characters a sentence and a space behind it; spaces at the ends of lines are not printed.
    EXPECT_LE(characters, 400 * 50);
    EXPECT_GT(characters, 400 * 49);
    EXPECT_NEAR(tokens, 0.3 * double(characters), 1e-6);
}

TEST(PageImages, count_ideographs_apart) {
    EXPECT_NEAR(estimated_tokens(QString::fromUtf8("ab")), 0.6, 1e-12);
    EXPECT_NEAR(estimated_tokens(QString::fromUtf8("\xE4\xB8\xAD\xE6\x96\x87")), 1.2, 1e-12);
}

TEST(PageImages, refuse_what_cannot_be_set) {
    EXPECT_THROW(page_images("x", {.page = "B7"}, "test"), InputError);
    EXPECT_THROW(page_images("x", {.font_size = 400}, "test"), InputError);
    EXPECT_THROW(page_images("x", {.font = "No Such Font"}, "test"), InputError);
    EXPECT_THROW(page_images("fine\n\xF3\xB0\x80\x80", {}, "test"), InputError);  // U+F0000 is in no font
}

TEST(StrataPrint, pages_writes_a_picture_for_each_line_of_json) {
    const ScratchFolder folder;
    const std::string text = folder.write("text.txt", prose()), out = folder / "pages";
    const std::string command = std::string(STRATA_BINARY_DIR) + "/strata-print pages " + text + " --out " + out +
                                " --font-size 12 --dpi 72 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string answer;
    std::array<char, 4096> part{};
    while (fgets(part.data(), int(part.size()), pipe)) answer += part.data();
    ASSERT_EQ(pclose(pipe), 0) << answer;
    std::istringstream lines(answer);
    int pages = 0;
    nlohmann::json last;
    for (std::string line; std::getline(lines, line);) {
        last = nlohmann::json::parse(line);
        if (!last.contains("file")) continue;
        ++pages;
        const QImage image(QString::fromStdString(out + "/" + last["file"].get<std::string>()));
        EXPECT_EQ(image.width(), last["width"].get<int>());
        EXPECT_GT(ink_of(image).pixels, 500);
    }
    EXPECT_GT(pages, 2);
    EXPECT_EQ(last["pages"], pages);
    EXPECT_EQ(last["words"], 400 * 9);
    EXPECT_EQ(last["tokens_origin"], "assumed");
    EXPECT_GT(last["text_tokens_per_page"].get<double>(), last["text_tokens"].get<double>() / pages);
}

}  // namespace
}  // namespace strata
