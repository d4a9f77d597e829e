// Times in buckets that grow with them, 128 to each doubling: a quantile is right to 0.4 %. A run has more gaps between
// tokens than fit in memory one by one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

class GapHistogram {
public:
    void add(Seconds gap, std::uint64_t times) {
        counts_[bucket_of(gap.si())] += times;
        count_ += times;
        sum_ += gap.si() * double(times);
    }
    std::uint64_t count() const { return count_; }
    Seconds mean() const { return Seconds(count_ > 0 ? sum_ / double(count_) : 0); }
    // The middle of the bucket in which the gap lies that `share` of all are no longer than; 0 if there are none.
    Seconds quantile(double share) const {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            below += counts_[i];
            if (below > 0 && double(below) >= share * double(count_)) return Seconds((edge(i) + edge(i + 1)) / 2);
        }
        return Seconds(0);
    }

private:
    // The bits of a positive double grow with it: exponent and the first 7 bits of the mantissa are the bucket.
    static constexpr int kShift = 52 - 7;
    static constexpr double kLeast = 0x1p-30, kMost = 0x1p30;  // 1 ns to 34 years, what lies beyond is put at the end
    static constexpr std::uint64_t kFirst = std::bit_cast<std::uint64_t>(kLeast) >> kShift;
    static constexpr std::uint64_t kLast = std::bit_cast<std::uint64_t>(kMost) >> kShift;

    static std::size_t bucket_of(double seconds) {
        return (std::bit_cast<std::uint64_t>(std::clamp(seconds, kLeast, kMost)) >> kShift) - kFirst;
    }
    static double edge(std::size_t bucket) { return std::bit_cast<double>((bucket + kFirst) << kShift); }

    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kLast - kFirst + 1);
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

}  // namespace strata
