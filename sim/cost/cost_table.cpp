#include "sim/cost/cost_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

namespace strata {

namespace {

// Chosen on rows that are not put aside, by leaving them out; a little more or less of each changes little.
constexpr std::size_t kNeighbours = 40;
constexpr double kReach = 5;           // doublings of a side over which a residual is remembered
constexpr double kRepeatNoise = 0.02;  // of the residuals' variance: what two measurements of one shape differ in

constexpr double kTileWeight = 2;  // a change of tile changes more than the sides that caused it

double covariance(double distance) {
    const double a = std::sqrt(3.0) / kReach * distance;
    return (1 + a) * std::exp(-a);
}

// The same of a squared distance, from a table: asked a thousand times for each prediction. Beyond the table rows have
// nothing to do with each other.
double covariance_of_square(float distance2) {
    constexpr std::size_t kSteps = 4096;
    constexpr float kFarthest2 = 30.0F * 30.0F;
    static const std::vector<double> known = [] {
        std::vector<double> values;
        for (std::size_t i = 0; i <= kSteps; ++i) {  // spaced evenly in distance, which is where it bends
            const double root = 30.0 * double(i) / kSteps;
            values.push_back(covariance(root));
        }
        return values;
    }();
    if (distance2 >= kFarthest2) return 0;
    return known[static_cast<std::size_t>(std::sqrt(distance2) * (kSteps / 30.0F) + 0.5F)];
}

using Column = std::array<double, kNeighbours>;
using Matrix = std::array<Column, kNeighbours>;

double product(const Column& a, const Column& b, std::size_t n) {
    double sums[4]{};  // four chains, for the processor's sake
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (std::size_t c = 0; c < 4; ++c) sums[c] += a[i + c] * b[i + c];
    for (; i < n; ++i) sums[0] += a[i] * b[i];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

// Cholesky's factorisation of the lower triangle, in place.
void factorise(Matrix& k, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) k[i][j] = (k[i][j] - product(k[i], k[j], j)) / k[j][j];
        k[i][i] = std::sqrt(k[i][i] - product(k[i], k[i], i));
    }
}

// L^-1 b: products of two such are products over K^-1.
void halve(const Matrix& k, std::size_t n, Column& b) {
    for (std::size_t i = 0; i < n; ++i) b[i] = (b[i] - product(k[i], b, i)) / k[i][i];
}

template <class Number>
Number percentile_80(std::vector<Number>& values) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(0.8 * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace

CostTable::CostTable(const CostProfile& profile, const CostCurve& curve, const Device& measured_on,
                     bool without_held_out)
    : form_(form_of(profile.family)),
      curve_(curve),
      measured_on_(measured_on),
      source_(profile.source),
      origin_(profile.origin),
      band_(profile.band) {
    least_.fill(INFINITY);
    points_.reserve(profile.rows.size());
    times_.reserve(profile.rows.size());
    for (const CostProfile::Row& row : profile.rows) {
        if (without_held_out && row.held_out) continue;
        const Physics physics = physics_of(row.point, curve, measured_on);
        over_link_ = over_link_ || physics.sending > Seconds(0);
        const std::vector<double> at = coordinates_of(row.point, physics);
        coordinates_.resize(at.size());
        for (std::size_t d = 0; d < at.size(); ++d) coordinates_[d].push_back(static_cast<float>(at[d]));
        const auto kind = std::find(words_of_kind_.begin(), words_of_kind_.end(), row.point.labels);
        kinds_.push_back(static_cast<std::uint16_t>(kind - words_of_kind_.begin()));
        if (kind == words_of_kind_.end()) words_of_kind_.push_back(row.point.labels);
        residuals_.push_back(static_cast<float>(std::log(row.time / physics.time())));
        points_.push_back(row.point);
        times_.push_back(row.time);
        ladder_.push_back(row.point.sides[static_cast<std::size_t>(form_.lead)]);
        for (std::size_t i = 0; i < form_.sides.size(); ++i) {
            least_[i] = std::min(least_[i], row.point.sides[i]);
            most_[i] = std::max(most_[i], row.point.sides[i]);
        }
    }
    std::sort(ladder_.begin(), ladder_.end());
    ladder_.erase(std::unique(ladder_.begin(), ladder_.end()), ladder_.end());
    slots_.assign(std::bit_ceil(2 * points_.size() + 1), kEmpty);
    for (std::size_t i = 0; i < points_.size(); ++i) {
        std::uint32_t& slot = slots_[slot_of(points_[i])];
        if (slot == kEmpty) slot = static_cast<std::uint32_t>(i);
    }
    if (residuals_.empty()) return;
    std::vector<float> off = residuals_;
    for (float& residual : off) residual = std::abs(residual);
    physics_spread_ = percentile_80(off);
    for (std::size_t w = 0; w < form_.words.size(); ++w) {
        std::map<Label, std::size_t> count;
        for (const std::uint16_t kind : kinds_) ++count[words_of_kind_[kind][w]];
        most_common_[w] = std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) {
                              return a.second < b.second;
                          })->first;
    }
}

bool CostTable::measured_on(const Device& device) const {
    return !device.name.empty() && device.name == measured_on_.name &&
           (!over_link_ || device.link == measured_on_.link);
}

// A product's tile is one of its coordinates: shapes that are tiled alike are alike.
std::vector<double> CostTable::coordinates_of(const OpPoint& point, const Physics& physics) const {
    std::vector<double> at = form_.coordinates(point);
    if (point.family == Family::gemm_bf16 || point.family == Family::gemm_fp8) {
        at.push_back(kTileWeight * std::log2(physics.tile_rows));
        at.push_back(kTileWeight * std::log2(physics.tile_columns));
    }
    return at;
}

std::size_t CostTable::slot_of(const OpPoint& point) const {
    std::size_t slot = OpPointHash{}(point) & (slots_.size() - 1);
    while (slots_[slot] != kEmpty && !(points_[slots_[slot]] == point)) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
}

std::optional<Seconds> CostTable::measured(const OpPoint& point) const {
    // Most questions of a sweep stand between the lengths of the lead side.
    const double lead = point.sides[static_cast<std::size_t>(form_.lead)];
    if (!std::binary_search(ladder_.begin(), ladder_.end(), lead)) return {};
    const std::uint32_t row = slots_[slot_of(point)];
    if (row == kEmpty) return {};
    return times_[row];
}

bool CostTable::has(std::size_t word, Label label) const {
    return std::any_of(words_of_kind_.begin(), words_of_kind_.end(),
                       [&](const Words& words) { return words[word] == label; });
}

// A word that is not given, or that no row has (another device's kernel), is taken to be the table's most common.
CostTable::Words CostTable::known(const Words& asked) const {
    Words words = asked;
    for (std::size_t w = 0; w < form_.words.size(); ++w)
        if (!has(w, asked[w])) words[w] = most_common_[w];
    return words;
}

bool CostTable::inside(const OpPoint& point) const {
    for (std::size_t w = 0; w < form_.words.size(); ++w)
        if (point.labels[w] && !has(w, point.labels[w])) return false;
    for (std::size_t i = 0; i < form_.sides.size(); ++i)
        if (point.sides[i] < least_[i] || point.sides[i] > most_[i]) return false;
    return true;
}

// Squared distance, in doublings of a side, of words that are both known and not the same.
float CostTable::apart2(const Words& a, const Words& b) const {
    double sum = 0;
    for (std::size_t w = 0; w < form_.words.size(); ++w)
        if (a[w] && b[w] && a[w] != b[w]) sum += form_.words[w].distance * form_.words[w].distance;
    return static_cast<float>(sum);
}

std::vector<CostTable::Near> CostTable::nearest(const OpPoint& point, std::size_t except) const {
    const std::size_t rows = residuals_.size();
    const std::vector<double> at = coordinates_of(point, physics_of(point, curve_, measured_on_));
    static thread_local std::vector<float> kept;
    kept.assign(rows, 0);
    float* const distance2 = kept.data();
    for (std::size_t d = 0; d < at.size(); ++d) {
        const float here = static_cast<float>(at[d]);
        const float* there = coordinates_[d].data();
        for (std::size_t i = 0; i < rows; ++i) distance2[i] += (there[i] - here) * (there[i] - here);
    }
    const Words words = known(point.labels);
    std::vector<float> apart_of_kind;
    for (const Words& of_kind : words_of_kind_) apart_of_kind.push_back(apart2(of_kind, words));
    for (std::size_t i = 0; i < rows; ++i) distance2[i] += apart_of_kind[kinds_[i]];
    if (except < rows) distance2[except] = INFINITY;
    // A sample says how far about three times as many as are wanted reach; only those are looked at one by one.
    std::vector<Near> near;
    const auto take_within = [&](float reach) {
        near.clear();
        for (std::size_t i = 0; i < rows; ++i)
            if (distance2[i] <= reach) near.push_back({distance2[i], static_cast<std::uint32_t>(i)});
    };
    constexpr std::size_t kStride = 16;
    std::vector<float> sample;
    for (std::size_t i = 0; i < rows; i += kStride) sample.push_back(distance2[i]);
    const std::size_t enough = 3 * kNeighbours / kStride;
    if (sample.size() > enough) {
        std::nth_element(sample.begin(), sample.begin() + enough, sample.end());
        take_within(sample[enough]);
    }
    if (near.size() < kNeighbours) take_within(std::numeric_limits<float>::max());
    if (near.size() <= kNeighbours) return near;
    std::nth_element(near.begin(), near.begin() + kNeighbours, near.end());
    near.resize(kNeighbours);
    return near;
}

CostTable::Residual CostTable::from_neighbours(const OpPoint& point, std::size_t except) const {
    const std::vector<Near> near = nearest(point, except);
    const std::size_t n = near.size();
    Matrix k{};
    Column residual{}, one{}, here{};
    float nearest2 = INFINITY;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t a = near[i].row;
        for (std::size_t j = 0; j < i; ++j) {
            const std::uint32_t b = near[j].row;
            float d2 = kinds_[a] == kinds_[b] ? 0 : apart2(words_of_kind_[kinds_[a]], words_of_kind_[kinds_[b]]);
            for (const auto& dimension : coordinates_)
                d2 += (dimension[a] - dimension[b]) * (dimension[a] - dimension[b]);
            k[i][j] = covariance_of_square(d2);
        }
        k[i][i] = 1 + kRepeatNoise;
        residual[i] = residuals_[a];
        one[i] = 1;
        here[i] = covariance_of_square(near[i].distance2);
        nearest2 = std::min(nearest2, near[i].distance2);
    }
    factorise(k, n);
    for (Column* column : {&residual, &one, &here}) halve(k, n, *column);
    const double ones = product(one, one, n), mean = product(one, residual, n) / ones;
    const double trend = 1 - product(one, here, n);  // of the mean's own uncertainty
    const double variance = 1 + kRepeatNoise - product(here, here, n) + trend * trend / ones;
    return {.log_ratio = mean + product(here, residual, n) - mean * product(here, one, n),
            .deviation = std::sqrt(std::max(variance, kRepeatNoise)),
            .distance = std::sqrt(nearest2)};
}

double CostTable::band_by_leaving_out() const {
    const std::size_t step = std::max<std::size_t>(1, residuals_.size() / 2000);
    std::vector<double> off;
    for (std::size_t i = 0; i < residuals_.size(); i += step) {
        const Residual residual = from_neighbours(points_[i], i);
        off.push_back(std::abs(residual.log_ratio - residuals_[i]) / residual.deviation);
    }
    return percentile_80(off);
}

}  // namespace strata
