// Maps of YAML as text, written field by field.
#pragma once

#include <fmt/format.h>

#include <string>

namespace strata {

// A map of YAML on one line.
class Fields {
public:
    template <class Value>
    Fields& set(const char* name, const Value& value) {
        inside_ += fmt::format("{}{}: {}", inside_.empty() ? "" : ", ", name, value);
        return *this;
    }
    Fields& set(const char* name, const Fields& fields) { return fields.empty() ? *this : set(name, fields.text()); }
    bool empty() const { return inside_.empty(); }
    std::string text() const { return "{" + inside_ + "}"; }

private:
    std::string inside_;
};

}  // namespace strata
