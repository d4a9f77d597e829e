// Numbers of parts that exist in a test alone.
#pragma once

#include "hwmodels/specs.hpp"

namespace strata {

template <class T>
Sourced<T> made_up(T value) {
    Sourced<T> number;
    number.value = value;
    number.kind = "assumed";
    number.source = "made up for this test";
    number.field = "made up";
    return number;
}

}  // namespace strata
