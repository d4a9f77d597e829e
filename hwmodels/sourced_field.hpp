// Reads a table of a part in detail: numbers with kind and source, positive unless said otherwise. What is missing or
// impossible is noted as a problem of its field; a null that the model can do without stays null.
#pragma once

#include <string>

#include "hwmodels/specs.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

class SourcedFields {
public:
    explicit SourcedFields(const std::string& file) : file_(file) {}

    template <class T>
    void required(Sourced<T>& into, const YamlField& field) const {
        read(into, field);
        if (field.exists() && field["value"].exists() && !into.value && field["value"].is_null())
            field["value"].problem("a value: the model cannot do without", "null");
    }
    template <class T>
    void optional(Sourced<T>& into, const YamlField& field) const {
        read(into, field);
    }

private:
    template <class T>
    void read(Sourced<T>& into, const YamlField& field) const;

    std::string file_;
};

extern template void SourcedFields::read(Sourced<double>&, const YamlField&) const;
extern template void SourcedFields::read(Sourced<Bytes>&, const YamlField&) const;
extern template void SourcedFields::read(Sourced<Seconds>&, const YamlField&) const;
extern template void SourcedFields::read(Sourced<Bandwidth>&, const YamlField&) const;

}  // namespace strata
