#include "sim/scenario/field_unit.hpp"

#include <gtest/gtest.h>

#include "sim/scenario/schema.hpp"

namespace strata {
namespace {

TEST(FieldUnit, is_what_the_schema_says_of_the_field) {
    const auto schema = schema_of("scenario", std::string(STRATA_SOURCE_DIR) + "/scenarios/schema");
    EXPECT_EQ(unit_of(schema, "workload.context"), "tokens");
    EXPECT_EQ(unit_of(schema, "placement.experts.age"), "steps");
    EXPECT_EQ(unit_of(schema, "model.ffn.experts"), "experts");               // behind a reference
    EXPECT_EQ(unit_of(schema, "workload.input.median"), "tokens");            // in one of several forms
    EXPECT_EQ(unit_of(schema, "platform.accelerator.memory.bandwidth"), "");  // each value says its own
    EXPECT_EQ(unit_of(schema, "placement.engram.tier"), "");
    EXPECT_EQ(unit_of(schema, "no.such.field"), "");
}

}  // namespace
}  // namespace strata
