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
constexpr std::size_t kNobody = ~std::size_t{0};
constexpr double kReach = 5;           // doublings of a side over which a residual is remembered
constexpr double kRepeatNoise = 0.02;  // of the residuals' variance: what two measurements of one shape differ in

constexpr double kTileWeight = 2;  // a change of tile changes more than the sides that caused it

double covariance(double distance) {
    const double a = std::sqrt(3.0) / kReach * distance;
    return (1 + a) * std::exp(-a);
}

// The same of a squared distance, between values that are spaced evenly in distance: asked a thousand times for each
// prediction. Beyond them rows have nothing to do with each other.
double covariance_of_square(float distance2) {
    constexpr std::size_t kSteps = 1024;
    constexpr float kFarthest = 30;
    static const std::array<double, kSteps + 1> known = [] {
        std::array<double, kSteps + 1> values{};
        for (std::size_t i = 0; i <= kSteps; ++i) values[i] = covariance(double(kFarthest) * double(i) / kSteps);
        return values;
    }();
    if (distance2 >= kFarthest * kFarthest) return 0;
    const float step = std::sqrt(distance2) * (kSteps / kFarthest);
    const auto below = std::min(static_cast<std::size_t>(step), kSteps - 1);
    return known[below] + (known[below + 1] - known[below]) * double(step - static_cast<float>(below));
}

// The covariances K of the neighbours and, beside them, what is solved for: K^-1 is never made.
struct System {
    enum { residual = kNeighbours, one, here, width };
    double at[kNeighbours][width]{};

    // Cholesky's factor in the upper triangle, L^-1 b in the place of each b: products of two such are products over
    // K^-1.
    void solve(std::size_t n) {
        for (std::size_t j = 0; j < n; ++j) {
            const double root = std::sqrt(at[j][j]);
            for (std::size_t c = j; c < width; ++c) at[j][c] /= root;
            for (std::size_t i = j + 1; i < n; ++i) {
                const double factor = at[j][i];
                for (std::size_t c = i; c < width; ++c) at[i][c] -= factor * at[j][c];
            }
        }
    }
    double product(int a, int b, std::size_t n) const {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += at[i][a] * at[i][b];
        return sum;
    }
};

// Squared distances of rows to a place, word for word the same.
void add_squares(const std::vector<std::vector<float>>& coordinates, const std::vector<double>& place,
                 std::vector<float>& distance2) {
    for (std::size_t d = 0; d < place.size(); ++d) {
        const auto here = static_cast<float>(place[d]);
        const float* const there = coordinates[d].data();
        float* const sum = distance2.data();
        for (std::size_t i = 0; i < distance2.size(); ++i) sum[i] += (there[i] - here) * (there[i] - here);
    }
}

// How far about so many of the values reach, by a sample of them; infinity where a sample would say nothing.
float reach_of(const std::vector<float>& distance2, std::size_t wanted) {
    constexpr std::size_t kStride = 16;
    static thread_local std::vector<float> sample;
    sample.clear();
    for (std::size_t i = 0; i < distance2.size(); i += kStride) sample.push_back(distance2[i]);
    const std::size_t enough = wanted / kStride;
    if (sample.size() <= enough) return INFINITY;
    const auto last = sample.begin() + static_cast<std::ptrdiff_t>(enough);
    std::nth_element(sample.begin(), last, sample.end());
    return *last;
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
        const Place at = place_of(row.point, physics);
        all_.coordinates.resize(at.size());
        for (std::size_t d = 0; d < at.size(); ++d) all_.coordinates[d].push_back(static_cast<float>(at[d]));
        all_.in_table.push_back(static_cast<std::uint32_t>(points_.size()));
        const auto kind = std::find(words_of_kind_.begin(), words_of_kind_.end(), row.point.labels);
        all_.kinds.push_back(static_cast<std::uint16_t>(kind - words_of_kind_.begin()));
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
        for (const std::uint16_t kind : all_.kinds) ++count[words_of_kind_[kind][w]];
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
CostTable::Place CostTable::place_of(const OpPoint& point, const Physics& physics) const {
    Place at = form_.coordinates(point);
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

std::vector<float> CostTable::apart_from(const Words& words) const {
    std::vector<float> apart;
    for (const Words& of_kind : words_of_kind_) apart.push_back(apart2(of_kind, words));
    return apart;
}

// By what a row is at least away from all of the places: from the box that they span. None where that leaves most rows.
std::optional<CostTable::Part> CostTable::rows_near(const std::vector<Place>& places,
                                                    const std::vector<float>& apart) const {
    constexpr std::size_t kWanted = 2000;
    if (rows() < 2 * kWanted) return {};
    static thread_local std::vector<float> least2;
    least2.assign(rows(), 0);
    for (std::size_t d = 0; d < all_.coordinates.size(); ++d) {
        const auto [low, high] = std::minmax_element(places.begin(), places.end(),
                                                     [d](const Place& a, const Place& b) { return a[d] < b[d]; });
        const auto from = static_cast<float>((*low)[d]), to = static_cast<float>((*high)[d]);
        const float* const there = all_.coordinates[d].data();
        for (std::size_t i = 0; i < rows(); ++i) {
            const float away = std::max(std::max(from - there[i], there[i] - to), 0.0F);
            least2[i] += away * away;
        }
    }
    for (std::size_t i = 0; i < rows(); ++i) least2[i] += apart[all_.kinds[i]];
    const float reach = reach_of(least2, kWanted);
    Part part{.rows = {}, .complete_within2 = 0.999F * reach};  // sums may be rounded otherwise
    for (std::size_t i = 0; i < rows(); ++i)
        if (least2[i] <= reach) part.rows.in_table.push_back(static_cast<std::uint32_t>(i));
    if (part.rows.in_table.size() > rows() / 2) return {};
    for (const std::uint32_t row : part.rows.in_table) part.rows.kinds.push_back(all_.kinds[row]);
    for (const std::vector<float>& all : all_.coordinates) {
        std::vector<float>& own = part.rows.coordinates.emplace_back();
        for (const std::uint32_t row : part.rows.in_table) own.push_back(all[row]);
    }
    return part;
}

// The nearest first; of rows as far away as each other the one that stands first in the table.
std::vector<CostTable::Near> CostTable::nearest(const Rows& rows, const Place& place, const std::vector<float>& apart,
                                                std::size_t except) const {
    const std::size_t n = rows.kinds.size();
    static thread_local std::vector<float> distance2;
    distance2.assign(n, 0);
    add_squares(rows.coordinates, place, distance2);
    for (std::size_t i = 0; i < n; ++i) distance2[i] += apart[rows.kinds[i]];
    if (except < n) distance2[except] = INFINITY;
    std::vector<Near> near;
    const auto take_within = [&](float reach) {
        near.clear();
        for (std::size_t i = 0; i < n; ++i)
            if (distance2[i] <= reach) near.push_back({distance2[i], rows.in_table[i]});
    };
    take_within(reach_of(distance2, 3 * kNeighbours));
    if (near.size() < kNeighbours) take_within(std::numeric_limits<float>::max());
    const auto last = near.begin() + static_cast<std::ptrdiff_t>(std::min(near.size(), kNeighbours));
    std::partial_sort(near.begin(), last, near.end());
    near.erase(last, near.end());
    return near;
}

CostTable::Residual CostTable::from_neighbours(const std::vector<Near>& near) const {
    const std::size_t n = near.size();
    using OfNeighbours = std::array<float, kNeighbours>;
    std::vector<OfNeighbours> at(all_.coordinates.size());  // by dimension
    for (std::size_t d = 0; d < at.size(); ++d)
        for (std::size_t i = 0; i < n; ++i) at[d][i] = all_.coordinates[d][near[i].row];
    System k;
    for (std::size_t i = 0; i < n; ++i) {
        OfNeighbours distance2{};
        const std::uint16_t kind = all_.kinds[near[i].row];
        for (std::size_t j = i + 1; words_of_kind_.size() > 1 && j < n; ++j)
            if (const std::uint16_t other = all_.kinds[near[j].row]; other != kind)
                distance2[j] = apart2(words_of_kind_[kind], words_of_kind_[other]);
        for (const OfNeighbours& along : at)
            for (std::size_t j = 0; j < kNeighbours; ++j) distance2[j] += (along[i] - along[j]) * (along[i] - along[j]);
        for (std::size_t j = i + 1; j < n; ++j) k.at[i][j] = covariance_of_square(distance2[j]);
        k.at[i][i] = 1 + kRepeatNoise;
        k.at[i][System::residual] = residuals_[near[i].row];
        k.at[i][System::one] = 1;
        k.at[i][System::here] = covariance_of_square(near[i].distance2);
    }
    k.solve(n);
    const double ones = k.product(System::one, System::one, n);
    const double mean = k.product(System::one, System::residual, n) / ones;
    const double trend = 1 - k.product(System::one, System::here, n);  // of the mean's own uncertainty
    const double variance = 1 + kRepeatNoise - k.product(System::here, System::here, n) + trend * trend / ones;
    return {.log_ratio = mean + k.product(System::here, System::residual, n) - mean * (1 - trend),
            .deviation = std::sqrt(std::max(variance, kRepeatNoise))};
}

std::vector<CostTable::AtLength> CostTable::along_ladder(OpPoint point) const {
    std::vector<AtLength> found;
    std::vector<Place> places;
    for (const double length : ladder_) {
        point.sides[static_cast<std::size_t>(form_.lead)] = length;
        found.push_back({.residual = {}, .physics = physics_of(point, curve_, measured_on_)});
        places.push_back(place_of(point, found.back().physics));
    }
    const std::vector<float> apart = apart_from(known(point.labels));
    const std::optional<Part> part = rows_near(places, apart);
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::vector<Near> near;
        if (part) near = nearest(part->rows, places[i], apart, kNobody);
        if (near.size() < kNeighbours || near.back().distance2 >= part->complete_within2)
            near = nearest(all_, places[i], apart, kNobody);
        found[i].residual = from_neighbours(near);
    }
    return found;
}

double CostTable::distance(const OpPoint& point) const {
    return std::sqrt(nearest(all_, place_of(point), apart_from(known(point.labels)), kNobody).front().distance2);
}

double CostTable::band_by_leaving_out() const {
    const std::size_t step = std::max<std::size_t>(1, residuals_.size() / 2000);
    std::vector<double> off;
    for (std::size_t i = 0; i < residuals_.size(); i += step) {
        const std::vector<Near> near = nearest(all_, place_of(points_[i]), apart_from(points_[i].labels), i);
        const Residual residual = from_neighbours(near);
        off.push_back(std::abs(residual.log_ratio - residuals_[i]) / residual.deviation);
    }
    return percentile_80(off);
}

}  // namespace strata
