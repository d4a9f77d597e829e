// Buffers of latent attention for the bench, and what came of them against the reference.
#pragma once

#include <algorithm>
#include <functional>

#include "kernels/attention/latent_attention_reference.hpp"
#include "kernels/attention/latent_plan.hpp"
#include "kernels/attention/latent_tolerance.hpp"
#include "kernels/attention/random_entries.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/in_double.hpp"

namespace strata {

// A cache of random entries. One of FP8 repeats 64 random pages: they are drawn on the host.
class DeviceCache {
public:
    DeviceCache(LatentFormat format, long pages, long page_entries, std::uint64_t seed)
        : format_(format),
          cache_{.pages = pages, .page_entries = page_entries, .page_bytes = page_bytes_of(format, page_entries)},
          bytes_(std::size_t(pages * cache_.page_bytes)) {
        cache_.data = bytes_.data();
        if (layout_of(format).codes == 0)
            fill_normal(reinterpret_cast<Bf16*>(bytes_.data()), bytes_.size() / 2, seed, 0.1f, 0);
        else
            repeat_random_pages(seed);
    }
    const LatentCache& cache() const { return cache_; }
    std::vector<double> entry(long page, long slot) {
        const LatentLayout layout = layout_of(format_);
        if (page != page_read_)
            bytes_of_page_ = bytes_.read(std::size_t(page * cache_.page_bytes), std::size_t(cache_.page_bytes));
        page_read_ = page;
        const std::uint8_t *base = bytes_of_page_.data(), *row = base + slot * layout.row_bytes;
        return reference::latent_entry(
            format_, row,
            layout.scales_outside > 0 ? base + cache_.page_entries * layout.row_bytes + slot * layout.scales_outside
                                      : row + layout.scales_at);
    }

private:
    void repeat_random_pages(std::uint64_t seed) {
        LatentCache few = cache_;
        few.pages = std::min(64L, cache_.pages);
        const std::vector<std::uint8_t> random = random_entries(format_, few, seed);
        for (long page = 0; page < cache_.pages; page += few.pages)
            check_cuda(cudaMemcpy(bytes_.data() + page * cache_.page_bytes, random.data(),
                                  std::size_t(std::min(few.pages, cache_.pages - page) * cache_.page_bytes),
                                  cudaMemcpyDefault),
                       "writing a latent cache");
    }

    LatentFormat format_;
    LatentCache cache_;
    Buffer<std::uint8_t> bytes_;
    long page_read_ = -1;
    std::vector<std::uint8_t> bytes_of_page_;
};

// Queries and results.
struct LatentResults {
    LatentResults(LatentFormat format, long tokens, int heads, std::uint64_t seed)
        : dim(layout_of(format).dim),
          q(random_normal<Bf16>(std::size_t(tokens * heads * dim), seed)),
          out(std::size_t(tokens * heads * kLatentValueDim)),
          lse(std::size_t(tokens * heads)),
          max_logits(std::size_t(tokens * heads)),
          partial_out(0),
          partial_lse(0),
          // Scores of deviation 0.55 * 0.1 * sqrt(576): some keys weigh e times what others do.
          queries{
              .q = q.data(), .out = out.data(), .lse = lse.data(), .tokens = tokens, .heads = heads, .scale = 0.55f} {}
    // With buffers for partial results as the planned task wants them.
    template <class Task>
    Task completed(Task task) {
        task = planned(task);
        if (task.queries.splits > 1) {
            partial_lse = Buffer<float>(std::size_t(partial_rows(task.queries)));
            partial_out = Buffer<float>(partial_lse.size() * kLatentValueDim);
        }
        task.queries.partial_out = partial_out.data(), task.queries.partial_lse = partial_lse.data();
        return task;
    }
    void poison() { out.poison(), lse.poison(), max_logits.poison(), partial_out.poison(), partial_lse.poison(); }

    int dim;
    Buffer<Bf16> q, out;
    Buffer<float> lse, max_logits, partial_out, partial_lse;
    LatentQueries queries;
};

inline Verdict close_by(const LatentTolerance& tolerance, const std::vector<double>& is,
                        const std::vector<double>& should, const std::string& what) {
    const LatentDistance distance = distance_of(is, should, tolerance);
    const bool far = distance.worst > 1;
    Verdict verdict{.pass = within(distance, tolerance),
                    .metric = what + (far ? ": error / bound" : ": cosine difference / bound"),
                    .value = far ? distance.worst : distance.cosine / tolerance.cosine,
                    .tolerance = 1};
    if (far && distance.at < is.size())
        verdict.detail = "worst at " + std::to_string(distance.at) + ": " + std::to_string(is[distance.at]) +
                         ", expected " + std::to_string(should[distance.at]);
    return verdict;
}

struct LatentTolerances {
    LatentTolerance out;
    LatentTolerance lse;
};

// Some rows [tokens * heads] against `reference`, a function of the row's query and its number.
inline Verdict verify_latent(
    const LatentResults& results, bool with_max, const LatentTolerances& tolerances,
    const std::function<reference::Attended(const std::vector<double>&, std::int64_t)>& reference) {
    std::vector<double> out, out_should, lse, lse_should, most, most_should;
    for (const std::int64_t row : rows_to_compare(std::int64_t(results.lse.size()), 8, 1)) {
        const reference::Attended should = reference(row_of(results.q, row, results.dim), row);
        for (const double x : row_of(results.out, row, kLatentValueDim)) out.push_back(x);
        out_should.insert(out_should.end(), should.out.begin(), should.out.end());
        lse.push_back(row_of(results.lse, row, 1).front()), lse_should.push_back(should.lse);
        if (!with_max) continue;
        most.push_back(row_of(results.max_logits, row, 1).front()), most_should.push_back(should.max_logit);
    }
    return all_of({close_by(tolerances.lse, lse, lse_should, "lse"),
                   close_by(tolerances.lse, most, most_should, "largest logit"),
                   close_by(tolerances.out, out, out_should, "out")});
}

}  // namespace strata
