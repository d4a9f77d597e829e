#include "kernels/mhc/mhc_pre_body.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "kernels/mhc/mhc_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

// vector<T>::data() of 16-byte alignment is what operator new gives.
struct Site {
    Site(long tokens_, int hidden_) : tokens(tokens_), hidden(hidden_) {
        std::mt19937_64 random(11);
        std::normal_distribution<float> values;
        const auto elements = [&](std::size_t count, float deviation) {
            std::vector<Bf16> all(count);
            for (Bf16& one : all) one = to_bf16(values(random) * deviation);
            return all;
        };
        const auto numbers = [&](std::size_t count, float deviation) {
            std::vector<float> all(count);
            for (float& one : all) one = values(random) * deviation;
            return all;
        };
        const auto n = std::size_t(tokens), h = std::size_t(hidden);
        residual = elements(n * 4 * h, 1.5f);
        layer_out = elements(n * h, 1);
        fn = numbers(24 * 4 * h, 1 / std::sqrt(4 * float(hidden)));  // mixes of about 1
        base = numbers(24, 0.5f);
        last_post = numbers(n * 4, 1), last_comb = numbers(n * 16, 0.5f), last_pre = numbers(n * 4, 1);
    }
    long tokens;
    int hidden;
    std::vector<Bf16> residual, layer_out;
    std::vector<float> fn, base, last_post, last_comb, last_pre;
    std::vector<float> scale{0.7f, 1.1f, 1.3f};
};

struct Outputs {
    std::vector<Bf16> layer_in, residual;
    std::vector<float> pre, post, comb, mixes;
};

// One token more than there are is given room, to see that it is left alone.
Outputs emulated(const Site& site, MhcForm form, ThreadOrder order, int clusters = 8) {
    const auto n = std::size_t(site.tokens + 1), h = std::size_t(site.hidden);
    Outputs out{std::vector<Bf16>(n * h, Bf16{0xEEEE}), std::vector<Bf16>(n * 4 * h, Bf16{0xEEEE}),
                std::vector<float>(n * 4, -7),          std::vector<float>(n * 4, -7),
                std::vector<float>(n * 16, -7),         std::vector<float>(n * 24, -7)};
    const MhcPreTask task{.form = form,
                          .residual = site.residual.data(),
                          .fn = site.fn.data(),
                          .gates = {.scale = site.scale.data(), .base = site.base.data()},
                          .layer_in = out.layer_in.data(),
                          .post = out.post.data(),
                          .comb = out.comb.data(),
                          .pre = out.pre.data(),
                          .mixes = out.mixes.data(),
                          .layer_out = site.layer_out.data(),
                          .last_post = site.last_post.data(),
                          .last_comb = site.last_comb.data(),
                          .last_pre = site.last_pre.data(),
                          .new_residual = out.residual.data(),
                          .tokens = site.tokens,
                          .hidden = site.hidden,
                          .clusters = clusters};
    require_valid(task);
    const MhcPreMaps maps = maps_of(task);
    with_plan(task, [&](auto plan) {
        using Plan = decltype(plan);
        // Only these are compiled for the emulator.
        if constexpr (Plan::kHidden == 1024 || (Plan::kHidden == 7168 && Plan::kForm == MhcForm::fused))
            emulate(grid_of(task), order, [&](EmulatedThread& t) { mhc_pre<Plan>(t, task, maps); });
        else
            throw std::logic_error("this plan is not tried here");
    });
    return out;
}

std::vector<double> as_double(const std::vector<Bf16>& in) {
    std::vector<double> all;
    for (const Bf16 x : in) all.push_back(to_float(x));
    return all;
}

reference::MhcSite reference_of(const Site& site) {
    reference::MhcSite exact;
    exact.fn.assign(site.fn.begin(), site.fn.end());
    std::copy(site.scale.begin(), site.scale.end(), exact.scale.begin());
    std::copy(site.base.begin(), site.base.end(), exact.base.begin());
    return exact;
}

double calc_diff(const std::vector<double>& is, const std::vector<double>& should) {
    double product = 0, squares = 0;
    for (std::size_t i = 0; i < is.size(); ++i)
        product += is[i] * should[i], squares += is[i] * is[i] + should[i] * should[i];
    return 1 - 2 * product / squares;
}

// The gates and the mixes against the definition, given the streams [tokens][4][hidden] that were mixed. The layer's
// input is one rounding to BF16, of 1/256, away from what those very gates give.
void expect_mixed(const Outputs& is, const Site& site, const std::vector<double>& streams, bool with_input) {
    const reference::MhcSite exact = reference_of(site);
    std::vector<double> mixes, mixes_should;
    const auto h = std::size_t(site.hidden);
    for (std::size_t t = 0; t < std::size_t(site.tokens); ++t) {
        const auto should = reference::mixed(&streams[t * 4 * h], site.hidden, exact);
        for (std::size_t j = 0; j < 24; ++j)
            mixes.push_back(is.mixes[t * 24 + j]), mixes_should.push_back(should.mixes[j]);
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_NEAR(is.pre[t * 4 + i], should.pre[i], 2e-5);
            EXPECT_NEAR(is.post[t * 4 + i], should.post[i], 4e-5);
        }
        for (std::size_t i = 0; i < 16; ++i)
            EXPECT_NEAR(is.comb[t * 16 + i], should.comb[i], 1e-8 + 5e-5 * should.comb[i]);
        if (!with_input) continue;
        const std::array<double, 4> pre{is.pre[t * 4], is.pre[t * 4 + 1], is.pre[t * 4 + 2], is.pre[t * 4 + 3]};
        const auto in = reference::layer_in(&streams[t * 4 * h], site.hidden, pre);
        for (std::size_t x = 0; x < h; ++x)
            ASSERT_NEAR(to_float(is.layer_in[t * h + x]), in[x], 1e-6 + std::abs(in[x]) / 256) << t << " " << x;
    }
    EXPECT_LE(calc_diff(mixes, mixes_should), 1e-8);
    EXPECT_EQ(is.layer_in.back().bits, 0xEEEE);
    EXPECT_EQ(is.residual.back().bits, 0xEEEE);
    EXPECT_EQ(is.comb.back(), -7);
    EXPECT_EQ(is.pre.back(), -7);
}

TEST(MhcPre, matches_the_definition_in_every_thread_order) {
    const Site site(13, 1024);  // two tiles
    for (const ThreadOrder order : kThreadOrders)
        expect_mixed(emulated(site, MhcForm::pre, order), site, as_double(site.residual), true);
}

// Eighteen tiles for one cluster, the last not full: the pipeline's buffers come round.
TEST(MhcPre, takes_many_tiles_one_after_another) {
    const Site site(137, 1024);
    const Outputs is = emulated(site, MhcForm::pre, ThreadOrder::shuffled, 1);
    expect_mixed(is, site, as_double(site.residual), true);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
bool same_bits(const std::vector<Bf16>& a, const std::vector<Bf16>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Bf16)) == 0;
}

// Five tiles: of two clusters with two each and one with one, where Sinkhorn begins with the last gates; or of one
// cluster with five, where it is done at the end.
TEST(MhcPre, gives_a_token_the_same_bits_however_tiles_are_shared_out) {
    const Site site(37, 1024);
    const Outputs few = emulated(site, MhcForm::pre, ThreadOrder::forward, 8);
    const Outputs many = emulated(site, MhcForm::pre, ThreadOrder::forward, 1);
    EXPECT_TRUE(same_bits(few.layer_in, many.layer_in));
    EXPECT_TRUE(same_bits(few.comb, many.comb));
    EXPECT_TRUE(same_bits(few.mixes, many.mixes));
}

TEST(MhcPre, a_nan_stays_with_its_token) {
    Site site(9, 1024);
    const Outputs clean = emulated(site, MhcForm::pre, ThreadOrder::forward);
    site.residual[3 * 4096 + 77] = {0x7FC0};
    const Outputs is = emulated(site, MhcForm::pre, ThreadOrder::forward);
    for (std::size_t t = 0; t < 9; ++t) {
        EXPECT_EQ(std::isnan(to_float(is.layer_in[t * 1024])), t == 3);
        EXPECT_EQ(std::isnan(is.comb[t * 16]), t == 3);
        EXPECT_EQ(is.mixes[t * 24 + 5] == clean.mixes[t * 24 + 5], t != 3);
    }
}

Outputs post_then_pre(const Site& site, int clusters) {
    Site next = site;
    const MhcPostTask post{.layer_out = site.layer_out.data(),
                           .residual = site.residual.data(),
                           .post = site.last_post.data(),
                           .comb = site.last_comb.data(),
                           .out = next.residual.data(),
                           .tokens = site.tokens,
                           .hidden = site.hidden};
    require_valid(post);
    emulate(grid_of(post), ThreadOrder::forward, [&](EmulatedThread& t) { mhc_post(t, post); });
    Outputs out = emulated(next, MhcForm::pre, ThreadOrder::forward, clusters);
    std::copy(next.residual.begin(), next.residual.end(), out.residual.begin());
    return out;
}

TEST(MhcFused, gives_the_bits_of_post_and_then_pre) {
    for (const long tokens : {5, 29}) {  // 29: four tiles for one cluster
        const Site site(tokens, 1024);
        const int clusters = tokens == 5 ? 8 : 1;
        const Outputs apart = post_then_pre(site, clusters);
        for (const ThreadOrder order : kThreadOrders) {
            if (tokens == 29 && order == ThreadOrder::forward) continue;
            const Outputs fused = emulated(site, MhcForm::fused, order, clusters);
            EXPECT_TRUE(same_bits(fused.residual, apart.residual));
            EXPECT_TRUE(same_bits(fused.layer_in, apart.layer_in));
            EXPECT_TRUE(same_bits(fused.comb, apart.comb));
            EXPECT_TRUE(same_bits(fused.post, apart.post));
            expect_mixed(fused, site, as_double(fused.residual), true);
        }
    }
}

// The mixes over 28672 products, a seventh of which has its weights in shared memory.
TEST(MhcFused, mixes_rows_of_real_width) {
    const Site site(3, 7168);
    const Outputs is = emulated(site, MhcForm::fused, ThreadOrder::reversed);
    expect_mixed(is, site, as_double(is.residual), true);
}

// The layer's input comes from the new streams and the gates of the site before; the new gates are for the next.
TEST(MhcSinglePass, gathers_with_the_gates_of_the_site_before) {
    const Site site(13, 1024);
    const Outputs apart = post_then_pre(site, 8);
    for (const ThreadOrder order : kThreadOrders) {
        const Outputs is = emulated(site, MhcForm::single_pass, order);
        EXPECT_TRUE(same_bits(is.residual, apart.residual));
        EXPECT_TRUE(same_bits(is.pre, apart.pre));
        const std::vector<double> streams = as_double(is.residual);
        expect_mixed(is, site, streams, false);
        for (std::size_t t = 0; t < 13; ++t) {
            const float* last = &site.last_pre[t * 4];
            const auto in = reference::layer_in(&streams[t * 4096], 1024, {last[0], last[1], last[2], last[3]});
            for (std::size_t x = 0; x < 1024; ++x)
                ASSERT_NEAR(to_float(is.layer_in[t * 1024 + x]), in[x], 1e-5 + std::abs(in[x]) / 256);
        }
    }
}

TEST(MhcPre, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(MhcPreTask{.tokens = 0, .hidden = 4096}));
    EXPECT_THROW(require_valid(MhcPreTask{.tokens = 0, .hidden = 2048}), std::invalid_argument);
    EXPECT_THROW(require_valid(MhcPreTask{.tokens = -1, .hidden = 4096}), std::invalid_argument);
    EXPECT_THROW(require_valid(MhcPreTask{.tokens = 0, .hidden = 4096, .clusters = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(MhcPreTask{.gates = {.iterations = 0}, .tokens = 0, .hidden = 4096}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(MhcPreTask{.tokens = 1, .hidden = 4096}), std::invalid_argument);  // no buffers
}

// Every plan fits a multiprocessor's shared memory, and keeps at least one stage on its way.
TEST(MhcPre, fits_shared_memory_at_every_size) {
    for (const MhcForm form : {MhcForm::pre, MhcForm::fused, MhcForm::single_pass})
        for (const int hidden : {1024, 4096, 5120, 7168})
            for (const long tokens : {1, 64, 65, 32768}) {
                const Grid grid = grid_of(MhcPreTask{.form = form, .tokens = tokens, .hidden = hidden});
                EXPECT_LE(grid.shared_bytes, 227u * 1024);
                EXPECT_EQ(grid.blocks % 16, 0);
                EXPECT_LE(grid.blocks, 128);
            }
}

}  // namespace
}  // namespace strata
