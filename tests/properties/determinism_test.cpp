// The same text gives the same bytes: again, after others, in another process; and in any order of its keys it is the
// same point.
#include <cstdio>

#include "sim/engine/systemc/point_server.hpp"
#include "sim/result/run_json.hpp"
#include "sim/study/point_key.hpp"
#include "tests/properties/random_points.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

constexpr RandomKind kKinds[] = {RandomKind::decode, RandomKind::prefill, RandomKind::serving, RandomKind::training,
                                 RandomKind::collective};

class Determinism : public RandomPoints, public testing::WithParamInterface<RandomKind> {
protected:
    std::string answer_of(const std::string& text, Inputs& from) {
        try {
            return to_json(analytic_run(RandomPoint(text, 0).read(from.catalog()), from, bench)).dump();
        } catch (const InputError& error) {
            return error.what();
        }
    }
    std::vector<std::string> texts_of(RandomKind kind, int count) {
        std::vector<std::string> texts;
        for (int seed = 0; seed < count; ++seed)
            texts.push_back(scenarios.text(kind, static_cast<std::uint64_t>(seed)));
        return texts;
    }
};

TEST_P(Determinism, of_an_answer_does_not_depend_on_what_was_answered_before) {
    const std::vector<std::string> texts = texts_of(GetParam(), GetParam() == RandomKind::training ? 15 : 40);
    std::vector<std::string> first;
    for (const std::string& text : texts) first.push_back(answer_of(text, inputs));
    Inputs others(kRoot);
    for (std::size_t i = texts.size(); i-- > 0;) ASSERT_EQ(answer_of(texts[i], others), first[i]) << texts[i];
    for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(answer_of(texts[i], inputs), first[i]) << texts[i];
}

// Maps from their last key to their first.
YAML::Node turned_around(const YAML::Node& node) {
    if (!node.IsMap()) return node;
    std::vector<std::pair<YAML::Node, YAML::Node>> entries;
    for (const auto& entry : node) entries.emplace_back(entry.first, entry.second);
    YAML::Node turned(YAML::NodeType::Map);
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
        turned[entry->first] = turned_around(entry->second);
    return turned;
}

class DeterminismOfKeys : public RandomPoints {
protected:
    DeterminismOfKeys() : RandomPoints(physics_alone()) {}
};

TEST_F(DeterminismOfKeys, does_not_depend_on_the_order_of_fields) {
    const auto key_of = [](const YAML::Node& document) {
        const ScenarioFile file("random.yaml", document, kModels);
        return PointKeys(file, "inputs").of(file.first_point(), "analytic");
    };
    std::set<PointKey> different;
    constexpr std::uint64_t kOfEach = 150;
    for (const RandomKind kind : kKinds)
        for (std::uint64_t seed = 0; seed < kOfEach; ++seed) {
            const std::string text = scenarios.text(kind, seed);
            const YAML::Node document = YAML::Load(text), turned = turned_around(document);
            ASSERT_NE(YAML::Dump(turned), YAML::Dump(document));
            ASSERT_EQ(key_of(turned), key_of(document)) << text;
            different.insert(key_of(document));
        }
    EXPECT_EQ(different.size(), kOfEach * std::size(kKinds));
}

INSTANTIATE_TEST_SUITE_P(Of, Determinism, testing::ValuesIn(kKinds),
                         [](const auto& given) { return name_of(given.param); });

using DeterminismOfProcesses = Determinism;

// As `strata-simulate` answers: each server simulates in a process of its own.
TEST_F(DeterminismOfProcesses, that_simulate_does_not_depend_on_what_they_simulated_before) {
    std::vector<std::string> lines;
    for (const RandomKind kind : {RandomKind::decode, RandomKind::prefill})
        for (const std::string& text : texts_of(kind, 12))
            lines.push_back(
                nlohmann::json{{"id", lines.size()}, {"root", kRoot}, {"file", "random.yaml"}, {"document", text}}
                    .dump());
    PointServer one({}), other({});
    std::vector<std::string> first;
    for (const std::string& line : lines) first.push_back(one.answer(line));
    int ran = 0;
    for (std::size_t i = lines.size(); i-- > 0;) {
        ASSERT_EQ(other.answer(lines[i]), first[i]) << lines[i];
        EXPECT_EQ(first[i].find(R"("status":"failed")"), std::string::npos) << first[i] << lines[i];
        ran += first[i].find(R"("status":"ok")") != std::string::npos;
    }
    EXPECT_GE(2 * ran, static_cast<int>(lines.size()));
}

std::string output_of(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) throw std::runtime_error("popen");
    std::string text;
    char buffer[4096];
    for (std::size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, count);
    pclose(pipe);
    return text;
}

TEST_F(DeterminismOfProcesses, that_run_strata_give_the_numbers_that_this_one_gives) {
    const ScratchFolder folder;
    for (const RandomKind kind : kKinds)
        for (const std::string& text : texts_of(kind, 2)) {
            const std::string here = answer_of(text, inputs);
            if (!here.starts_with('{')) continue;
            const std::string there = output_of(fmt::format("{}/strata run {} --json - 2>/dev/null", STRATA_BINARY_DIR,
                                                            folder.write("random.yaml", text)));
            ASSERT_FALSE(there.empty()) << text;
            EXPECT_EQ(nlohmann::ordered_json::parse(there).at("points").at(0).at("metrics").dump(),
                      nlohmann::ordered_json::parse(here).at("metrics").dump())
                << text;
        }
}

}  // namespace
}  // namespace strata
