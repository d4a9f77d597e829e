#include "sim/quality/memory_law.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/yaml_field.hpp"

namespace strata {

MemoryLaw::MemoryLaw(const std::string& anchors_file) {
    Problems problems;
    const YamlField root(load_yaml(anchors_file), anchors_file, "", problems);
    root.allow_only({"measured_on", "source", "anchors"});
    measured_on_ = root["measured_on"].text();
    source_ = root["source"].text();
    const auto items = root["anchors"].items();
    if (items.size() != anchors_.size()) root["anchors"].problem("two anchors", std::to_string(items.size()));
    problems.throw_if_any();
    for (std::size_t i = 0; i < anchors_.size(); ++i) {
        items[i].allow_only({"slots", "loss", "plus_minus"});
        anchors_[i] = {items[i]["slots"].number(), items[i]["loss"].number(), items[i]["plus_minus"].number()};
    }
    if (!(0 < anchors_[0].slots && anchors_[0].slots < anchors_[1].slots))
        root["anchors"].problem("anchors by rising slots", "another order");
    problems.throw_if_any();
}

// Each line is fixed by its losses at both anchors; rounding moves either end, so the band is widest where both pull
// the same way.
MemoryEstimate MemoryLaw::loss(double slots) const {
    if (!(slots > 0)) throw InputError("slots", "more than 0", std::to_string(slots));
    const auto& [few, many] = anchors_;
    const double share = std::log(slots / few.slots) / std::log(many.slots / few.slots);
    const double loss = (1 - share) * few.loss + share * many.loss;
    const double rounding = std::abs(1 - share) * few.plus_minus + std::abs(share) * many.plus_minus;
    return {loss, loss - rounding, loss + rounding, slots < few.slots || slots > many.slots};
}

double MemoryLaw::per_doubling() const {
    const auto& [few, many] = anchors_;
    return (many.loss - few.loss) / std::log2(many.slots / few.slots);
}

}  // namespace strata
