#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "hwmodels/sha256.hpp"
#include "reports/files.hpp"
#include "reports/render/chart_json.hpp"
#include "reports/render/document_json.hpp"
#include "reports/render/html.hpp"
#include "reports/render/results_csv.hpp"
#include "reports/render/results_json.hpp"
#include "tests/reports/hand_made_study.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;

std::string page() { return html_of(ReportFixture().document(), page_assets(kRoot)); }

TEST(Html, loads_nothing_from_anywhere) {
    const std::string html = page();
    EXPECT_FALSE(std::regex_search(html, std::regex("<(script|link|img|iframe)[^>]*(src|href)=")));
    EXPECT_EQ(html.find("url(http"), std::string::npos);
    EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(Html, shows_what_users_wrote_as_text) {
    const std::string html = page();
    EXPECT_EQ(html.find("</script><b>"), std::string::npos);
    EXPECT_NE(html.find("hand-made &lt;/script&gt;&lt;b&gt;"), std::string::npos);
    EXPECT_NE(html.find("a, &quot;quoted&quot; &amp; &lt;odd&gt; study"), std::string::npos);
}

TEST(Html, hostile_names_are_text_everywhere) {
    const std::string evil = "\"><img src=x onerror=alert(1)></title></script><script>alert(1)</script>&'`";
    Document document{.title = evil, .subtitle = evil, .sections = {{.title = evil}}, .scope = {{evil, evil}}};
    Section& section = document.sections[0];
    section.paragraphs = section.footnotes = {evil};
    section.charts = {{.name = evil, .title = evil, .x = {.label = evil, .categories = {evil}}, .y = {evil}}};
    section.charts[0].series = {{.name = evil, .style = SeriesStyle::bar, .points = {{0, 1}}}};
    section.tables = {{.title = evil, .columns = {evil}, .rows = {{evil}}, .folded = true}};
    const PageAssets assets{.style = "STYLE", .script = "SCRIPT", .chart_library = "LIBRARY"};
    const std::string html = html_of(document, assets, {{evil, "<svg>" + evil + "</svg>"}});
    EXPECT_EQ(html.find("<img src=x"), std::string::npos);
    EXPECT_EQ(html.find("<script>alert"), std::string::npos);
    EXPECT_EQ(html.find("\"><img src"), std::string::npos);
    const std::regex script("<script");
    EXPECT_EQ(std::distance(std::sregex_iterator(html.begin(), html.end(), script), std::sregex_iterator()), 3);
}

TEST(Html, has_a_picture_of_each_chart_for_readers_without_scripts) {
    Document document{.title = "t", .subtitle = "", .sections = {{.title = "s"}}};
    document.sections[0].charts = {{.name = "c", .title = "C", .x = {"x"}, .y = {"y"}}};
    // RFC 4648, section 10: "foobar" is Zm9vYmFy, "fooba" is Zm9vYmE=, "foob" is Zm9vYg==.
    for (const auto& [svg, encoded] : {std::pair{"foobar", "Zm9vYmFy"}, {"fooba", "Zm9vYmE="}, {"foob", "Zm9vYg=="}})
        EXPECT_NE(html_of(document, {}, {{"c", svg}})
                      .find(std::string("<noscript><img alt=\"C\" src=\"data:image/svg+xml;base64,") + encoded + "\">"),
                  std::string::npos);
}

TEST(Html, lists_its_sections_after_the_answer) {
    const std::string html = page();
    const std::size_t answer = html.find("<h2>Verdict"), contents = html.find("<nav aria-label=\"Contents\">");
    EXPECT_LT(answer, contents);
    for (std::smatch found; std::regex_search(html, found, std::regex("href=\"#(s[0-9]+)\""));) {
        EXPECT_NE(page().find("<section id=\"" + found[1].str() + "\""), std::string::npos);
        break;
    }
}

TEST(Html, data_in_a_script_cannot_end_it) {
    Document document{.title = "t", .subtitle = "", .sections = {{.title = "s"}}};
    document.sections[0].charts = {{.name = "c", .title = "</script><!--", .x = {"x"}, .y = {"y"}}};
    const std::string html = html_of(document, page_assets(kRoot));
    EXPECT_EQ(html.find("</script><!--"), std::string::npos);
    EXPECT_NE(html.find("\\u003c/script>"), std::string::npos);
}

TEST(Html, charts_in_the_page_are_those_of_the_document) {
    const std::string html = page(), opening = "id=\"charts\">";
    const std::size_t from = html.find(opening) + opening.size();
    const auto charts = nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
    EXPECT_DOUBLE_EQ(charts["latency"]["series"][0]["points"][1][1].get<double>(), 20 * 1.1);
}

TEST(ChartJson, survives_the_way_there_and_back) {
    for (const Chart& chart : figures_of(ReportFixture().document())) {
        const std::string text = to_json(chart).dump();
        EXPECT_EQ(to_json(chart_from_json(text, "test")).dump(), text);
    }
}

TEST(ChartJson, says_which_file_is_wrong) {
    try {
        chart_from_json("{\"schema\": \"other\"}", "some.json");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("some.json"), std::string::npos);
    }
}

TEST(ResultsCsv, numbers_are_read_back_exactly_and_odd_settings_stay_in_their_cell) {
    Study study = hand_made_study();
    study.results[0].settings[1].second = "a,\"b\"";
    const std::string csv = results_csv(study);
    std::istringstream lines(csv);
    std::string head, first;
    std::getline(lines, head);
    std::getline(lines, first);
    EXPECT_EQ(head.rfind("model.rho,placement.engram.tier,engine,status,bottleneck,", 0), 0u);
    EXPECT_EQ(first.rfind("0.4,\"a,\"\"b\"\"\",analytic,ok,memory,", 0), 0u) << first;
    const std::string rest = first.substr(first.find("memory,") + 7);
    EXPECT_DOUBLE_EQ(std::stod(rest), 512e3 / 10);  // the first metric is decode.tokens_per_s
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 13);
}

TEST(ResultsJson, same_study_gives_the_same_bytes_without_a_date) {
    Manifest today{.version = "1", .scenario_file = "s", .overrides = {}, .command = "one", .date = "today"};
    Manifest later = today;
    later.date = later.command = "later";
    const std::string text = results_json(hand_made_study(), {}, today);
    EXPECT_EQ(text, results_json(hand_made_study(), {}, later));
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["schema"], "strata-results/1");
    EXPECT_EQ(json["points"].size(), 12u);
    EXPECT_EQ(json["points"][11]["status"], "infeasible");
}

// FIPS 180-2, appendix B.1.
TEST(Sha256, is_the_standard_one) {
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ReportDate, is_the_given_epoch) {
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    EXPECT_EQ(report_date(), "1970-01-02 00:00 UTC");
    unsetenv("SOURCE_DATE_EPOCH");
}

TEST(WriteWhole, leaves_nothing_half_written) {
    const ScratchFolder folder;
    const fs::path file = folder / "no_such_folder/x.txt";
    EXPECT_THROW(write_whole(file, "text"), InputError);
    EXPECT_FALSE(fs::exists(file));
}

struct Finished {
    int status;
    std::string output;
};
Finished finished(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += char(c);
    return {WEXITSTATUS(pclose(pipe)), output};
}
const std::string kPrograms = STRATA_BINARY_DIR;

TEST(StrataPrint, draws_every_kind_of_picture) {
    const fs::path program = fs::path(kPrograms) / "strata-print";
    if (!fs::exists(program)) GTEST_SKIP() << "strata-print is not built: Qt6 or QCustomPlot is missing";
    const ScratchFolder folder;
    write_whole(folder / "c.json", to_json(figures_of(ReportFixture().document()).front()).dump());
    const std::string at = folder / "c.";
    const Finished print = finished(program.string() + " " + at + "json " + at + "png " + at + "svg " + at + "pdf");
    ASSERT_EQ(print.status, 0) << print.output;
    EXPECT_EQ(whole_file(at + "png").substr(1, 3), "PNG");
    EXPECT_NE(whole_file(at + "svg").find("<svg"), std::string::npos);
    EXPECT_GT(fs::file_size(at + "png"), 10000u);
    EXPECT_NE(finished("pdftotext " + at + "pdf -").output.find("Quality against speed"), std::string::npos);
}

// Of each page: the header is the first line, the footer the last.
TEST(StrataPrint, sets_a_report_into_pages_with_header_footer_and_contents) {
    const fs::path program = fs::path(kPrograms) / "strata-print";
    if (!fs::exists(program)) GTEST_SKIP() << "strata-print is not built: Qt6 or QCustomPlot is missing";
    const ScratchFolder folder;
    const Document document = ReportFixture().document();
    write_whole(folder / "report.json", document_json(document));
    const std::string at = folder.path();
    const Finished print = finished(program.string() + " report " + at + "/report.json --pdf " + at + "/report.pdf");
    ASSERT_EQ(print.status, 0) << print.output;
    std::istringstream text(finished("pdftotext -layout " + at + "/report.pdf -").output);
    std::vector<std::string> pages;
    for (std::string page; std::getline(text, page, '\f');)
        if (page.find_first_not_of(" \n") != std::string::npos) pages.push_back(page);
    ASSERT_GT(pages.size(), 3u);
    for (std::size_t i = 0; i < pages.size(); ++i) {
        EXPECT_NE(pages[i].find("hand-made </script><b>"), std::string::npos) << i;
        EXPECT_NE(pages[i].find("page " + std::to_string(i + 1) + " of " + std::to_string(pages.size())),
                  std::string::npos)
            << i;
    }
    // Every section is listed with the page that it really begins on.
    for (const Section& section : document.sections) {
        std::smatch entry;
        const std::regex line(std::regex_replace(section.title, std::regex("\\?"), "\\?") + " +([0-9]+)\n");
        std::string all;
        for (const std::string& page : pages) all += page;
        ASSERT_TRUE(std::regex_search(all, entry, line)) << section.title;
        const auto number = static_cast<std::size_t>(std::stoi(entry[1]));
        ASSERT_LE(number, pages.size());
        EXPECT_NE(pages[number - 1].find(section.title + "\n"), std::string::npos) << section.title;
    }
}

TEST(StrataRun, says_that_a_folder_cannot_be_written_before_it_runs_anything) {
    const Finished run =
        finished(kPrograms + "/strata run " + kRoot + "/scenarios/examples/engram-tiers.yaml --out /dev/null/report");
    EXPECT_EQ(run.status, 2);
    EXPECT_NE(run.output.find("/dev/null/report: expected a folder to write into"), std::string::npos) << run.output;
    EXPECT_EQ(run.output.find("TPOT"), std::string::npos);
}

}  // namespace
}  // namespace strata
