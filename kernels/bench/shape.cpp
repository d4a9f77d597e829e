#include <stdexcept>

#include "kernels/bench/kernel.hpp"

namespace strata {

std::int64_t Shape::operator[](const std::string& name) const {
    for (const auto& [key, value] : dimensions_)
        if (key == name) return value;
    throw std::logic_error("a shape of " + text() + " has no dimension " + name);
}

std::string Shape::text() const {
    std::string text;
    for (const auto& [name, value] : dimensions_)
        text += (text.empty() ? "" : " ") + name + "=" + std::to_string(value);
    return text;
}

}  // namespace strata
