// Every input that once was a find, and every seed, through the same targets without a fuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/targets.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& place) {
    if (fs::is_regular_file(place)) return {place};
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(place))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

class FuzzReplay : public ::testing::TestWithParam<std::string> {};

TEST_P(FuzzReplay, every_input_is_read_or_refused) {
    const fs::path source(STRATA_SOURCE_DIR);
    const auto& targets = fuzz_targets();
    const auto target =
        std::find_if(targets.begin(), targets.end(), [](const FuzzTarget& one) { return one.name == GetParam(); });
    std::vector<fs::path> places{source / "tests/fuzz/corpus" / target->name};
    for (const std::string& seed : target->seeds) places.push_back(source / seed);
    std::size_t fed = 0;
    for (const fs::path& place : places)
        for (const fs::path& file : files_of(place)) {
            std::ifstream stream(file, std::ios::binary);
            EXPECT_NO_THROW(target->feed({std::istreambuf_iterator<char>(stream), {}})) << file;
            ++fed;
        }
    EXPECT_GT(fed, 1u);
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const FuzzTarget& target : fuzz_targets()) all.push_back(target.name);
    return all;
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, ::testing::ValuesIn(names()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace strata
