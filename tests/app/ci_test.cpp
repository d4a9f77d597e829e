// What CI sees of `strata`: assertions as JUnit and Markdown, results compared, predictions and ledger gated, exit
// codes, and the commands of docs/ci.md as they stand there.
#include <nlohmann/json.hpp>

#include "hwmodels/yaml_field.hpp"
#include "tests/app/cli_fixture.hpp"

namespace strata {
namespace {

// 8 points in some ms; the step's time grows with the batch.
constexpr const char* kCiSweep =
    "name: sweep <&>\n"
    "model: v4.1-flash\n"
    "platform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\n"
    "placement: {dp: 8, ep: 8, engram: {tier: host}}\n"
    "axes:\n"
    "  - {path: workload.batch, values: [64, 512]}\n"
    "assertions:\n"
    "  - decode.tpot_ms <= 1000\n"
    "  - decode.tpot_ms <= 0.001\n";

class Ci : public Cli {
protected:
    bool says(const std::string& text) const { return out.find(text) != std::string::npos; }
    bool complains(const std::string& text) const { return err.find(text) != std::string::npos; }
    std::string file(const std::string& name) const { return text_of(in_folder(name)); }
};

TEST_F(Ci, junit_and_markdown_are_written_also_where_assertions_fail) {
    write("s.yaml", kCiSweep);
    EXPECT_EQ(shell("strata run s.yaml --junit j.xml --markdown a.md"), 1) << err;
    EXPECT_FALSE(complains("::error"));
    ASSERT_EQ(shell("xmllint --noout --schema " + kSource + "/tests/app/junit.xsd j.xml"), 0) << err;
    ASSERT_EQ(shell("xmllint --xpath 'count(//testcase[failure])' j.xml"), 0) << err;
    EXPECT_EQ(out, "2\n");
    ASSERT_EQ(shell("xmllint --xpath 'string(//testcase[1]/@line)' j.xml"), 0);
    EXPECT_EQ(out, "9\n");
    ASSERT_EQ(shell("xmllint --xpath 'string(//testsuite/@name)' j.xml"), 0);
    EXPECT_EQ(out, "sweep <&>\n");
    ASSERT_EQ(shell("xmllint --xpath 'string(//testcase[2]//property[@name=\"measured\"]/@value)' j.xml"), 0);
    const double measured = std::stod(out);
    ASSERT_EQ(shell("strata run s.yaml --set assertions=[] --json -"), 0) << err;
    EXPECT_EQ(measured, nlohmann::json::parse(out)["points"][0]["metrics"]["decode.tpot_ms"]);
    EXPECT_NE(file("a.md").find("2 of 4 assertions hold"), std::string::npos) << file("a.md");
}

TEST_F(Ci, github_is_told_file_and_line) {
    write("s.yaml", kCiSweep);
    EXPECT_EQ(shell("GITHUB_ACTIONS=true strata run s.yaml --json -"), 1);
    EXPECT_TRUE(
        complains("::error file=s.yaml,line=10,col=5::decode.tpot_ms <= 0.001 fails [workload.batch=64, analytic]"))
        << err;
    EXPECT_TRUE(nlohmann::json::accept(out));
}

TEST_F(Ci, compare_reads_results_and_fails_by_rule) {
    write("s.yaml", kPlain);
    ASSERT_EQ(shell("strata run s.yaml --json a.json; strata run s.yaml --set workload.batch=768 --json b.json"), 0)
        << err;
    EXPECT_EQ(shell("strata compare a.json a.json --fail-if '|*| > 0%'"), 0) << err;
    EXPECT_TRUE(says("0 numbers moved")) << out;
    EXPECT_EQ(shell("strata compare a.json b.json --fail-if 'workload.batch > 10%' --markdown c.md"), 1);
    EXPECT_TRUE(complains("workload.batch [analytic] went from 512 to 768 (+50 %)")) << err;
    EXPECT_NE(file("c.md").find("a.json against b.json"), std::string::npos);
    EXPECT_EQ(shell("strata compare a.json b.json --json -"), 0);
    const auto json = nlohmann::json::parse(out);
    double last = 1e300;
    for (const auto& move : json["moves"]) {  // the largest share first
        if (move["percent"].is_null()) continue;
        EXPECT_LE(std::abs(move["percent"].get<double>()), last);
        last = std::abs(move["percent"].get<double>());
    }
    EXPECT_GT(json["moves"].size(), 3u);
    EXPECT_EQ(shell("strata compare a.json b.json --fail-if 'decode.tpot_ms = 2'"), 2);
    EXPECT_TRUE(complains("column 16: expected one of <, <=, > and >=")) << err;
    EXPECT_EQ(shell("strata compare a.json s.yaml"), 2);
}

// Eight tokens more in the cache: far inside the band of a step's time.
TEST_F(Ci, a_move_inside_the_band_is_noise_unless_strict) {
    write("s.yaml", kPlain);
    ASSERT_EQ(shell("strata run s.yaml --json a.json; strata run s.yaml --set workload.context=8200 --json b.json"), 0);
    const std::string rule = " --fail-if '|decode.tpot_ms| > 0.0001%'";
    EXPECT_EQ(shell("strata compare a.json b.json" + rule), 0) << err;
    EXPECT_TRUE(says("within noise")) << out;
    EXPECT_EQ(shell("strata compare a.json b.json --strict" + rule), 1) << out;
}

TEST_F(Ci, records_of_measurements_are_compared_by_their_spread) {
    const auto record = [&](const std::string& name, double median) {
        write(name, fmt::format(
                        R"({{"schema":"strata/measurement/1","what":"host/stream_read","parameters":{{"threads":2}},)"
                        R"("repeats":5,"when":"2026-11-24T19:30:00Z","strata":"0.1.0","machine":{{"cpu":"X","cores":2,)"
                        R"("memory_bytes":4e12,"cache_bytes":{{}},"kernel":"6","huge_pages":"never"}},"metrics":)"
                        R"({{"bandwidth_GBps":{{"median":{},"min":{},"max":{}}}}}}})",
                        median, median - 2, median + 2));
    };
    record("a.jsonl", 20);
    record("b.jsonl", 21);
    record("c.jsonl", 25);
    EXPECT_EQ(shell("strata compare a.jsonl b.jsonl --fail-if '|bandwidth_GBps| > 1%'"), 0) << err;
    EXPECT_TRUE(says("host/stream_read, threads 2: within noise")) << out;
    EXPECT_EQ(shell("strata compare a.jsonl c.jsonl --fail-if '|bandwidth_GBps| > 1%'"), 1);
}

TEST_F(Ci, the_gate_says_what_moved_and_nothing_else) {
    ASSERT_EQ(shell("mkdir scenarios other"), 0);
    write("scenarios/a.yaml", kPlain);
    write("scenarios/b.yaml", replaced(kPlain, "batch: 512", "batch: 64"));
    ASSERT_EQ(shell("strata baseline scenarios --out baseline.json"), 0) << err;
    EXPECT_TRUE(says("2 points of 2 scenarios")) << out;
    EXPECT_EQ(file("baseline.json").find(in_folder("")), std::string::npos);
    EXPECT_EQ(shell("strata gate --baseline baseline.json"), 0) << err;
    EXPECT_EQ(shell("cd other; strata gate --quiet --baseline ../baseline.json"), 0) << err;
    EXPECT_EQ(out + err, "");
    write("scenarios/b.yaml", replaced(kPlain, "batch: 512", "batch: 65"));
    EXPECT_EQ(shell("strata gate --baseline baseline.json --json moved.json"), 1);
    EXPECT_TRUE(complains("workload.batch [scenarios/b.yaml [analytic]] went from 64 to 65")) << err;
    EXPECT_FALSE(complains("scenarios/a.yaml [")) << err;
    EXPECT_EQ(shell("strata gate scenarios/a.yaml --baseline baseline.json"), 0) << err;
    EXPECT_EQ(shell("strata gate --baseline baseline.json --tolerance 200%"), 0) << err;
    EXPECT_EQ(shell("strata gate --baseline moved.json"), 2);
    EXPECT_TRUE(complains("expected a baseline of 'strata baseline'")) << err;
}

TEST_F(Ci, the_gate_fails_for_what_is_new_and_for_what_is_gone) {
    ASSERT_EQ(shell("mkdir s"), 0);
    write("s/a.yaml", kPlain);
    ASSERT_EQ(shell("strata baseline s --out baseline.json"), 0) << err;
    write("s/b.yaml", kPlain);
    EXPECT_EQ(shell("strata gate --baseline baseline.json"), 1);
    EXPECT_TRUE(complains("s/b.yaml [analytic] is not in the baseline")) << err;
    EXPECT_EQ(shell("rm s/a.yaml; strata gate --baseline baseline.json"), 1);
    EXPECT_TRUE(complains("s/a.yaml [analytic] is no longer there")) << err;
}

TEST_F(Ci, the_ledger_against_itself_is_fine_and_a_row_that_was_nearer_got_worse) {
    ASSERT_NE(shell("strata validate --only 'pcie5-*' --json ledger.json"), 2) << err;
    EXPECT_EQ(shell("strata validate --only 'pcie5-*' --against ledger.json"), 0) << err;
    EXPECT_TRUE(says("0 rows got worse, 0 better")) << out;
    auto rows = nlohmann::json::parse(file("ledger.json"));
    ASSERT_GE(rows.size(), 1u);
    rows[0]["error"] = 0.0;
    rows[0]["pass"] = true;
    write("ledger.json", rows.dump());
    EXPECT_EQ(shell("strata validate --only 'pcie5-*' --against ledger.json --markdown l.md"), 1) << out;
    EXPECT_TRUE(says("worse   " + rows[0]["id"].get<std::string>())) << out;
    EXPECT_NE(file("l.md").find("| worse | " + rows[0]["id"].get<std::string>()), std::string::npos);
}

TEST_F(Ci, quiet_leaves_data_files_and_what_is_wrong) {
    write("s.yaml", kPlain);
    EXPECT_EQ(shell("strata run s.yaml --quiet --json r.json"), 0);
    EXPECT_EQ(out + err, "");
    EXPECT_TRUE(nlohmann::json::accept(file("r.json")));
    EXPECT_EQ(shell("strata run s.yaml -q --json -"), 0);
    EXPECT_TRUE(nlohmann::json::accept(out));
    EXPECT_EQ(shell("strata check -q s.yaml; strata catalog --quiet models v3"), 0);
    EXPECT_EQ(out + err, "");
    EXPECT_EQ(shell("strata catalog --quiet models v3 --json"), 0);
    EXPECT_TRUE(nlohmann::json::accept(out));
    EXPECT_EQ(shell("strata schema --quiet"), 0);
    EXPECT_TRUE(nlohmann::json::accept(out));
    EXPECT_EQ(shell("strata run -q missing.yaml"), 2);
    EXPECT_TRUE(complains("missing.yaml: no such file"));
}

TEST_F(Ci, check_answers_in_json_with_each_files_error) {
    write("s.yaml", kPlain);
    write("bad.yaml", "model: v3\n");
    EXPECT_EQ(shell("strata check s.yaml bad.yaml --json"), 2);
    const auto json = nlohmann::json::parse(out);
    EXPECT_EQ(json[0], (nlohmann::json{{"file", "s.yaml"}, {"points", 1}, {"fitting", 1}}));
    EXPECT_EQ(json[1]["file"], "bad.yaml");
    EXPECT_TRUE(json[1].contains("error"));
}

// One command for each code that a program without a GPU can return of the table in docs/ci.md.
TEST_F(Ci, exit_codes_are_those_of_the_table) {
    const std::string page = text_of(kSource + "/docs/ci.md");
    ASSERT_EQ(shell("strata man"), 0);
    for (const int code : {0, 1, 2, 3, 77}) {
        EXPECT_NE(page.find(fmt::format("\n| {} | ", code)), std::string::npos) << code;
        EXPECT_TRUE(says(fmt::format(".TP\n.B {}\n", code))) << code;
    }
    write("s.yaml", kCiSweep);
    EXPECT_EQ(shell("strata check s.yaml"), 0);
    EXPECT_EQ(shell("strata run s.yaml"), 1);
    EXPECT_EQ(shell("strata run s.yaml --no-such-option"), 2);
    EXPECT_EQ(shell("mkdir root; STRATA_ROOT=$PWD/root strata catalog parts"), 2);
}

TEST_F(Ci, an_unknown_option_or_command_below_is_answered_with_the_nearest) {
    EXPECT_EQ(shell("strata run s.yaml --jsno -"), 2);
    EXPECT_TRUE(complains("did you mean '--json'?")) << err;
    EXPECT_EQ(shell("strata measure hots"), 2);
    EXPECT_TRUE(complains("did you mean 'host'?")) << err;
}

// What a YAML block of the page runs, in order, but what installs.
void collect_commands(const YAML::Node& node, std::vector<std::string>& commands) {
    const auto add = [&](const std::string& line) {
        if (line.rfind("apt-get", 0) != 0) commands.push_back(line);
    };
    if (node.IsSequence())
        for (const YAML::Node& item : node) collect_commands(item, commands);
    if (!node.IsMap()) return;
    for (const auto& entry : node) {
        const std::string key = entry.first.Scalar();
        if (key == "run") add(entry.second.Scalar());
        if (key == "script" || key == "before_script")
            for (const YAML::Node& line : entry.second) add(line.Scalar());
        collect_commands(entry.second, commands);
    }
}

// All that docs/ci.md tells to type and to run, as it stands there. The ledger takes a minute: a program in front of
// `strata` asks for the rows of one file alone.
TEST_F(Ci, the_commands_of_the_page_work_in_its_order) {
    const std::string page = text_of(kSource + "/docs/ci.md");
    std::istringstream lines(page);
    std::vector<std::string> commands;
    std::string block;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("    strata ", 0) == 0 && !inside) commands.push_back(line.substr(4));
        if (inside && line != "```") block += line + "\n";
        if (inside && line == "```") collect_commands(parse_yaml(block, "docs/ci.md"), commands);
        inside = line == "```yaml" || (inside && line != "```");
        if (!inside) block.clear();
    }
    ASSERT_GE(commands.size(), 17u);
    ASSERT_EQ(shell("mkdir scenarios front"), 0);
    write("scenarios/service.yaml", std::string(kPlain) + "assertions: [decode.tpot_ms <= 1000]\n");
    write("front/strata", fmt::format("#!/bin/bash\ncase $1 in validate) set -- \"$@\" --only 'pcie5-*' ;; esac\n"
                                      "exec '{}' \"$@\"\n",
                                      kProgram));
    for (const std::string& command : commands) {
        const int code = shell(
            "chmod +x front/strata; export PATH=$PWD/front:$PATH GITHUB_STEP_SUMMARY=$PWD/summary.md\n" + command);
        const bool compares =
            command.rfind("strata compare", 0) == 0 || command == "strata validate --json ledger.json";
        EXPECT_TRUE(code == 0 || (compares && code == 1)) << command << "\n" << err;
    }
    EXPECT_NE(file("summary.md").find("Did a prediction move?"), std::string::npos);
}

}  // namespace
}  // namespace strata
