#include "hwmodels/sourced_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace strata {

namespace {

constexpr std::array kKinds{"datasheet", "measured", "computed", "estimate",      "secondary",
                            "roadmap",   "conflict", "assumed",  "not_supported", "unknown"};

double si_of(double value) { return value; }
template <int B, int S, int F>
double si_of(Quantity<B, S, F> value) {
    return value.si();
}

void read_value(double& into, const YamlField& field) { into = field.number(); }
void read_value(Bytes& into, const YamlField& field) { into = field.bytes(); }
void read_value(Seconds& into, const YamlField& field) { into = field.seconds(); }
void read_value(Bandwidth& into, const YamlField& field) { into = field.bandwidth(); }

}  // namespace

template <class T>
void SourcedFields::read(Sourced<T>& into, const YamlField& field) const {
    into.field = file_ + ": " + field.path();
    if (!field.exists()) return field.problem("a value with kind and source", "nothing");
    field.allow_only({"value", "kind", "source", "note"});
    into.kind = field["kind"].text("unknown");
    if (std::find(kKinds.begin(), kKinds.end(), into.kind) == kKinds.end())
        field["kind"].problem(fmt::format("one of {}", fmt::join(kKinds, ", ")), "'" + into.kind + "'");
    if (!field["source"].is_null()) into.source = field["source"].text();
    if (field["note"].exists()) into.note = field["note"].text();
    if (!field["value"].exists()) return field.problem("'value', null if unknown", "nothing");
    if (field["value"].is_null()) return;
    if (into.source.empty()) field.problem("a source: every number says where it comes from", "none");
    const std::size_t before = field.problems().size();
    T value{};
    read_value(value, field["value"]);
    if (field.problems().size() > before) return;
    if (!(si_of(value) > 0))
        return field["value"].problem("a number above zero", "'" + field["value"].node().Scalar() + "'");
    into.value = value;
}

template void SourcedFields::read(Sourced<double>&, const YamlField&) const;
template void SourcedFields::read(Sourced<Bytes>&, const YamlField&) const;
template void SourcedFields::read(Sourced<Seconds>&, const YamlField&) const;
template void SourcedFields::read(Sourced<Bandwidth>&, const YamlField&) const;

}  // namespace strata
