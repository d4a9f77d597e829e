// Something the user can fix: says where (file:line:column), what was expected and what was found.
#pragma once

#include <stdexcept>
#include <string>

namespace strata {

class InputError : public std::runtime_error {
public:
    explicit InputError(const std::string& message) : std::runtime_error(message) {}
    InputError(const std::string& where, const std::string& expected, const std::string& found)
        : std::runtime_error(where + ": expected " + expected + ", found " + found) {}
};

}  // namespace strata
