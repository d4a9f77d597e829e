// Where tokens go: for each layer and step, how many tokens each expert gets, and which experts a single token takes.
// Both are the same process: loads are not summed over tokens, but agree with such sums within chance.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace strata {

class RoutingSource {
public:
    virtual ~RoutingSource() = default;
    virtual int layers() const = 0;
    virtual int experts() const = 0;
    // Steps that it can be asked for, from 0 on: those of a record; a law has any number.
    virtual std::int64_t steps() const { return std::numeric_limits<std::int64_t>::max(); }
    // Of a step, from now on; a record's are what they are.
    virtual void set_tokens(std::int64_t) {}
    // [experts], tokens. Answers depend on layer and step alone, not on what was asked before; sources keep what they
    // have worked out, so a source belongs to one thread.
    virtual std::vector<std::int64_t> loads(int layer, std::int64_t step) = 0;
    // The experts of a token, all different.
    virtual std::vector<int> experts_of(int layer, std::int64_t step, std::int64_t token) = 0;
};

}  // namespace strata
