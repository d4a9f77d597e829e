// Which prompts' beginnings a server still has the KV of: least recently used leaves first. The cache is a store of its
// own (host memory, drives, a pool of the cluster), so it takes nothing from the KV capacity of a replica.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

namespace strata {

class PrefixCache {
public:
    explicit PrefixCache(double capacity_tokens) : capacity_(capacity_tokens) {}

    // How many tokens of `prefix` are there; counts as a use.
    int cached_tokens(std::int64_t prefix) {
        const auto found = places_.find(prefix);
        if (found == places_.end()) return 0;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->tokens;
    }

    // `prefix` has been computed as far as `tokens`. What could never fit is not kept.
    void keep(std::int64_t prefix, int tokens) {
        const int had = cached_tokens(prefix);
        if (tokens <= had || tokens > capacity_) return;
        if (had == 0) {
            entries_.push_front({prefix, 0});
            places_[prefix] = entries_.begin();
        }
        entries_.front().tokens = tokens;
        used_ += tokens - had;
        for (; used_ > capacity_; entries_.pop_back()) {
            used_ -= entries_.back().tokens;
            places_.erase(entries_.back().prefix);
        }
    }

    double used_tokens() const { return used_; }

private:
    struct Entry {
        std::int64_t prefix;
        int tokens;
    };
    double capacity_, used_ = 0;
    std::list<Entry> entries_;  // most recently used first
    std::unordered_map<std::int64_t, std::list<Entry>::iterator> places_;
};

}  // namespace strata
