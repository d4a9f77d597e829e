#include "sim/quality/optical_law.hpp"

#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const OpticalLaw& optical_law() {
    static const OpticalLaw shipped(std::string(STRATA_SOURCE_DIR) + "/sim/quality/optical_anchors.yaml");
    return shipped;
}
double at(double ratio) { return optical_law().precision(ratio).precision.value(); }

// Nine of the published precisions fall with the ratio; the others are pooled: 10.6, 11.3 and 11.8 to the mean of
// 0.915, 0.898 and 0.938, and 13.2 and 15.1 to that of 0.838 and 0.859.
TEST(OpticalLaw, is_exact_at_published_precisions_that_fall_and_pools_those_that_rise) {
    for (const auto& [ratio, precision] : {std::pair{6.7, 0.985},
                                           {7.5, 0.973},
                                           {8.5, 0.968},
                                           {9.7, 0.968},
                                           {10.5, 0.965},
                                           {12.6, 0.871},
                                           {16.5, 0.793},
                                           {17.7, 0.764},
                                           {19.7, 0.591}}) {
        EXPECT_DOUBLE_EQ(at(ratio), precision) << ratio;
        EXPECT_EQ(optical_law().precision(ratio).origin, Origin::published) << ratio;
    }
    for (const double ratio : {10.6, 11.3, 11.8}) {
        EXPECT_NEAR(at(ratio), (0.915 + 0.898 + 0.938) / 3, 1e-12) << ratio;
        EXPECT_EQ(optical_law().precision(ratio).origin, Origin::interpolated) << ratio;
    }
    for (const double ratio : {13.2, 15.1}) EXPECT_NEAR(at(ratio), (0.838 + 0.859) / 2, 1e-12) << ratio;
}

TEST(OpticalLaw, never_rises_and_stays_within_its_band_and_a_share) {
    double before = 1;
    for (double ratio = 1; ratio < 19.7; ratio += 0.01) {
        const PrecisionEstimate here = optical_law().precision(ratio);
        EXPECT_LE(*here.precision, before + 1e-12) << ratio;
        EXPECT_GE(*here.precision, here.low - 1e-12) << ratio;
        EXPECT_LE(*here.precision, here.high + 1e-12) << ratio;
        EXPECT_GE(here.low, 0) << ratio;
        EXPECT_LE(here.high, 1) << ratio;
        before = *here.precision;
    }
}

TEST(OpticalLaw, band_holds_every_published_precision) {
    for (const OpticalAnchor& anchor : optical_law().published()) {
        EXPECT_LE(optical_law().precision(anchor.ratio).low, anchor.precision) << anchor.ratio;
        EXPECT_GE(optical_law().precision(anchor.ratio).high, anchor.precision) << anchor.ratio;
    }
    // Between 17.7 and 19.7 a falling law may be anywhere between what was published there.
    EXPECT_NEAR(optical_law().precision(18.5).low, 0.591 - 0.0005, 1e-12);
    EXPECT_NEAR(optical_law().precision(18.5).high, 0.764 + 0.0005, 1e-12);
}

TEST(OpticalLaw, agrees_with_the_papers_headlines) {
    EXPECT_NEAR(at(9.9), 0.97, 0.005);  // "about 97 % below 10x"
    EXPECT_NEAR(at(19.7), 0.60, 0.01);  // "about 60 % at 20x"
}

TEST(OpticalLaw, below_its_reach_gives_the_least_possible_and_warns) {
    const PrecisionEstimate base = optical_law().precision(3.9);
    EXPECT_DOUBLE_EQ(*base.precision, 0.985);
    EXPECT_DOUBLE_EQ(base.high, 1);
    EXPECT_EQ(base.origin, Origin::assumed);
    EXPECT_NE(base.warning, "");
}

TEST(OpticalLaw, beyond_its_reach_gives_no_precision_and_warns) {
    const PrecisionEstimate beyond = optical_law().precision(25);
    EXPECT_FALSE(beyond.precision);
    EXPECT_DOUBLE_EQ(beyond.low, 0);
    EXPECT_NEAR(beyond.high, 0.5915, 1e-12);
    EXPECT_NE(beyond.warning, "");
    EXPECT_EQ(optical_law().precision(12).warning, "");
}

// 30 pages of 1000 tokens: ten in 100 tokens (ratio 10), twenty in 64 (15.625).
TEST(OpticalLaw, of_several_pages_is_the_mean_of_their_text) {
    const std::vector<PageGroup> pages{{PageMode::small, 0, 10, 100}, {PageMode::tiny, 10, 20, 64}};
    EXPECT_NEAR(*optical_law().precision(pages, 1000).precision, (at(10) + 2 * at(15.625)) / 3, 1e-12);
    EXPECT_FALSE(optical_law().precision(pages, 2000).precision);  // 31.25 is beyond
    EXPECT_NE(optical_law().precision(pages, 2000).warning.find("tiny"), std::string::npos);
}

TEST(OpticalLaw, describes_itself_with_source_and_reach) {
    const std::string text = optical_law().describe();
    for (const char* part : {"2510.18234", "exact at 9", "6.7", "19.7"})
        EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(OpticalLaw, refuses_anchors_that_make_no_law) {
    const ScratchFolder folder;
    const auto of = [&](const std::string& anchors) {
        return OpticalLaw(
            folder.write("anchors.yaml", "measured_on: m\nsource: s\nplus_minus: 0\nanchors: [" + anchors + "]\n"));
    };
    EXPECT_THROW(of("{mode: tiny, ratio: 5, precision: 0.9}"), InputError);
    EXPECT_THROW(of("{mode: tiny, ratio: 5, precision: 0.9}, {mode: tiny, ratio: 4, precision: 0.95}"), InputError);
    EXPECT_THROW(of("{mode: tiny, ratio: 5, precision: 1.2}, {mode: tiny, ratio: 6, precision: 0.9}"), InputError);
}

OpticalDials fading() {
    return {.mode = PageMode::large,
            .share = 1,
            .text_tokens_per_page = 1000,
            .forgetting = {{4, PageMode::base}, {8, PageMode::small}, {16, PageMode::tiny}}};
}

// Twenty pages: 4 of 400 tokens, 4 of 256, 8 of 100, 4 of 64.
TEST(OpticalSchedule, keeps_older_pages_in_smaller_modes) {
    const auto groups = page_groups(fading(), 20);
    ASSERT_EQ(groups.size(), 4u);
    EXPECT_EQ(groups[1].mode, PageMode::base);
    EXPECT_DOUBLE_EQ(groups[1].age, 4);
    EXPECT_DOUBLE_EQ(groups[2].pages, 8);
    EXPECT_DOUBLE_EQ(vision_tokens(groups), 4 * 400 + 4 * 256 + 8 * 100 + 4 * 64);
}

TEST(OpticalSchedule, an_older_page_is_never_more_precise_than_a_newer_one) {
    double before = 1;
    for (double age = 0; age < 30; ++age) {
        const double tokens = tokens_of_page(fading(), mode_at_age(fading(), age));
        const double here = *optical_law().precision(1000 / tokens).precision;
        EXPECT_LE(here, before) << age;
        before = here;
    }
    EXPECT_LT(before, 0.9);
}

TEST(OpticalSchedule, makes_no_more_tokens_than_without_forgetting) {
    OpticalDials kept = fading();
    kept.forgetting.clear();
    for (const double pages : {1, 4, 5, 17, 200})
        EXPECT_LE(vision_tokens(page_groups(fading(), pages)), vision_tokens(page_groups(kept, pages))) << pages;
}

// 2500 tokens of prompt are three pages, so of 3000 tokens before them one page is among the four newest.
TEST(OpticalSchedule, counts_a_prompt_s_pages_as_newer_than_those_before_it) {
    const OpticalContext context{.dials = fading(), .prompt_text = 2500, .context_text = 3000};
    EXPECT_DOUBLE_EQ(context.prompt_tokens(), 3 * 400);
    EXPECT_DOUBLE_EQ(context.context_tokens(), 400 + 2 * 256);
}

TEST(OpticalSchedule, leaves_the_rest_of_the_text_as_text) {
    OpticalDials half = fading();
    half.share = 0.5, half.mode = PageMode::base, half.forgetting.clear();
    const OpticalContext context{.dials = half, .prompt_text = 4000, .context_text = 0};
    EXPECT_DOUBLE_EQ(context.prompt_tokens(), 2000 + 2 * 256);
    half.share = 0;
    EXPECT_DOUBLE_EQ((OpticalContext{.dials = half, .prompt_text = 4000, .context_text = 0}.prompt_tokens()), 4000);
}

TEST(OpticalSchedule, gundam_is_an_overview_and_its_tiles) {
    const OpticalDials gundam{.mode = PageMode::gundam, .tiles = 6, .share = 1, .text_tokens_per_page = 1000};
    EXPECT_DOUBLE_EQ(tokens_of_page(gundam, gundam.mode), 256 + 600);
}

}  // namespace
}  // namespace strata
