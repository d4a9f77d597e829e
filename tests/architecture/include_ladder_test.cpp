// Includes point down the ladder of README's layers, or sideways within a row: units, then parts and op headers, then
// the simulation, then parts in simulated time and the engine on them, then studies, then what people touch. And no two
// files include each other in a circle.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>

namespace strata {
namespace {

namespace fs = std::filesystem;
using Includes = std::map<std::string, std::vector<std::string>>;  // file -> what it includes, from the root

int row_of(const std::string& file) {
    if (file == "hwmodels/units.hpp") return 0;
    for (const char* modules : {"hwmodels/memory/", "hwmodels/link/", "hwmodels/fabric/packet/"})  // SystemC
        if (file.rfind(modules, 0) == 0) return 3;
    if (file.rfind("hwmodels/", 0) == 0 || file.rfind("kernels/", 0) == 0) return 1;
    for (const char* above : {"sim/study/", "sim/search/", "reports/"})
        if (file.rfind(above, 0) == 0) return 5;
    if (file.rfind("sim/engine/systemc/", 0) == 0) return 4;
    if (file.rfind("sim/", 0) == 0) return 2;
    return 6;
}

std::vector<std::string> upward(const Includes& includes) {
    std::vector<std::string> wrong;
    for (const auto& [file, included] : includes)
        for (const std::string& other : included) {
            const bool kernel_beyond =
                file.rfind("kernels/", 0) == 0 && other.rfind("kernels/", 0) != 0 && row_of(other) > 0;
            if (row_of(other) > row_of(file) || kernel_beyond) wrong.push_back(file + " -> " + other);
        }
    return wrong;
}

std::vector<std::string> circles(const Includes& includes) {
    std::vector<std::string> found;
    std::set<std::string> finished, open;
    const std::function<void(const std::string&)> visit = [&](const std::string& file) {
        if (finished.count(file)) return;
        if (!open.insert(file).second) {
            found.push_back(file);
            return;
        }
        if (const auto known = includes.find(file); known != includes.end())
            for (const std::string& other : known->second) visit(other);
        open.erase(file);
        finished.insert(file);
    };
    for (const auto& entry : includes) visit(entry.first);
    return found;
}

Includes of_the_tree() {
    static const std::regex quoted("^#include \"([^\"]+)\"");
    const fs::path root(STRATA_SOURCE_DIR);
    Includes includes;
    for (const char* folder : {"hwmodels", "kernels", "sim", "reports", "app"})
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
            auto& included = includes[fs::relative(entry.path(), root).generic_string()];
            std::ifstream lines(entry.path());
            std::smatch match;
            for (std::string line; std::getline(lines, line);)
                if (std::regex_search(line, match, quoted)) included.push_back(match[1]);
        }
    return includes;
}

TEST(Architecture, includes_point_down) {
    const Includes includes = of_the_tree();
    ASSERT_GT(includes.size(), 30u);
    EXPECT_EQ(upward(includes), std::vector<std::string>{});
}

TEST(Architecture, only_parts_in_simulated_time_and_their_engine_see_systemc) {
    const fs::path root(STRATA_SOURCE_DIR);
    int seen = 0;
    for (const char* folder : {"hwmodels", "kernels", "sim", "app"})
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const std::string file = fs::relative(entry.path(), root).generic_string();
            if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
            std::ifstream lines(entry.path());
            for (std::string line; std::getline(lines, line);)
                if (line.rfind("#include <systemc", 0) == 0 || line.rfind("#include <tlm", 0) == 0) {
                    EXPECT_TRUE(row_of(file) == 3 || row_of(file) == 4) << file;
                    ++seen;
                }
        }
    EXPECT_GT(seen, 5);
}

TEST(Architecture, has_no_circle) { EXPECT_EQ(circles(of_the_tree()), std::vector<std::string>{}); }

TEST(Architecture, check_sees_an_include_upward_and_a_circle) {
    EXPECT_EQ(upward({{"hwmodels/a.hpp", {"sim/b.hpp"}}}).size(), 1u);
    EXPECT_EQ(upward({{"kernels/a.hpp", {"hwmodels/catalog.hpp"}}}).size(), 1u);
    EXPECT_EQ(upward({{"sim/result/a.hpp", {"hwmodels/link/b.hpp"}}}).size(), 1u);
    EXPECT_EQ(upward({{"hwmodels/link/a.hpp", {"hwmodels/specs.hpp", "hwmodels/memory/b.hpp"}}}).size(), 0u);
    EXPECT_EQ(circles({{"sim/a.hpp", {"sim/b.hpp"}}, {"sim/b.hpp", {"sim/a.hpp"}}}).size(), 1u);
}

}  // namespace
}  // namespace strata
