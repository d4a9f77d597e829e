// Prometheus' text format, held against its grammar (prometheus.io/docs/instrumenting/exposition_formats), line by
// line.
#include "reports/render/metrics_text.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "sim/scenario/metric_names.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

struct Sample {
    std::string name, labels;
    double value = 0;
};

// Throws what is wrong. Each family: HELP, TYPE, samples; no family twice, no sample twice.
std::vector<Sample> parsed(const std::string& text) {
    if (text.empty() || text.back() != '\n') throw std::runtime_error("no line end at the end");
    static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)"),
        type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) gauge");
    static const std::string one = R"re([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")re";
    static const std::regex sample("([a-zA-Z_:][a-zA-Z0-9_:]*)\\{(" + one + "(?:," + one +
                                   ")*)\\} ([-+]?[0-9.eE+-]+|NaN|[+-]Inf)");
    std::vector<Sample> samples;
    std::set<std::string> helped, typed, seen;
    std::istringstream lines(text);
    std::smatch found;
    for (std::string line, family; std::getline(lines, line);) {
        if (std::regex_match(line, found, help)) {
            if (!helped.insert(found[1]).second) throw std::runtime_error("HELP twice: " + line);
        } else if (std::regex_match(line, found, type)) {
            if (!helped.count(found[1]) || !typed.insert(found[1]).second) throw std::runtime_error("TYPE: " + line);
            family = found[1];
        } else if (std::regex_match(line, found, sample)) {
            if (found[1] != family) throw std::runtime_error("outside its family: " + line);
            if (!seen.insert(found[1].str() + found[2].str()).second) throw std::runtime_error("twice: " + line);
            samples.push_back({found[1], found[2], std::stod(found[3])});
        } else {
            throw std::runtime_error("no line of this format: " + line);
        }
    }
    return samples;
}

TEST(MetricsText, keeps_the_grammar_whatever_names_are) {
    Study study = hand_made_study();
    study.name = "a \"b\" \\ \n# HELP x";
    study.results[0].settings[1].second = "{\"},\n";
    const std::vector<Sample> samples = parsed(metrics_text(study));
    EXPECT_GT(samples.size(), 12u * 10);
}

TEST(MetricsText, is_in_base_units) {
    std::map<std::string, double> first;
    for (const Sample& sample : parsed(metrics_text(hand_made_study()))) first.emplace(sample.name, sample.value);
    EXPECT_DOUBLE_EQ(first.at("strata_decode_tpot_seconds"), 0.010);
    EXPECT_DOUBLE_EQ(first.at("strata_memory_hbm_bytes"), 50e9);
    EXPECT_DOUBLE_EQ(first.at("strata_decode_tokens_per_second_per_accelerator"), 6400);
    EXPECT_DOUBLE_EQ(first.at("strata_point_ran"), 1);
}

TEST(MetricsText, says_which_points_have_no_result) {
    int without = 0;
    for (const Sample& sample : parsed(metrics_text(hand_made_study())))
        without += sample.name == "strata_point_ran" && sample.value == 0;
    EXPECT_EQ(without, 2);
}

// Two metrics of ours must never become one.
TEST(MetricsText, gives_each_metric_a_name_of_its_own) {
    Study study = hand_made_study();
    study.results.resize(1);
    study.results[0].run->metrics.clear();
    for (const std::string& name : metric_names()) study.results[0].run->metrics[name] = 1;
    const std::size_t metrics = study.results[0].run->metrics.size();
    EXPECT_EQ(parsed(metrics_text(study)).size(), metrics + 1);
}

}  // namespace
}  // namespace strata
