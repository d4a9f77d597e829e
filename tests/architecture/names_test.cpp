// Two types of one name in one program are one to the linker, which keeps the destructor of either.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <vector>

namespace strata {
namespace {

namespace fs = std::filesystem;

using Definitions = std::map<std::string, std::vector<std::string>>;  // name -> headers that define a type of it

void add_types_of(const fs::path& header, Definitions& into) {
    static const std::regex definition(R"(^(?:class|struct|enum class) (\w+)[^;]*\{.*)");
    std::ifstream file(header);
    std::smatch found;
    for (std::string line; std::getline(file, line);)
        if (std::regex_match(line, found, definition)) into[found[1]].push_back(header.string());
}

TEST(Types, of_one_name_are_defined_once) {
    Definitions definitions;
    for (const char* folder : {"app", "hwmodels", "reports", "sim"})
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(STRATA_SOURCE_DIR) / folder))
            if (entry.path().extension() == ".hpp") add_types_of(entry.path(), definitions);
    EXPECT_GT(definitions.size(), 300u);
    for (const auto& [name, headers] : definitions)
        EXPECT_EQ(headers.size(), 1u) << name << " in " << headers.front() << " and " << headers.back();
}

}  // namespace
}  // namespace strata
