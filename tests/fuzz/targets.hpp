// What reads text that others wrote, each as a target for a fuzzer: any text is either read or refused by an
// InputError. Anything else that comes out, and anything that a sanitizer sees, is a find.
#pragma once

#include <string>
#include <vector>

namespace strata {

struct FuzzTarget {
    std::string name;  // of its folder in corpus/
    void (*feed)(const std::string& text);
    std::vector<std::string> seeds;  // files and folders of the tree that it should read well
};

const std::vector<FuzzTarget>& fuzz_targets();

}  // namespace strata
