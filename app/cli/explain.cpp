#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "hwmodels/catalog.hpp"
#include "reports/derivation.hpp"
#include "sim/cost/cost_book.hpp"

namespace strata {

namespace {

Family family_asked(const std::string& name) {
    const auto family = family_named(name);
    if (family && !form_of(*family).sides.empty()) return *family;
    std::string known;
    for (int i = 0; i < kFamilies; ++i)
        if (!form_of(static_cast<Family>(i)).sides.empty())
            known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(static_cast<Family>(i)));
    throw InputError("OP", fmt::format("one of {}", known), fmt::format("'{}'", name));
}

}  // namespace

int explain_verb(const std::string& op, const std::string& shape, const std::string& device_name, bool json,
                 const std::string& root) {
    const OpPoint point = point_from(family_asked(op), shape);
    const Device device = device_of(Catalog(fmt::format("{}/hwmodels/catalog", root)).accelerator(device_name));
    const CostBook book = CostBook::of(root);
    for (const std::string& refused : book.refused()) std::cerr << fmt::format("refused: {}\n", refused);
    const Derivation derived = book.explain(point, device);
    if (!json) {
        std::cout << derivation_text(point, device, book.curve(point.family), derived);
        return 0;
    }
    const Estimate& estimate = derived.estimate;
    std::cout << nlohmann::ordered_json{{"op", op},
                                        {"shape", text_of(point)},
                                        {"device", device_name},
                                        {"time_us", to_us(estimate.time)},
                                        {"p10_us", to_us(estimate.low)},
                                        {"p90_us", to_us(estimate.high)},
                                        {"provenance", to_string(estimate.origin)},
                                        {"outside", estimate.outside},
                                        {"physics_us", to_us(derived.physics.time())},
                                        {"bound_us", to_us(derived.physics.bound)}}
                     .dump(1)
              << '\n';
    return 0;
}

}  // namespace strata
