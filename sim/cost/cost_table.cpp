#include "sim/cost/cost_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

namespace strata {

namespace {

constexpr std::size_t kNobody = ~std::size_t{0};
constexpr std::size_t kMostSystems = 2048;  // about 30 MB a table
constexpr double kTileWeight = 2;           // a change of tile changes more than the sides that caused it

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
    Part part;
    float longest = -1;
    static thread_local std::vector<float> least2;
    least2.assign(rows(), 0);
    for (std::size_t d = 0; d < all_.coordinates.size(); ++d) {
        const auto [low, high] = std::minmax_element(places.begin(), places.end(),
                                                     [d](const Place& a, const Place& b) { return a[d] < b[d]; });
        const auto from = static_cast<float>((*low)[d]), to = static_cast<float>((*high)[d]);
        if (to - from > longest) {
            longest = to - from;
            part.along = d;
        }
        const float* const there = all_.coordinates[d].data();
        for (std::size_t i = 0; i < rows(); ++i) {
            const float away = std::max(std::max(from - there[i], there[i] - to), 0.0F);
            least2[i] += away * away;
        }
    }
    for (std::size_t i = 0; i < rows(); ++i) least2[i] += apart[all_.kinds[i]];
    const float reach = reach_of(least2, kWanted);
    part.complete_within2 = 0.999F * reach;  // sums may be rounded otherwise
    for (std::size_t i = 0; i < rows(); ++i)
        if (least2[i] <= reach) part.rows.in_table.push_back(static_cast<std::uint32_t>(i));
    if (part.rows.in_table.size() > rows() / 2) return {};
    const std::vector<float>& along = all_.coordinates[part.along];
    std::sort(part.rows.in_table.begin(), part.rows.in_table.end(),
              [&](std::uint32_t a, std::uint32_t b) { return along[a] < along[b]; });
    for (const std::uint32_t row : part.rows.in_table) part.rows.kinds.push_back(all_.kinds[row]);
    for (const std::vector<float>& all : all_.coordinates) {
        std::vector<float>& own = part.rows.coordinates.emplace_back();
        for (const std::uint32_t row : part.rows.in_table) own.push_back(all[row]);
    }
    return part;
}

// Of rows as far away as each other those that stand first in the table; in its order.
std::vector<CostTable::Near> CostTable::nearest(const Rows& rows, Range among, const Place& place,
                                                const std::vector<float>& apart, std::size_t except) const {
    const std::size_t n = among.to - among.from;
    static thread_local std::vector<float> distance2;
    distance2.resize(n);
    for (std::size_t i = 0; i < n; ++i) distance2[i] = apart[rows.kinds[among.from + i]];
    for (std::size_t d = 0; d < place.size(); ++d) {
        const auto here = static_cast<float>(place[d]);
        const float* const there = rows.coordinates[d].data() + among.from;
        float* const sum = distance2.data();
        for (std::size_t i = 0; i < n; ++i) sum[i] += (there[i] - here) * (there[i] - here);
    }
    if (except < n) distance2[except] = INFINITY;
    std::vector<Near> near;
    const auto take_within = [&](float reach) {
        near.clear();
        for (std::size_t i = 0; i < n; ++i)
            if (distance2[i] <= reach) near.push_back({distance2[i], rows.in_table[among.from + i]});
    };
    take_within(reach_of(distance2, 3 * kNeighbours));
    if (near.size() < kNeighbours) take_within(std::numeric_limits<float>::max());
    if (near.size() > kNeighbours) {
        std::nth_element(near.begin(), near.begin() + kNeighbours, near.end());
        near.resize(kNeighbours);
    }
    std::sort(near.begin(), near.end(), [](const Near& a, const Near& b) { return a.row < b.row; });
    return near;
}

// Most lengths have their nearest rows close by along the ladder; then all others of the part are looked at, then all.
std::vector<CostTable::Near> CostTable::nearest(const std::optional<Part>& part, const Place& place,
                                                const std::vector<float>& apart) const {
    constexpr float kWindow = 2;  // doublings either way
    const auto complete = [](const std::vector<Near>& near, float within2) {
        return near.size() == kNeighbours &&
               std::all_of(near.begin(), near.end(), [&](const Near& row) { return row.distance2 < within2; });
    };
    if (part) {
        const std::vector<float>& along = part->rows.coordinates[part->along];
        const auto here = static_cast<float>(place[part->along]);
        const auto from = std::lower_bound(along.begin(), along.end(), here - kWindow);
        const auto to = std::upper_bound(from, along.end(), here + kWindow);
        const Range window{static_cast<std::size_t>(from - along.begin()),
                           static_cast<std::size_t>(to - along.begin())};
        std::vector<Near> near = nearest(part->rows, window, place, apart, kNobody);
        if (complete(near, std::min(part->complete_within2, kWindow * kWindow))) return near;
        near = nearest(part->rows, {0, along.size()}, place, apart, kNobody);
        if (complete(near, part->complete_within2)) return near;
    }
    return nearest(all_, {0, rows()}, place, apart, kNobody);
}

std::shared_ptr<const KrigingSystem> CostTable::system_of(const std::vector<Near>& near) const {
    RowNumbers key;
    key.fill(kEmpty);
    for (std::size_t i = 0; i < near.size(); ++i) key[i] = near[i].row;
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = systems_.find(key); known != systems_.end()) return known->second;
    }
    auto made = std::make_shared<const KrigingSystem>(distances_between(near), values_of(near), near.size());
    const std::lock_guard lock(mutex_);
    if (systems_.size() >= kMostSystems) systems_.clear();
    return systems_.emplace(key, std::move(made)).first->second;
}

OfNeighbours CostTable::values_of(const std::vector<Near>& near) const {
    OfNeighbours values{};
    for (std::size_t i = 0; i < near.size(); ++i) values[i] = residuals_[near[i].row];
    return values;
}

// Squared, of each to those after it.
std::array<OfNeighbours, kNeighbours> CostTable::distances_between(const std::vector<Near>& near) const {
    const std::size_t n = near.size();
    std::array<OfNeighbours, kNeighbours> between{};
    for (std::size_t i = 0; words_of_kind_.size() > 1 && i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j)
            between[i][j] = apart2(words_of_kind_[all_.kinds[near[i].row]], words_of_kind_[all_.kinds[near[j].row]]);
    for (const std::vector<float>& coordinate : all_.coordinates) {
        OfNeighbours at{};
        for (std::size_t i = 0; i < n; ++i) at[i] = coordinate[near[i].row];
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < kNeighbours; ++j) between[i][j] += (at[i] - at[j]) * (at[i] - at[j]);
    }
    return between;
}

CostTable::Residual CostTable::from_neighbours(const std::vector<Near>& near) const {
    OfNeighbours distance2{};
    for (std::size_t i = 0; i < near.size(); ++i) distance2[i] = near[i].distance2;
    const Kriged kriged = system_of(near)->at(distance2);
    return {.log_ratio = kriged.value, .deviation = kriged.deviation};
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
    for (std::size_t i = 0; i < places.size(); ++i)
        found[i].residual = from_neighbours(nearest(part, places[i], apart));
    return found;
}

double CostTable::distance(const OpPoint& point) const {
    const std::vector<Near> near = nearest({}, place_of(point), apart_from(known(point.labels)));
    return std::sqrt(std::min_element(near.begin(), near.end())->distance2);
}

double CostTable::band_by_leaving_out() const {
    const std::size_t step = std::max<std::size_t>(1, residuals_.size() / 2000);
    std::vector<double> off;
    for (std::size_t i = 0; i < residuals_.size(); i += step) {
        const Residual residual =
            from_neighbours(nearest(all_, {0, rows()}, place_of(points_[i]), apart_from(points_[i].labels), i));
        off.push_back(std::abs(residual.log_ratio - residuals_[i]) / residual.deviation);
    }
    return percentile_80(off);
}

}  // namespace strata
