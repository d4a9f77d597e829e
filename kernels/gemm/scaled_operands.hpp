// Operands of a block-scaled FP8 product as the benches make them, and what of the result is compared: as many rows and
// columns as a reference in double on the host takes.
#pragma once

#include <cmath>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/gemm/grouped_fp8_reference.hpp"
#include "kernels/gemm/grouped_fp8_task.hpp"

namespace strata {

struct ScaledOperands {
    // a has `a_groups` times `rows` rows, b `groups` times n. The scales of a stand `scale_stride` from block to block.
    ScaledOperands(long rows_, long a_groups_, int n_, int k_, int groups, long scale_stride_, std::uint64_t seed)
        : rows(rows_),
          a_groups(a_groups_),
          n(n_),
          k(k_),
          scale_stride(scale_stride_),
          a(random_normal<E4m3>(std::size_t(rows_ * a_groups_ * k_), seed, 64)),
          b(random_normal<E4m3>(std::size_t(groups) * std::size_t(n_) * std::size_t(k_), seed + 1, 64)),
          a_scales(random_uniform(std::size_t(a_groups_ * scale_stride_ * (k_ / 128)), seed + 2, 0.001f, 0.01f)),
          b_scales(random_uniform(std::size_t(groups * ceil_div(n_, 128) * scale_blocks(k_)), seed + 3, 0.001f, 0.01f)),
          out(std::size_t(rows_ * a_groups_ * n_)) {}

    GroupedFp8Task task(int groups) const {
        return {.a = a.data(),
                .a_scales = a_scales.data(),
                .b = b.data(),
                .b_scales = b_scales.data(),
                .out = out.data(),
                .rows = rows,
                .n = n,
                .k = k,
                .groups = groups};
    }

    // Adds row `row` of group `a_group`, which met the weights of `group`.
    void compare_row(long a_group, long row, long group, std::vector<double>& is, std::vector<double>& should) const {
        const long blocks = k / 128, bands = ceil_div(n, 128), place = a_group * rows + row;
        std::vector<double> scales;
        for (long block = 0; block < blocks; ++block)
            scales.push_back(a_scales.read(std::size_t((a_group * blocks + block) * scale_stride + row), 1).front());
        const std::vector<double> left = row_of(a, place, k), result = row_of(out, place, n);
        for (const std::int64_t column : rows_to_compare(n, 200, std::uint64_t(place))) {
            const std::size_t at = std::size_t((group * bands + column / 128) * scale_blocks(k));
            is.push_back(result[std::size_t(column)]);
            should.push_back(reference::scaled_dot(left, scales, row_of(b, group * n + column, k),
                                                   in_double(b_scales.read(at, std::size_t(blocks)))));
        }
    }

    long rows, a_groups;
    int n, k;
    long scale_stride;
    Buffer<E4m3> a, b;
    Buffer<float> a_scales, b_scales;
    Buffer<Bf16> out;
};

// calc_diff as DeepGEMM's tests hold FP8 products to (facts B9). That alone would not see a few wrong elements, so each
// must also be right to the BF16 it is rounded to, and where terms cancel to a hundredth of a typical one: Hopper keeps
// 14 bits within a block of 128.
inline Verdict same_product(const std::vector<double>& is, const std::vector<double>& should) {
    double squares = 0;
    for (const double x : should) squares += x * x;
    const double typical = should.empty() ? 1 : std::sqrt(squares / double(should.size()));
    return all_of({close_to(is, should, 0.01 * typical, 0x1p-8), alike(is, should, 1e-3)});
}

}  // namespace strata
