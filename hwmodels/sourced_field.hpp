// Reading one number with its source: {value: 4800 GB/s, kind: datasheet, source: "...", note: "..."}. Null has a kind
// too: why nobody knows.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hwmodels/specs.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

inline const std::vector<std::string> kKinds{"datasheet", "measured", "computed", "estimate",      "secondary",
                                             "roadmap",   "conflict", "assumed",  "not_supported", "unknown"};

// One of kKinds, or a problem.
inline std::string kind_of(const YamlField& field) {
    const std::string kind = field.text("unknown");
    if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
        field.problem(fmt::format("one of {}", fmt::join(kKinds, ", ")), "'" + kind + "'");
    return kind;
}

// `read` turns the value's field into a T; `part` is whose number it is.
template <class T, class Read>
void read_sourced(Sourced<T>& into, const std::string& part, const YamlField& field, Read read) {
    into.field = part + "." + field.path();
    if (!field.exists()) return field.problem("a value with kind and source (or value: null)", "nothing");
    field.allow_only({"value", "kind", "source", "note"});
    into.kind = kind_of(field["kind"]);
    if (!field["source"].is_null()) into.source = field["source"].text();
    if (field["note"].exists()) into.note = field["note"].text();
    if (!field["value"].exists()) return field.problem("'value', null if unknown", "nothing");
    if (field["value"].is_null()) return;
    if (into.source.empty()) field.problem("a source: every number says where it comes from", "none");
    into.value = read(field["value"]);
}

}  // namespace strata
