#include "sim/scenario/schema.hpp"

#include <iostream>

#include "app/cli/verbs.hpp"

namespace strata {

int schema_verb(const std::string& kind, const std::string& root) {
    std::cout << schema_of(kind, root + "/scenarios/schema").dump(2) << '\n';
    return 0;
}

}  // namespace strata
