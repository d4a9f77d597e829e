// Numbers that a model computes with: above zero, and there unless the model can do without. What is missing or
// impossible is noted as a problem of its field.
#pragma once

#include <fmt/format.h>

#include <string>
#include <type_traits>

#include "hwmodels/sourced_field.hpp"

namespace strata {

class PositiveFields {
public:
    // `file` is what an error at run time names beside the field.
    explicit PositiveFields(std::string file) : file_(std::move(file)) {}

    template <class T>
    void required(Sourced<T>& into, const YamlField& field) const {
        optional(into, field);
        if (field["value"].exists() && field["value"].is_null())
            field["value"].problem("a value: the model cannot do without", "null");
    }

    template <class T>
    void optional(Sourced<T>& into, const YamlField& field) const {
        read_sourced(into, file_, field, [](const YamlField& value) {
            const std::size_t before = value.problems().size();
            const T number = read<T>(value);
            if (value.problems().size() == before && !(number > T{}))
                value.problem("a number above zero", fmt::format("'{}'", value.node().Scalar()));
            return number;
        });
        into.field = file_ + ": " + field.path();
    }

private:
    template <class T>
    static T read(const YamlField& value) {
        if constexpr (std::is_same_v<T, Bytes>)
            return value.bytes();
        else if constexpr (std::is_same_v<T, Seconds>)
            return value.seconds();
        else if constexpr (std::is_same_v<T, Bandwidth>)
            return value.bandwidth();
        else
            return value.number();
    }

    std::string file_;
};

}  // namespace strata
