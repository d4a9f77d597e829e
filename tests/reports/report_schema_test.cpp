// Reports and results as JSON are what their schemas say, and survive the way there and back.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>

#include "hwmodels/input_error.hpp"
#include "hwmodels/run_program.hpp"
#include "reports/files.hpp"
#include "reports/render/document_json.hpp"
#include "reports/render/markdown.hpp"
#include "reports/render/results_json.hpp"
#include "sim/scenario/schema.hpp"
#include "tests/json_schema.hpp"
#include "tests/reports/hand_made_study.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Schema& schema(const std::string& kind) {
    static const Schema report(schema_of("report", kRoot + "/scenarios/schema")),
        results(schema_of("results", kRoot + "/scenarios/schema"));
    return kind == "report" ? report : results;
}

std::string ran(const std::string& command) {
    FILE* pipe =
        popen((std::string(STRATA_BINARY_DIR) + "/strata run " + kRoot + "/" + command + " 2>&1").c_str(), "r");
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += char(c);
    EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 0) << output;
    return output;
}

TEST(ReportSchema, takes_a_report_and_refuses_it_without_what_readers_need) {
    const Json report = Json::parse(document_json(ReportFixture().document()));
    ASSERT_TRUE(schema("report").takes(report)) << schema("report").errors(report);
    for (const char* pointer :
         {"/question", "/sections/0/tables", "/sections/0/charts/0/x/label", "/sections/0/tables/0/columns"}) {
        Json broken = report;
        const Json::json_pointer at(pointer);
        broken.at(at.parent_pointer()).erase(at.back());
        EXPECT_FALSE(schema("report").takes(broken)) << pointer;
    }
    Json odd = report;
    odd["sections"][0]["charts"][0]["series"][0]["style"] = "pie";
    EXPECT_FALSE(schema("report").takes(odd));
}

TEST(ResultsSchema, asks_for_numbers_or_a_reason) {
    const Json results = Json::parse(results_json(hand_made_study(), {}, Manifest{}));
    ASSERT_TRUE(schema("results").takes(results)) << schema("results").errors(results);
    Json without = results;
    without["points"][0].erase("metrics");
    EXPECT_FALSE(schema("results").takes(without));
    without = results;
    without["points"].back().erase("reason");
    EXPECT_FALSE(schema("results").takes(without));
}

TEST(StrataRun, writes_a_whole_report) {
    const ScratchFolder folder;
    const std::string output = ran("scenarios/examples/engram-tiers.yaml --out " + folder.path());
    EXPECT_NE(output.find("Recommended: "), std::string::npos);
    for (const char* file : {"report.html", "report.md", "report.json", "results.json", "results.csv"})
        EXPECT_TRUE(fs::exists(folder / file)) << file;
    for (const auto& entry : fs::directory_iterator(folder.path()))
        EXPECT_NE(entry.path().extension(), ".partial") << entry.path();
    const Json report = Json::parse(whole_file(folder / "report.json")),
               results = Json::parse(whole_file(folder / "results.json"));
    EXPECT_TRUE(schema("report").takes(report)) << schema("report").errors(report);
    EXPECT_TRUE(schema("results").takes(results)) << schema("results").errors(results);
    const bool prints = fs::exists(fs::path(STRATA_BINARY_DIR) / "strata-print");
    EXPECT_EQ(fs::exists(folder / "report.pdf"), prints);
    const std::string html = whole_file(folder / "report.html"), text = whole_file(folder / "report.md");
    for (const char* title :
         {"How sensitive it is", "What happens when", "What is assumed", "How to make this again"}) {
        EXPECT_NE(html.find(std::string("<h2>") + title), std::string::npos) << title;
        EXPECT_NE(text.find(std::string("\n## ") + title), std::string::npos) << title;
    }
    EXPECT_EQ(html.find("<noscript><img alt=") != std::string::npos, prints);
}

// Without strata-print there is a report, and no PDF and figures of an earlier one beside it.
TEST(StrataRun, leaves_no_pages_of_an_earlier_report) {
    const ScratchFolder folder, programs;
    const std::string alone = programs / "strata";
    fs::copy_file(std::string(STRATA_BINARY_DIR) + "/strata", alone);
    for (const char* file : {"report.pdf", "throughput.svg", "throughput.png", "notes.pdf"})
        folder.write(file, "of an earlier report");
    const FinishedProgram run =
        run_program({"/usr/bin/env", "STRATA_DATA=" + kRoot, alone, "run", kRoot + "/scenarios/examples/drafts.yaml",
                     "--engine", "analytic", "--out", folder.path()});
    ASSERT_EQ(run.code, 0) << run.said;
    EXPECT_TRUE(fs::exists(folder / "report.html"));
    EXPECT_EQ(whole_file(folder / "notes.pdf"), "of an earlier report");
    for (const char* file : {"report.pdf", "throughput.svg", "throughput.png"})
        EXPECT_FALSE(fs::exists(folder / file)) << file;
}

TEST(StrataRun, reports_on_every_kind_of_workload) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "a program from outside: it takes a minute, and what it runs is tested for itself";
#endif
    for (const char* scenario :
         {"memory-study.yaml", "examples/invented-fabric.yaml", "examples/training.yaml", "examples/rl-iteration.yaml",
          "examples/serving.yaml", "studies/network-planes.yaml"}) {
        const ScratchFolder folder;
        ran(std::string("scenarios/") + scenario + " --out " + folder.path());
        const Json report = Json::parse(whole_file(folder / "report.json"));
        EXPECT_TRUE(schema("report").takes(report)) << scenario << '\n' << schema("report").errors(report);
        EXPECT_NE(whole_file(folder / "report.md").find("\n## "), std::string::npos) << scenario;
    }
}

TEST(ResultsSchema, takes_real_results_of_every_kind) {
    const ScratchFolder folder;
    for (const char* scenario : {"examples/precision.yaml", "examples/invented-fabric.yaml", "examples/training.yaml",
                                 "examples/rl-iteration.yaml", "examples/serving.yaml"}) {
        ran(std::string("scenarios/") + scenario + " --json " + (folder / "r.json"));
        const Json results = Json::parse(whole_file(folder / "r.json"));
        EXPECT_TRUE(schema("results").takes(results)) << scenario << '\n' << schema("results").errors(results);
    }
}

TEST(DocumentJson, survives_the_way_there_and_back) {
    const std::string text = document_json(ReportFixture().document());
    EXPECT_EQ(document_json(document_from_json(text, "test")), text);
}

TEST(DocumentJson, says_which_file_is_wrong) {
    try {
        document_from_json("{\"schema\": \"strata-report/0\"}", "some.json");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("some.json: expected a report"), std::string::npos);
    }
}

TEST(Markdown, takes_what_users_wrote_as_text) {
    Document document{.title = "a <b> *x*", .subtitle = "- not a list", .sections = {{.title = "s | t"}}};
    document.sections[0].tables = {{.title = "", .columns = {"a|b"}, .rows = {{"one\ntwo | <script>"}}}};
    const std::string text = markdown_of(document, "");
    EXPECT_EQ(
        text,
        "# a &lt;b> \\*x\\*\n\n\\- not a list\n\n## s \\| t\n\n| a\\|b |\n| --- |\n| one two \\| &lt;script> |\n\n");
}

TEST(Markdown, links_figures_where_there_are_some) {
    Document document{.title = "t", .subtitle = "q", .sections = {{.title = "s"}}};
    document.sections[0].charts = {{.name = "c", .title = "C", .x = {"x"}, .y = {"y"}}};
    EXPECT_NE(markdown_of(document, "../f").find("![C](../f/c.svg)"), std::string::npos);
    EXPECT_EQ(markdown_of(document, "").find("!["), std::string::npos);
}

}  // namespace
}  // namespace strata
