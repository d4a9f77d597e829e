#include "sim/cost/cost_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/cost/cost_book.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

using Row = std::vector<double>;

// By Gauss-Jordan elimination with pivots.
Row solution_of(std::vector<Row> system) {
    const std::size_t n = system.size();
    for (std::size_t j = 0; j < n; ++j) {
        std::size_t pivot = j;
        for (std::size_t i = j; i < n; ++i)
            if (std::abs(system[i][j]) > std::abs(system[pivot][j])) pivot = i;
        std::swap(system[j], system[pivot]);
        for (std::size_t i = 0; i < n; ++i) {
            const double factor = i == j ? 0 : system[i][j] / system[j][j];
            for (std::size_t c = j; c <= n; ++c) system[i][c] -= factor * system[j][c];
        }
    }
    Row found;
    for (std::size_t i = 0; i < n; ++i) found.push_back(system[i][n] / system[i][i]);
    return found;
}

// Ordinary kriging by its definition: weights that add up to one and make the error smallest, one equation for each of
// the 40 nearest rows and one for the sum (Cressie, Statistics for Spatial Data, 1993, section 3.2).
class PlainKriging {
public:
    PlainKriging(Family family, const CostBook& book)
        : form_(form_of(family)), table_(*book.table(family)), curve_(book.curve(family)) {
        const std::string file = kRoot + "/sim/cost/published/H200_SXM/" + std::string(to_string(family)) + ".csv";
        for (const CostProfile::Row& row : read_profile(file).rows) {
            rows_.push_back(row.point);
            places_.push_back(place_of(row.point));
            residuals_.push_back(std::log(row.time / physics_of(row.point, curve_, table_.device()).time()));
        }
    }

    CostTable::Residual at(const OpPoint& point) const {
        const Row place = place_of(point);
        std::vector<std::pair<float, std::size_t>> near;
        for (std::size_t i = 0; i < rows_.size(); ++i)
            near.emplace_back(distance2(place, point, places_[i], rows_[i]), i);
        std::sort(near.begin(), near.end());
        near.resize(std::min<std::size_t>(near.size(), 40));
        std::vector<Row> system;
        for (const auto& [to_point, a] : near) {
            Row& row = system.emplace_back();
            for (const auto& [unused, b] : near)
                row.push_back(a == b ? kSill : covariance(distance2(places_[a], rows_[a], places_[b], rows_[b])));
            row.push_back(1);
            row.push_back(covariance(to_point));
        }
        system.emplace_back(near.size(), 1).insert(system.back().end(), {0, 1});
        const Row weights = solution_of(system);
        double log_ratio = 0, variance = kSill - weights.back();
        for (std::size_t i = 0; i < near.size(); ++i) {
            log_ratio += weights[i] * residuals_[near[i].second];
            variance -= weights[i] * system[i].back();
        }
        return {.log_ratio = log_ratio, .deviation = std::sqrt(std::max(variance, 0.02))};
    }

private:
    static constexpr double kSill = 1.02;  // a row's own noise is a fiftieth
    static double covariance(double distance2) {
        const double a = std::sqrt(3 * distance2) / 5;
        return (1 + a) * std::exp(-a);
    }
    Row place_of(const OpPoint& point) const {
        Row place = form_.coordinates(point);
        if (const Physics physics = physics_of(point, curve_, table_.device()); physics.tile_rows > 0)
            for (const double side : {physics.tile_rows, physics.tile_columns}) place.push_back(2 * std::log2(side));
        return place;
    }
    // In the precision of the table, so that rows as far away as each other are so here too.
    float distance2(const Row& at, const OpPoint& a, const Row& there, const OpPoint& b) const {
        float sum = 0;
        for (std::size_t w = 0; w < form_.words.size(); ++w)
            if (a.labels[w] != b.labels[w])
                sum += static_cast<float>(form_.words[w].distance * form_.words[w].distance);
        for (std::size_t d = 0; d < at.size(); ++d) {
            const float apart = static_cast<float>(there[d]) - static_cast<float>(at[d]);
            sum += apart * apart;
        }
        return sum;
    }

    const OpForm& form_;
    const CostTable& table_;
    const CostCurve& curve_;
    std::vector<OpPoint> rows_;
    std::vector<Row> places_;
    Row residuals_;
};

// Rows far from a ladder are never looked at, and nearest ones are found among the rest: it must not show. The large
// tables are taken apart so, the small one is not; the last two shapes are far from all rows.
TEST(CostTable, carries_residuals_as_plain_kriging_from_the_nearest_of_all_rows_does) {
    const CostBook book = CostBook::of(kRoot);
    struct Case {
        Family family;
        const char* shape;
    };
    for (const Case& one :
         {Case{Family::gemm_bf16, "m=1,n=7168,k=2048"}, Case{Family::gemm_bf16, "m=1,n=391,k=4096"},
          Case{Family::gemm_fp8, "m=1,n=3000,k=5000"},
          Case{Family::latent_attention, "batch=1,context=3000,heads=64,cache=bfloat16"},
          Case{Family::moe_experts,
               "tokens=1,hidden=5000,intermediate=1536,top_k=6,experts=391,tp=1,ep=8,"
               "distribution=balanced,dtype=fp8_block"},
          Case{Family::gemm_bf16, "m=1,n=2000000,k=64"}, Case{Family::gemm_fp8, "m=1,n=16,k=900000"}}) {
        const PlainKriging plain(one.family, book);
        const CostTable& table = *book.table(one.family);
        OpPoint point = point_from(one.family, one.shape);
        const std::vector<CostTable::AtLength> found = table.along_ladder(point);
        ASSERT_EQ(found.size(), table.ladder().size());
        for (std::size_t i = 0; i < found.size(); i += 3) {
            point.sides[static_cast<std::size_t>(form_of(one.family).lead)] = table.ladder()[i];
            const CostTable::Residual expected = plain.at(point);
            EXPECT_NEAR(found[i].residual.log_ratio, expected.log_ratio, 1e-3) << text_of(point);
            EXPECT_NEAR(found[i].residual.deviation, expected.deviation, 1e-3) << text_of(point);
        }
    }
}

}  // namespace
}  // namespace strata
