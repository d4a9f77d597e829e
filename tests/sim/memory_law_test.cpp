#include "sim/quality/memory_law.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const MemoryLaw& memory_law() {
    static const MemoryLaw shipped(std::string(STRATA_SOURCE_DIR) + "/sim/quality/memory_anchors.yaml");
    return shipped;
}

TEST(MemoryLaw, passes_through_the_published_losses) {
    EXPECT_DOUBLE_EQ(memory_law().loss(2262400).loss, 1.622);
    EXPECT_DOUBLE_EQ(memory_law().loss(7239680).loss, 1.610);
    EXPECT_NEAR(memory_law().loss(7239680).high, 1.6105, 1e-12);
    EXPECT_FALSE(memory_law().loss(2262400).outside);
}

// 3.2 times the slots for 0.012: log2(3.2) doublings.
TEST(MemoryLaw, falls_alike_with_every_doubling) {
    EXPECT_NEAR(memory_law().per_doubling(), -0.012 / std::log2(3.2), 1e-12);
    for (const double slots : {1e6, 3e6, 1e8})
        EXPECT_NEAR(memory_law().loss(2 * slots).loss - memory_law().loss(slots).loss, memory_law().per_doubling(),
                    1e-12);
}

// At 3.2 x 7239680 a line runs on as far again: 1.598, and rounding counts 1 x 0.0005 + 2 x 0.0005.
TEST(MemoryLaw, beyond_the_anchors_it_says_so_and_its_band_grows) {
    const MemoryEstimate far = memory_law().loss(3.2 * 7239680);
    EXPECT_TRUE(far.outside);
    EXPECT_NEAR(far.loss, 1.598, 1e-9);
    EXPECT_NEAR(far.high - far.loss, 0.0015, 1e-9);
    EXPECT_TRUE(memory_law().loss(2e6).outside);
    EXPECT_THROW(memory_law().loss(0), InputError);
}

TEST(MemoryLaw, refuses_anchors_in_another_order) {
    const ScratchFolder folder;
    EXPECT_THROW(MemoryLaw(folder.write("a.yaml",
                                        "measured_on: m\nsource: s\nanchors: [{slots: 2, loss: 1, plus_minus: 0},"
                                        "{slots: 1, loss: 2, plus_minus: 0}]\n")),
                 InputError);
}

}  // namespace
}  // namespace strata
