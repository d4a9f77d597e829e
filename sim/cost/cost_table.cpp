#include "sim/cost/cost_table.hpp"

#include <algorithm>
#include <cmath>

namespace strata {

namespace {

constexpr std::size_t kNeighbours = 40;
constexpr double kReach = 5;           // doublings of a side over which a residual is remembered
constexpr double kRepeatNoise = 0.02;  // of the residuals' variance: what two measurements of one shape differ in

constexpr double kTileWeight = 2;  // a change of tile changes more than the sides that caused it

double covariance(double distance) {
    const double a = std::sqrt(3.0) / kReach * distance;
    return (1 + a) * std::exp(-a);
}

// Solves K x = b for three right-hand sides at once by Cholesky's factorisation, in place.
using Matrix = std::array<std::array<double, kNeighbours>, kNeighbours>;
void factorise(Matrix& k, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t p = 0; p < j; ++p)
            for (std::size_t i = j; i < n; ++i) k[i][j] -= k[i][p] * k[j][p];
        const double root = std::sqrt(k[j][j]);
        for (std::size_t i = j; i < n; ++i) k[i][j] /= root;
    }
}
using Column = std::array<double, kNeighbours>;
// L^-1 b: products of two such are products over K^-1.
void halve(const Matrix& k, std::size_t n, Column& b) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t p = 0; p < i; ++p) b[i] -= k[i][p] * b[p];
        b[i] /= k[i][i];
    }
}
double product(const Column& a, const Column& b, std::size_t n) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

template <class Number>
Number percentile_80(std::vector<Number>& values) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(0.8 * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

struct Near {
    float distance2;
    std::uint32_t row;
    bool operator<(const Near& other) const { return distance2 < other.distance2; }
};

}  // namespace

CostTable::CostTable(const CostProfile& profile, const CostCurve& curve, const Device& measured_on,
                     bool without_held_out)
    : form_(form_of(profile.family)),
      curve_(curve),
      measured_on_(measured_on),
      file_(profile.file),
      source_(profile.source),
      origin_(profile.origin),
      band_(profile.band) {
    least_.fill(INFINITY);
    measured_.reserve(profile.rows.size());
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
        measured_.emplace(row.point, row.time);
        ladder_.push_back(row.point.sides[static_cast<std::size_t>(form_.lead)]);
        for (std::size_t i = 0; i < form_.sides.size(); ++i) {
            least_[i] = std::min(least_[i], row.point.sides[i]);
            most_[i] = std::max(most_[i], row.point.sides[i]);
        }
    }
    std::sort(ladder_.begin(), ladder_.end());
    ladder_.erase(std::unique(ladder_.begin(), ladder_.end()), ladder_.end());
    std::vector<float> off = residuals_;
    for (float& residual : off) residual = std::abs(residual);
    physics_spread_ = percentile_80(off);
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

std::optional<Seconds> CostTable::measured(const OpPoint& point) const {
    const auto found = measured_.find(point);
    if (found == measured_.end()) return {};
    return found->second;
}

bool CostTable::inside(const OpPoint& point) const {
    for (std::size_t i = 0; i < form_.sides.size(); ++i)
        if (point.sides[i] < least_[i] || point.sides[i] > most_[i]) return false;
    return true;
}

CostTable::Residual CostTable::from_neighbours(const OpPoint& point, std::size_t except) const {
    const std::size_t rows = residuals_.size(), n = std::min(kNeighbours, rows - (except < rows ? 1 : 0));
    const std::vector<double> at = coordinates_of(point, physics_of(point, curve_, measured_on_));
    static thread_local std::vector<float> distance2;
    distance2.assign(rows, 0);
    for (std::size_t d = 0; d < at.size(); ++d) {
        const float here = static_cast<float>(at[d]);
        const float* there = coordinates_[d].data();
        for (std::size_t i = 0; i < rows; ++i) distance2[i] += (there[i] - here) * (there[i] - here);
    }
    const auto apart2 = [&](const auto& a, const auto& b) {
        double sum = 0;
        for (std::size_t w = 0; w < form_.words.size(); ++w)
            if (a[w] && b[w] && a[w] != b[w]) sum += form_.words[w].distance * form_.words[w].distance;
        return static_cast<float>(sum);
    };
    // A word that no row has (another device's kernel) says nothing of which rows are near.
    std::array<Label, kMaxLabels> known_words{};
    for (const auto& words : words_of_kind_)
        for (std::size_t w = 0; w < kMaxLabels; ++w)
            if (words[w] == point.labels[w]) known_words[w] = words[w];
    std::vector<float> apart_of_kind;
    for (const auto& words : words_of_kind_) apart_of_kind.push_back(apart2(words, known_words));
    std::array<Near, kNeighbours> near{};  // a heap, the farthest first
    std::size_t found = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        const float d2 = distance2[i] + apart_of_kind[kinds_[i]];
        if (i == except || (found == n && d2 >= near[0].distance2)) continue;
        if (found == n)
            std::pop_heap(near.begin(), near.begin() + n);
        else
            ++found;
        near[found - 1] = {d2, static_cast<std::uint32_t>(i)};
        std::push_heap(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(found));
    }

    Matrix k{};
    Column residual{}, one{}, here{};
    double nearest2 = INFINITY;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t a = near[i].row;
        for (std::size_t j = 0; j < i; ++j) {
            const std::uint32_t b = near[j].row;
            double d2 = apart2(words_of_kind_[kinds_[a]], words_of_kind_[kinds_[b]]);
            for (const auto& dimension : coordinates_)
                d2 += (dimension[a] - dimension[b]) * (dimension[a] - dimension[b]);
            k[i][j] = covariance(std::sqrt(d2));
        }
        k[i][i] = 1 + kRepeatNoise;
        residual[i] = residuals_[a];
        one[i] = 1;
        here[i] = covariance(std::sqrt(double(near[i].distance2)));
        nearest2 = std::min(nearest2, double(near[i].distance2));
    }
    factorise(k, n);
    halve(k, n, residual);
    halve(k, n, one);
    halve(k, n, here);
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
