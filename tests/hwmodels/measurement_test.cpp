#include "hwmodels/measurement.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

Measurement gather() {
    return {.what = "host/random_gather",
            .parameters = {{"row_bytes", 264.0}, {"pages", "huge"}, {"checked", true}},
            .metrics = {{"bandwidth_GBps", {13.9, 13.1, 14.2}}},
            .repeats = 5,
            .machine = {"Model X", 2, 24.0_GB, {{"l3", 32e6}}, "6.1.0", "madvise"},
            .when = "2026-11-24T19:30:00Z",
            .strata = "0.1.0",
            .notes = {"a note"}};
}

std::string measurement_error(const std::string& text) {
    const ScratchFolder folder;
    const std::string file = folder.write("r.jsonl", text);
    try {
        read_measurements(file);
        return "";
    } catch (const InputError& error) {
        const std::string message = error.what();
        return message.substr(message.find("r.jsonl"));
    }
}

TEST(Repeats, is_the_middle_and_the_ends) {
    const Repeats odd = repeats_of({3, 1, 2});
    EXPECT_EQ(odd.median, 2);
    EXPECT_EQ(odd.min, 1);
    EXPECT_EQ(odd.max, 3);
    EXPECT_EQ(repeats_of({4, 1, 2, 9}).median, 3);
}

TEST(Measurement, comes_back_as_it_was_written) {
    const ScratchFolder folder;
    const std::string file = folder.write("r.jsonl", fmt::format("\n{}\n", to_line(gather())));
    const std::vector<Measurement> all = read_measurements(file);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(to_line(all[0]), to_line(gather()));
    EXPECT_EQ(all[0].line, 2);
    EXPECT_EQ(parameters_text(all[0]), "checked true, pages huge, row_bytes 264");
}

TEST(Measurement, says_in_which_line_a_record_is_broken) {
    const std::string good = to_line(gather()) + "\n";
    EXPECT_EQ(measurement_error(good), "");
    EXPECT_EQ(measurement_error(good + good.substr(0, 40)).find("r.jsonl:2: broken JSON: "), 0u);
    EXPECT_EQ(measurement_error(good + "{}\n").find("r.jsonl:2: not a record of a measurement: "), 0u);
    std::string other = good;
    other.replace(other.find("measurement/1"), 13, "measurement/9");
    EXPECT_EQ(measurement_error(other),
              "r.jsonl:1: not a record of a measurement: schema: expected 'strata/measurement/1', found "
              "'strata/measurement/9'");
    std::string text = good;
    text.replace(text.find("13.9"), 4, "true");
    EXPECT_EQ(measurement_error(text).find("r.jsonl:1: not a record"), 0u);
    for (const char* cores : {"2111111111111111111111111111111111111", "4294967296", "-1", "2.5", "\"2\""}) {
        std::string many = good;
        const std::size_t at = many.find("\"cores\":") + 8;
        many.replace(at, many.find(',', at) - at, cores);
        EXPECT_EQ(measurement_error(many).find("r.jsonl:1: not a record of a measurement: cores: expected a whole "
                                               "number from 0 to 2147483647, found "),
                  0u)
            << measurement_error(many);
    }
    try {
        read_measurements("missing.jsonl");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_EQ(
            std::string(error.what()),
            "missing.jsonl: no such record of measurements. 'strata measure host --out missing.jsonl' writes one");
    }
}

}  // namespace
}  // namespace strata
