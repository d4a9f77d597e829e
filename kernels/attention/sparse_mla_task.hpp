// Attention to entries that a list names (DSA's selection, V4's compressed entries), in prefill and in decoding: each
// query has its own list, all heads of it share one.
#pragma once

#include "kernels/attention/latent_queries.hpp"

namespace strata {

// A cache and what each query attends to of it.
struct LatentScope {
    LatentCache cache{};
    const std::int32_t* indices = nullptr;  // [tokens][k]: page * page_entries + slot; outside the cache: masked
    const std::int32_t* lengths = nullptr;  // [tokens]: how many of the list count; none: all
    int k = 0;
};

struct SparseMlaTask {
    LatentFormat format = LatentFormat::bf16_576;
    LatentQueries queries{};
    LatentScope scopes[2]{};             // attended to in one softmax; the second may be empty
    const float* sinks = nullptr;        // [heads]: out is multiplied by exp(lse) / (exp(lse) + exp(sink)); may be none
    float* max_logits_of_row = nullptr;  // [tokens][heads]: largest scale * q . k, -inf where none; needs one split

    // What the body asks, of a unit: a query. Entries of the second scope begin with a tile.
    struct Unit {
        long token;
        int first;   // entries of the first scope
        int second;  // slot at which the second begins
        int slots;
    };
    STRATA_HD long units() const { return queries.tokens; }
    STRATA_HD int rows() const { return queries.heads; }
    STRATA_HD static int whole_tiles(int slots) { return int(ceil_div(slots, kLatentSlots)) * kLatentSlots; }
    STRATA_HD long most_slots() const { return whole_tiles(scopes[0].k) + long(scopes[1].k); }
    STRATA_HD static int length_of(const LatentScope& scope, long token) {
        const int length = scope.lengths ? scope.lengths[token] : scope.k;
        return length < 0 ? 0 : length < scope.k ? length : scope.k;
    }
    STRATA_HD Unit unit(long token) const {
        const int first = length_of(scopes[0], token), second = length_of(scopes[1], token);
        return {token, first, whole_tiles(first), second > 0 ? whole_tiles(first) + second : first};
    }
    STRATA_HD long unit_of(long row) const { return row / queries.heads; }
    STRATA_HD long row_at(const Unit& unit, int row) const { return unit.token * queries.heads + row; }
    STRATA_HD static int visible(const Unit& unit, int) { return unit.slots; }
    // What the list says of a slot, as it is, so that nothing waits for it; and where the slot's entry is.
    STRATA_HD int named(const Unit& unit, int slot) const {
        const bool in_second = slot >= unit.second;
        const LatentScope& scope = scopes[in_second];
        const int at = in_second ? slot - unit.second : slot;
        if (at >= (in_second ? unit.slots - unit.second : unit.first)) return -1;
        return scope.indices[unit.token * scope.k + at];
    }
    template <LatentFormat as>
    STRATA_HD LatentPlace place(const Unit& unit, int slot, int index) const {
        const LatentCache& cache = scopes[slot >= unit.second].cache;
        if (index < 0 || index >= cache.entries()) return {};
        const auto entries = unsigned(cache.page_entries);
        return place_of<as>(cache, unsigned(index) / entries, unsigned(index) % entries, 0);
    }
    // Of a row of q.
    STRATA_HD float sink(long row) const { return sinks ? sinks[row % queries.heads] : -HUGE_VALF; }
    STRATA_HD float* max_logits() const { return max_logits_of_row; }
};

inline void require_valid(const SparseMlaTask& task) {
    constexpr const char* kOp = "sparse MLA";
    const auto refuse = [](const std::string& what) { throw std::invalid_argument(std::string(kOp) + ": " + what); };
    require_valid(task.queries, kOp);
    for (const LatentScope& scope : task.scopes) {
        if (scope.k < 0) refuse("a list of " + std::to_string(scope.k) + " indices; expected 0 or more");
        if (scope.k > 1 << 29) refuse("a list of more than 2^29 indices");
        if (scope.k == 0) continue;
        require_valid(scope.cache, task.format, kOp);
        if (scope.cache.heads != 1) refuse("a gathered cache has one KV head");
        if (task.queries.tokens > 0 && !scope.indices) refuse("the indices of a scope are missing");
    }
    if (task.max_logits_of_row && task.queries.splits > 1)
        refuse("largest logits are written by one split alone; set splits to 1");
}

}  // namespace strata
