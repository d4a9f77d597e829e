// Caches, queries and results of latent attention for the tests of its dense and its gathered form.
#pragma once

#include <gtest/gtest.h>

#include <random>

#include "kernels/attention/latent_attention_reference.hpp"
#include "kernels/attention/latent_combine_body.hpp"
#include "kernels/attention/latent_tolerance.hpp"
#include "kernels/attention/random_entries.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {

// Pages with room between them, entries 16-byte aligned. Entries that nobody may read are made NaN by `forget`.
class StoredCache {
public:
    StoredCache(LatentFormat format, long pages, long page_entries, std::uint64_t seed, int heads = 1)
        : format_(format) {
        const long apart = layout_of(format).page_multiple;
        cache_ = {.pages = pages,
                  .page_entries = page_entries,
                  .page_bytes = page_bytes_of(format, page_entries, heads) + apart,
                  .heads = heads};
        const std::vector<std::uint8_t> bytes = random_entries(format, cache_, seed);
        bytes_.resize(bytes.size() / 16 + 1);
        std::memcpy(bytes_.data(), bytes.data(), bytes.size());
        cache_.data = bytes_.front().at;
    }
    const LatentCache& cache() const { return cache_; }

    // By the layout as the header's comment has it, without the kernels' arithmetic.
    std::vector<double> entry(long page, long slot, int head = 0) const {
        return reference::latent_entry(format_, row(page, slot, head), scales(page, slot, head));
    }
    std::vector<double> entry(long index) const {
        return entry(index / cache_.page_entries, index % cache_.page_entries);
    }
    void forget(long page, long slot) {
        for (int head = 0; head < cache_.heads; ++head)
            std::memset(row(page, slot, head), 0xFF, std::size_t(layout_of(format_).row_bytes));
        if (format_ == LatentFormat::v4_fp8) std::memset(scales(page, slot, 0), 0xFF, 8);
    }

private:
    struct alignas(16) Sixteen {
        std::uint8_t at[16];
    };
    std::uint8_t* row(long page, long slot, int head) const {
        const long bytes = format_ == LatentFormat::v32_fp8    ? 656
                           : format_ == LatentFormat::v4_fp8   ? 576
                           : format_ == LatentFormat::bf16_512 ? 1024
                                                               : 1152;
        return const_cast<std::uint8_t*>(cache_.data) + page * cache_.page_bytes + (slot * cache_.heads + head) * bytes;
    }
    std::uint8_t* scales(long page, long slot, int head) const {
        if (format_ == LatentFormat::v32_fp8) return row(page, slot, head) + 512;
        return const_cast<std::uint8_t*>(cache_.data) + page * cache_.page_bytes + cache_.page_entries * 576 + slot * 8;
    }

    LatentFormat format_;
    LatentCache cache_;
    std::vector<Sixteen> bytes_;
};

// Queries and room for results; one row more than there are, to see that it is left alone.
struct LatentBuffers {
    LatentBuffers(LatentFormat format, long tokens, int heads, std::uint64_t seed)
        : dim(std::size_t(layout_of(format).dim)),
          rows(std::size_t(tokens * heads)),
          q(rows * dim + 8),
          out((rows + 1) * kLatentValueDim, Bf16{0xEEEE}),
          lse(rows + 1, -7),
          max_logits(rows + 1, -7) {
        std::mt19937_64 random(seed);
        std::normal_distribution<float> normal;
        for (Bf16& x : q) x = to_bf16(normal(random));
        queries = {.q = q.data(),
                   .out = out.data(),
                   .lse = lse.data(),
                   .tokens = tokens,
                   .heads = heads,
                   .scale = 0.55f};  // scores of about 0.55 * sqrt(dim) * 0.1: weights are far from equal
    }
    void make_partials(const LatentQueries& planned) {
        partial_out.assign(std::size_t(partial_rows(planned)) * kLatentValueDim, NAN);
        partial_lse.assign(std::size_t(partial_rows(planned)), NAN);
    }
    std::vector<double> query(std::size_t row) const {
        std::vector<double> all;
        for (std::size_t d = 0; d < dim; ++d) all.push_back(to_float(q[row * dim + d]));
        return all;
    }
    std::size_t dim, rows;
    std::vector<Bf16> q, out;
    std::vector<float> lse, max_logits, partial_out, partial_lse;
    LatentQueries queries;
};

template <class Task>
void run_emulated(const Task& task, ThreadOrder order) {
    const auto run = [&](auto format) {
        emulate(grid_of(task), order, [&](EmulatedThread& t) { latent_attention<decltype(format)::value>(t, task); });
    };
    switch (task.format) {
        case LatentFormat::bf16_576: run(std::integral_constant<LatentFormat, LatentFormat::bf16_576>()); break;
        case LatentFormat::bf16_512: run(std::integral_constant<LatentFormat, LatentFormat::bf16_512>()); break;
        case LatentFormat::v32_fp8: run(std::integral_constant<LatentFormat, LatentFormat::v32_fp8>()); break;
        case LatentFormat::v4_fp8: run(std::integral_constant<LatentFormat, LatentFormat::v4_fp8>()); break;
    }
    if (task.queries.splits > 1)
        emulate(combine_grid_of(task), order, [&](EmulatedThread& t) { latent_combine(t, task); });
}

template <class Task>
void attend(Task task, LatentBuffers& buffers, ThreadOrder order) {
    task.queries.partial_out = nullptr;
    require_valid(task);
    task = planned(task);
    buffers.make_partials(task.queries);
    task.queries.partial_out = buffers.partial_out.data(), task.queries.partial_lse = buffers.partial_lse.data();
    require_partials(task.queries, "a test");
    run_emulated(task, order);
}

// All rows against the reference, which is asked row by row.
template <class Reference>
void expect_attended(const LatentBuffers& is, const Reference& reference, const LatentTolerance& out_tolerance,
                     const LatentTolerance& lse_tolerance, bool with_max = false) {
    std::vector<double> out, out_should, lse, lse_should, most, most_should;
    for (std::size_t row = 0; row < is.rows; ++row) {
        const reference::Attended should = reference(row);
        for (std::size_t d = 0; d < kLatentValueDim; ++d) {
            out.push_back(to_float(is.out[row * kLatentValueDim + d]));
            out_should.push_back(should.out[d]);
        }
        lse.push_back(is.lse[row]), lse_should.push_back(should.lse);
        most.push_back(is.max_logits[row]), most_should.push_back(should.max_logit);
    }
    const auto expect_within = [](const char* what, const std::vector<double>& values,
                                  const std::vector<double>& expected, const LatentTolerance& tolerance, int width) {
        const LatentDistance distance = distance_of(values, expected, tolerance);
        EXPECT_LE(distance.worst, 1) << what << " of row " << distance.at / std::size_t(width) << ", number "
                                     << distance.at % std::size_t(width) << ": " << values[distance.at] << ", expected "
                                     << expected[distance.at];
        EXPECT_LE(distance.cosine, tolerance.cosine) << what;
    };
    expect_within("out", out, out_should, out_tolerance, kLatentValueDim);
    expect_within("lse", lse, lse_should, lse_tolerance, 1);
    if (with_max) expect_within("largest logit", most, most_should, lse_tolerance, 1);
    EXPECT_EQ(is.out[is.rows * kLatentValueDim].bits, 0xEEEE);
    EXPECT_EQ(is.lse[is.rows], -7);
    EXPECT_EQ(is.max_logits[is.rows], -7);
}

}  // namespace strata
