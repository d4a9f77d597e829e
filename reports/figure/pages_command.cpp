#include "reports/figure/pages_command.hpp"

#include <fmt/format.h>

#include <QCommandLineParser>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "reports/figure/page_images.hpp"
#include "reports/files.hpp"

namespace strata {

namespace fs = std::filesystem;

const char* const kPagesUsage =
    "strata-print pages TEXTFILE --out DIR [--page A4|A5|Letter] [--dpi 96] [--font-size 10] [--margin 15] [--font "
    "NAME]: pictures of a text's pages into DIR, and what each holds as lines of JSON\n";

namespace {

// An estimate: a tenth of a token says enough.
double rounded(double tokens) { return std::round(tokens * 10) / 10; }

double number(const QCommandLineParser& parser, const QString& option, double from, double to) {
    bool fine = false;
    const double value = parser.value(option).toDouble(&fine);
    if (!fine || !(value >= from && value <= to))
        throw InputError("--" + option.toStdString(), fmt::format("a number from {} to {}", from, to),
                         "'" + parser.value(option).toStdString() + "'");
    return value;
}

// The last page is seldom full, so it tells nothing about full ones.
nlohmann::ordered_json summary(const std::vector<PageImage>& pages) {
    long characters = 0, words = 0;
    double tokens = 0, of_full_pages = 0;
    for (std::size_t i = 0; i < pages.size(); ++i) {
        characters += pages[i].characters, words += pages[i].words, tokens += pages[i].text_tokens;
        if (i + 1 < pages.size()) of_full_pages += pages[i].text_tokens;
    }
    nlohmann::ordered_json line{
        {"pages", pages.size()}, {"characters", characters}, {"words", words}, {"text_tokens", rounded(tokens)}};
    if (pages.size() > 1)
        line["text_tokens_per_page"] = rounded(of_full_pages / double(pages.size() - 1));
    else
        line["text_tokens_per_page"] = nullptr;
    line["tokens_origin"] = "assumed";
    line["tokens_source"] = kTokensSource;
    return line;
}

}  // namespace

void print_pages(const QStringList& arguments) {
    QCommandLineParser parser;
    const PageLayout usual;
    parser.addOption({"out", "", "DIR"});
    parser.addOption({"page", "", "NAME", QString::fromStdString(usual.page)});
    parser.addOption({"dpi", "", "NUMBER", QString::number(usual.dpi)});
    parser.addOption({"font-size", "", "POINTS", QString::number(usual.font_size)});
    parser.addOption({"margin", "", "MM", QString::number(usual.margin_mm)});
    parser.addOption({"font", "", "NAME", QString::fromStdString(usual.font)});
    if (!parser.parse(QStringList("strata-print") + arguments)) throw InputError(parser.errorText().toStdString());
    if (parser.positionalArguments().size() != 1 || !parser.isSet("out")) throw InputError(kPagesUsage);
    const std::string file = parser.positionalArguments().front().toStdString();
    const fs::path folder = parser.value("out").toStdString();
    const PageLayout layout{.page = parser.value("page").toStdString(),
                            .dpi = number(parser, "dpi", 30, 1200),
                            .font_size = number(parser, "font-size", 1, 200),
                            .margin_mm = number(parser, "margin", 0, 100),
                            .font = parser.value("font").toStdString()};
    const std::string text = whole_file(file);
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw InputError(file, "a text", "nothing but spaces");
    const std::vector<PageImage> pages = page_images(text, layout, file);
    const OutputFolder writable(folder);
    for (std::size_t i = 0; i < pages.size(); ++i) {
        const PageImage& page = pages[i];
        const std::string name = fmt::format("page-{:04}.png", i + 1);
        if (!page.image.save(QString::fromStdString((folder / name).string()), "PNG"))
            throw InputError("cannot write " + (folder / name).string());
        std::cout << nlohmann::ordered_json{{"page", i + 1},
                                            {"file", name},
                                            {"width", page.image.width()},
                                            {"height", page.image.height()},
                                            {"lines", page.lines},
                                            {"words", page.words},
                                            {"characters", page.characters},
                                            {"text_tokens", rounded(page.text_tokens)}}
                         .dump()
                  << '\n';
    }
    std::cout << summary(pages).dump() << '\n';
}

}  // namespace strata
