// The operands of one mHC site on the GPU, as the benches need them, and what they hold its outputs against.
#pragma once

#include <array>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/mhc/mhc_launch.hpp"
#include "kernels/mhc/mhc_reference.hpp"

namespace strata {

struct Site {
    Site(const Shape& shape, std::uint64_t seed)
        : tokens(shape["tokens"]),
          hidden(shape["hidden"]),
          residual(random_normal<Bf16>(std::size_t(tokens * hidden * 4), seed)),
          layer_out(random_normal<Bf16>(std::size_t(tokens * hidden), seed + 1)),
          new_residual(residual.size()),
          layer_in(layer_out.size()),
          fn(random_normal<float>(std::size_t(24 * 4 * hidden), seed + 2, 0.5f / std::sqrt(float(hidden)))),
          scale(std::vector<float>{0.7f, 1.1f, 1.3f}),
          base(random_normal<float>(24, seed + 3, 0.5f)),
          last_pre(random_uniform(std::size_t(tokens * 4), seed + 4)),
          last_post(random_uniform(std::size_t(tokens * 4), seed + 5, 0, 2)),
          last_comb(random_uniform(std::size_t(tokens * 16), seed + 6, 0, 0.5f)),
          pre(last_pre.size()),
          post(last_post.size()),
          comb(last_comb.size()),
          mixes(std::size_t(tokens * 24)) {}

    MhcPreTask pre_task(MhcForm form) const {
        return {.form = form,
                .residual = residual.data(),
                .fn = fn.data(),
                .gates = {.scale = scale.data(),
                          .base = base.data(),
                          .norm_eps = form == MhcForm::single_pass ? 1e-20f : 1e-6f},  // V4.1's is 1e-20
                .layer_in = layer_in.data(),
                .post = post.data(),
                .comb = comb.data(),
                .pre = pre.data(),
                .mixes = mixes.data(),
                .layer_out = layer_out.data(),
                .last_post = last_post.data(),
                .last_comb = last_comb.data(),
                .last_pre = last_pre.data(),
                .new_residual = new_residual.data(),
                .tokens = tokens,
                .hidden = int(hidden)};
    }
    MhcPostTask post_task(bool constant_gates) const {
        return {.layer_out = layer_out.data(),
                .residual = residual.data(),
                .post = last_post.data(),
                .comb = last_comb.data(),
                .out = new_residual.data(),
                .tokens = tokens,
                .hidden = hidden,
                .constant_gates = constant_gates};
    }
    MhcGatherTask gather_task(bool constant_gates) const {
        return {.residual = residual.data(),
                .pre = last_pre.data(),
                .layer_in = layer_in.data(),
                .tokens = tokens,
                .hidden = hidden,
                .constant_gates = constant_gates};
    }
    void poison() {
        new_residual.poison(), layer_in.poison(), pre.poison(), post.poison(), comb.poison(), mixes.poison();
    }

    std::int64_t tokens, hidden;
    Buffer<Bf16> residual, layer_out, new_residual, layer_in;
    Buffer<float> fn, scale, base, last_pre, last_post, last_comb, pre, post, comb, mixes;
};

// Row `row` of a buffer of rows of `width` elements.
template <std::size_t size>
std::array<double, size> numbers_of(const Buffer<float>& buffer, std::int64_t row) {
    std::array<double, size> all;
    const std::vector<double> read = row_of(buffer, row, size);
    std::copy(read.begin(), read.end(), all.begin());
    return all;
}

// What is and what should be, of one output, over the tokens compared.
struct Pair {
    std::vector<double> is, should;

    template <class Is, class Should>
    void add(const Is& more, const Should& more_should) {
        is.insert(is.end(), more.begin(), more.end());
        should.insert(should.end(), more_should.begin(), more_should.end());
    }
    // Within one rounding to BF16, of 1 in 256.
    Verdict rounded() const { return close_to(is, should, 1e-5, 1.0 / 256); }
};

}  // namespace strata
