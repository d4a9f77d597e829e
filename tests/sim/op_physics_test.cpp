#include "sim/cost/op_physics.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

Device device(double compute_capability) {
    Device device;
    device.bf16 = 1000.0_TFLOPS;
    device.fp8 = 2000.0_TFLOPS;
    device.memory = 4000.0_GBps;
    device.cores = 100;
    device.compute_capability = compute_capability;
    return device;
}

const CostCurve kAsDatasheet;

double computing_us(Family family, const char* shape, double compute_capability) {
    return physics_of(point_from(family, shape), kAsDatasheet, device(compute_capability)).computing.si() * 1e6;
}

// 16 heads over shared entries fill an instruction of 16 rows, a quarter of one of 64, an eighth of one of 128.
TEST(OpPhysics, heads_that_do_not_fill_an_instruction_take_as_long_as_those_that_do) {
    const char* shape = "batch=8,context=4096,heads=16,cache=bfloat16";
    const double filled = computing_us(Family::latent_attention, shape, 8.0);
    EXPECT_NEAR(filled, 2.0 * 8 * 4096 * 16 * (576 + 512) / 1e9, 1e-9);
    EXPECT_NEAR(computing_us(Family::latent_attention, shape, 9.0), 4 * filled, 1e-9);
    EXPECT_NEAR(computing_us(Family::latent_attention, shape, 10.0), 8 * filled, 1e-9);
    EXPECT_NEAR(computing_us(Family::latent_attention, shape, 0), filled, 1e-9) << "nothing is known of it";
}

TEST(OpPhysics, sparse_attention_has_64_heads) {
    const char* shape = "batch=1,queries=1000,past=100000";
    EXPECT_NEAR(computing_us(Family::sparse_attention, shape, 10.0),
                2 * computing_us(Family::sparse_attention, shape, 9.0), 1e-9);
}

// 576 and 512 wide products absorbed, 192 and 128 wide ones in multi-head form.
TEST(OpPhysics, prefill_runs_in_multi_head_form_on_blackwell) {
    const char* shape = "batch=1,length=8192,heads=128,cache=bfloat16";
    EXPECT_NEAR(computing_us(Family::context_attention, shape, 9.0),
                computing_us(Family::context_attention, shape, 10.0) * (576 + 512) / (192 + 128), 1e-6);
}

}  // namespace
}  // namespace strata
