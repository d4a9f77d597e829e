#include "sim/scenario/economics.hpp"

#include "sim/scenario/choices.hpp"

namespace strata {

namespace {

std::optional<double> price(const YamlField& field) {
    if (!field.exists()) return std::nullopt;
    return at_least(field, 0, 0);
}

std::string fabric_named(const YamlField& field, const Catalog& catalog) {
    if (!field.exists()) return "";
    const std::string name = field.text();
    if (name.empty()) return "";
    try {
        return catalog.fabric_file(name);
    } catch (const InputError& error) {
        field.problem(error.what());
        return "";
    }
}

}  // namespace

Economics read_economics(const YamlField& field, const Catalog& catalog) {
    Economics economics;
    if (!field.exists()) return economics;
    field.allow_only({"usd_per_accelerator_hour", "electricity_usd_per_kwh", "utilisation", "pue", "fabric"});
    economics.usd_per_accelerator_hour = price(field["usd_per_accelerator_hour"]);
    economics.electricity_usd_per_kwh = price(field["electricity_usd_per_kwh"]);
    economics.fabric_file = fabric_named(field["fabric"], catalog);
    const YamlField utilisation = field["utilisation"];
    if (utilisation.exists()) {
        economics.utilisation = utilisation.number(1);
        if (!(economics.utilisation > 0 && economics.utilisation <= 1))
            utilisation.problem("a share in (0, 1]", fmt::format("{}", economics.utilisation));
    }
    economics.pue = at_least(field["pue"], 1, 1);
    return economics;
}

}  // namespace strata
