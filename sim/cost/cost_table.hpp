// What a profile says of shapes that it does not hold: the residual of its rows over physics, carried to other shapes
// by ordinary kriging from the nearest rows (kriging.hpp; coordinates are the logarithms of the sides).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "sim/cost/cost_profile.hpp"
#include "sim/cost/kriging.hpp"

namespace strata {

class CostTable {
public:
    // `without_held_out`: as if those rows had not been measured.
    CostTable(const CostProfile& profile, const CostCurve& curve, const Device& measured_on, bool without_held_out);

    struct Residual {
        double log_ratio = 0;  // of measured to physics, natural
        double deviation = 0;  // the predictor's own, of log_ratio; times band(): the 10th and 90th percentile
    };
    struct AtLength {
        Residual residual;
        Physics physics;  // on the table's device
    };
    // At every length of the ladder, in its order; the point's own lead side is not looked at.
    std::vector<AtLength> along_ladder(OpPoint point) const;
    // From the nearest row, in doublings of a side.
    double distance(const OpPoint& point) const;
    std::optional<Seconds> measured(const OpPoint& point) const;
    // The lead side's lengths in the table, ascending.
    std::span<const double> ladder() const { return ladder_; }
    // Whether every side is within the table's lengths, and every word given is one of its.
    bool inside(const OpPoint& point) const;

    // Whether times on that device are the table's own: exchanges, over a link as fast as was measured.
    bool measured_on(const Device& device) const;
    const Device& device() const { return measured_on_; }

    double band() const { return band_; }
    // The 80th percentile of how far physics alone is off (natural logarithm): what it misses here it may miss
    // elsewhere.
    double physics_spread() const { return physics_spread_; }
    std::size_t rows() const { return residuals_.size(); }
    const std::string& source() const { return source_; }
    const std::string& origin() const { return origin_; }

    // What the band should be: the 80th percentile of how many own deviations a left-out row is off.
    double band_by_leaving_out() const;

private:
    static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};
    using Words = std::array<Label, kMaxLabels>;
    using Place = std::vector<double>;  // by dimension
    struct Rows {
        std::vector<std::vector<float>> coordinates;  // by dimension, then row
        std::vector<std::uint16_t> kinds;             // which combination of words
        std::vector<std::uint32_t> in_table;          // their numbers there
    };
    // Those of the rows that may be the nearest to some place.
    struct Part {
        Rows rows;
        float complete_within2 = 0;  // every row that is left out is farther
        std::size_t along = 0;       // the coordinate that they are sorted by: the ladder's
    };
    struct Range {
        std::size_t from, to;
    };
    struct Near {
        float distance2;
        std::uint32_t row;
        auto operator<=>(const Near&) const = default;
    };
    std::size_t slot_of(const OpPoint& point) const;  // its row's, or the empty one where it would stand
    Place place_of(const OpPoint& point, const Physics& physics) const;
    Place place_of(const OpPoint& point) const { return place_of(point, physics_of(point, curve_, measured_on_)); }
    bool has(std::size_t word, Label label) const;
    Words known(const Words& asked) const;
    float apart2(const Words& a, const Words& b) const;
    std::vector<float> apart_from(const Words& words) const;
    std::optional<Part> rows_near(const std::vector<Place>& places, const std::vector<float>& apart) const;
    std::vector<Near> nearest(const Rows& rows, Range among, const Place& place, const std::vector<float>& apart,
                              std::size_t except) const;
    std::vector<Near> nearest(const std::optional<Part>& part, const Place& place,
                              const std::vector<float>& apart) const;
    std::shared_ptr<const KrigingSystem> system_of(const std::vector<Near>& near) const;
    OfNeighbours values_of(const std::vector<Near>& near) const;
    std::array<OfNeighbours, kNeighbours> distances_between(const std::vector<Near>& near) const;
    Residual from_neighbours(const std::vector<Near>& near) const;

    const OpForm& form_;
    CostCurve curve_;
    Device measured_on_;
    std::string source_, origin_;
    double band_, physics_spread_ = 0;
    bool over_link_ = false;
    std::vector<OpPoint> points_;
    std::vector<float> residuals_;
    Rows all_;
    std::vector<Words> words_of_kind_;
    Words most_common_{};
    std::vector<double> ladder_;
    std::array<double, kMaxSides> least_{}, most_{};
    std::vector<Seconds> times_;
    std::vector<std::uint32_t> slots_;  // rows by the hash of their points, twice as many slots as rows
    // Shapes that are near each other have the same nearest rows.
    using RowNumbers = std::array<std::uint32_t, kNeighbours>;
    mutable std::map<RowNumbers, std::shared_ptr<const KrigingSystem>> systems_;
    mutable std::mutex mutex_;  // of these
};

}  // namespace strata
