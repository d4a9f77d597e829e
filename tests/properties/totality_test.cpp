// Whatever the scenario: an answer of finite numbers, or an InputError that says why there is none.
#include <cmath>

#include "sim/result/run_json.hpp"
#include "tests/properties/random_points.hpp"

namespace strata {
namespace {

struct OfKind {
    const char* name;
    RandomKind kind;
    int count;
};

void PrintTo(const OfKind& of, std::ostream* out) { *out << of.name; }

class Totality : public RandomPoints, public testing::WithParamInterface<OfKind> {};

// Nor below zero, but for the differences that quality is told in.
void expect_finite(const nlohmann::ordered_json& json) {
    const auto flat = json.flatten();
    for (const auto& [key, value] : flat.items())
        if (value.is_number()) {
            EXPECT_TRUE(std::isfinite(value.get<double>())) << key;
            if (key.find("/quality.") == std::string::npos) {
                EXPECT_GE(value.get<double>(), 0) << key;
            }
        }
}

TEST_P(Totality, gives_finite_numbers_or_says_what_is_wrong) {
    each(GetParam().kind, GetParam().count,
         [&](const RandomPoint& point) { expect_finite(to_json(run(point.read(inputs.catalog())))); });
}

INSTANTIATE_TEST_SUITE_P(Of, Totality,
                         testing::Values(OfKind{"decode", RandomKind::decode, 150},
                                         OfKind{"prefill", RandomKind::prefill, 150},
                                         OfKind{"serving", RandomKind::serving, 100},
                                         OfKind{"training", RandomKind::training, 60},
                                         OfKind{"collective", RandomKind::collective, 300}),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace strata
