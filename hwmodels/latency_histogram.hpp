// Latencies in buckets that grow with them: 16 to each doubling, so a quantile is right to 6 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace strata {

class LatencyHistogram {
public:
    void add(std::int64_t cycles) {
        ++counts_[bucket_of(cycles)];
        ++count_;
        sum_ += double(cycles);
    }
    void add(const LatencyHistogram& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
    }

    std::uint64_t count() const { return count_; }
    double mean() const { return count_ > 0 ? sum_ / double(count_) : 0; }
    // The middle of the bucket below or in which `share` of all latencies lie; 0 if there are none.
    double quantile(double share) const {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            below += counts_[i];
            if (below > 0 && double(below) >= share * double(count_)) return (lowest_of(i) + lowest_of(i + 1) - 1) / 2;
        }
        return 0;
    }

private:
    static constexpr int kBits = 4;
    static std::size_t bucket_of(std::int64_t cycles) {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(cycles, 0));
        const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kBits - 1);
        const std::size_t bucket = (static_cast<std::size_t>(shift) << kBits) + (value >> shift);
        return std::min(bucket, kBuckets - 1);
    }
    static double lowest_of(std::size_t bucket) {
        const std::size_t shift = bucket < (2u << kBits) ? 0 : (bucket >> kBits) - 1;
        return double((bucket - (shift << kBits)) << shift);
    }

    static constexpr std::size_t kBuckets = 36 << kBits;
    std::array<std::uint32_t, kBuckets> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

}  // namespace strata
