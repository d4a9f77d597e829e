#include "reports/files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

TEST(WholeFile, is_refused_where_it_would_fill_the_memory) {
    const ScratchFolder folder;
    const std::string file = folder.write("results.json", "{}");
    EXPECT_EQ(whole_file(file), "{}");
    std::filesystem::resize_file(file, std::uintmax_t{5} << 30);  // holes: it takes no room
    try {
        whole_file(file);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("results.json: expected at most"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace strata
