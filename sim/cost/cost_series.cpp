#include "sim/cost/cost_series.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>

namespace strata {

namespace {

constexpr std::size_t kMostSeries = 32768;  // about 100 MB: a search over shapes must not fill the memory

// Isotonic regression by pooling adjacent violators (Barlow, Bartholomew, Bremner, Brunk, Statistical Inference under
// Order Restrictions, 1972): the nearest curve that never falls, in least squares.
void make_monotone(std::vector<double>& values) {
    struct Pool {
        double mean;
        std::size_t size;
    };
    std::vector<Pool> pools;
    for (const double value : values) {
        pools.push_back({value, 1});
        while (pools.size() > 1 && pools[pools.size() - 2].mean > pools.back().mean) {
            const Pool last = pools.back();
            pools.pop_back();
            Pool& into = pools.back();
            const std::size_t size = into.size + last.size;
            into.mean = (into.mean * double(into.size) + last.mean * double(last.size)) / double(size);
            into.size = size;
        }
    }
    std::size_t at = 0;
    for (const Pool& pool : pools)
        for (std::size_t i = 0; i < pool.size; ++i) values[at++] = pool.mean;
}

CostSeries make(const OpPoint& point, const CostTable& table) {
    CostSeries series;
    const std::vector<CostTable::AtLength> found = table.along_ladder(point);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& [residual, expected] = found[i];
        series.at.push_back(std::log(std::max(table.ladder()[i], 0.5)));  // a past of no tokens stands below one of one
        series.time.push_back(
            std::max(std::log(expected.time().si()) + residual.log_ratio, std::log(expected.bound.si())));
        series.deviation.push_back(residual.deviation);
    }
    make_monotone(series.time);
    for (std::size_t i = 0; i < found.size(); ++i)
        series.residual.push_back(series.time[i] - std::log(found[i].physics.time().si()));
    return series;
}

}  // namespace

CostSeries::Between CostSeries::of(double lead) const {
    const double here = std::log(std::max(lead, 0.5));
    const auto above = std::lower_bound(at.begin(), at.end(), here);
    if (above == at.begin()) return {time.front(), residual.front(), deviation.front()};
    if (above == at.end()) return {time.back(), residual.back(), deviation.back()};
    const auto i = static_cast<std::size_t>(above - at.begin());
    const double part = (here - at[i - 1]) / (at[i] - at[i - 1]);
    return {std::lerp(time[i - 1], time[i], part), std::lerp(residual[i - 1], residual[i], part),
            std::lerp(deviation[i - 1], deviation[i], part)};
}

CostSeriesCache::CostSeriesCache() {
    static std::atomic<std::uint64_t> caches = 0;
    number_ = ++caches;
}

// What a thread asked before it finds again without a lock, which many threads would hand to each other all the time.
const CostSeries& CostSeriesCache::of(const OpPoint& point, const CostTable& table) {
    struct Seen {
        std::uint64_t cache = 0;
        OpPoint key;
        const CostSeries* series = nullptr;
    };
    static thread_local std::array<Seen, 512> seen;
    OpPoint key = point;
    key.sides[static_cast<std::size_t>(form_of(point.family).lead)] = 0;
    Seen& known = seen[OpPointHash{}(key) % seen.size()];
    if (known.cache == number_ && known.key == key) return *known.series;
    if (const CostSeries* const series = find_or_make(key, table)) {
        known = {number_, key, series};
        return *series;
    }
    static thread_local CostSeries not_kept;
    not_kept = make(key, table);
    return not_kept;
}

// Null where the cache is full. What it has stays where it is.
const CostSeries* CostSeriesCache::find_or_make(const OpPoint& key, const CostTable& table) {
    {
        const std::shared_lock lock(mutex_);
        const auto known = series_.find(key);
        if (known != series_.end()) return known->second.get();
        if (series_.size() >= kMostSeries) return nullptr;
    }
    auto series = std::make_unique<const CostSeries>(make(key, table));
    const std::unique_lock lock(mutex_);
    return series_.try_emplace(key, std::move(series)).first->second.get();
}

}  // namespace strata
