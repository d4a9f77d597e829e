// A fabric as a scenario names it: a file of the catalogue (`fabric: CloudMatrix384`), one with some of its fields set
// (`fabric: {part: CloudMatrix384, scale_up: {planes: 4}}`, or by path as a sweep does), or a description of its own.
// The fields are those of the catalogue's files, but a number stands alone (`50 GB/s`) or with its reason
// (`{value: 50 GB/s, note: "..."}`), and nothing needs a source: what a scenario says is `assumed`.
#pragma once

#include "hwmodels/catalog.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"

namespace strata {

// Notes what is wrong as problems of the field; the result is meaningful only if there are none. Whether the shape can
// be built is said by `build`, so that a sweep can go over sizes that cannot.
FabricSpec read_fabric_field(const YamlField& field, const Catalog& catalog);

}  // namespace strata
