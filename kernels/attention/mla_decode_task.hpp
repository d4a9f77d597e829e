// Dense decoding over a paged latent cache: each query of a sequence attends to all of its tokens, or, where a sequence
// has several queries that are its newest tokens (speculative decoding), to those up to itself.
#pragma once

#include "kernels/attention/latent_queries.hpp"

namespace strata {

struct MlaDecodeTask {
    LatentFormat format = LatentFormat::bf16_576;
    LatentQueries queries{};  // tokens: [sequences][queries_each]
    LatentCache cache{};      // pages of 64; with several KV heads, heads / KV heads neighbours share one
    const std::int32_t* block_table = nullptr;  // [sequences][table_width]: pages; beyond the length never read
    long table_width = 0;
    const std::int32_t* lengths = nullptr;  // [sequences]: cached tokens, those of the queries included
    long sequences = 0;
    int queries_each = 1;
    bool causal = true;  // the last query sees all, the one before all but one, ...

    // What the body asks, of a unit: the queries and heads that attend to the same keys.
    struct Unit {
        int sequence;
        int head;  // of the cache
        int slots;
    };
    STRATA_HD long units() const { return sequences * cache.heads; }
    STRATA_HD int group() const { return queries.heads / cache.heads; }
    STRATA_HD int rows() const { return queries_each * group(); }
    STRATA_HD long most_slots() const { return table_width * kLatentPage; }
    STRATA_HD Unit unit(long at) const {
        const int sequence = int(at / cache.heads), length = lengths[sequence];
        return {sequence, int(at % cache.heads), length < 0 ? 0 : length < most_slots() ? length : int(most_slots())};
    }
    STRATA_HD long unit_of(long row) const {
        return row / (long(queries_each) * queries.heads) * cache.heads + row % queries.heads / group();
    }
    // The row of q [tokens * heads] that is a unit's row.
    STRATA_HD long row_at(const Unit& unit, int row) const {
        return (long(unit.sequence) * queries_each + row / group()) * queries.heads + unit.head * group() +
               row % group();
    }
    // The first slot that a row does not see.
    STRATA_HD int visible(const Unit& unit, int row) const {
        return causal ? unit.slots - (queries_each - 1 - row / group()) : unit.slots;
    }
    // What the table says of a slot, as it is, so that nothing waits for it; and where the slot's entry is.
    STRATA_HD int named(const Unit& unit, int slot) const {
        return slot < unit.slots ? block_table[unit.sequence * table_width + slot / kLatentPage] : -1;
    }
    template <LatentFormat as>
    STRATA_HD LatentPlace place(const Unit& unit, int slot, int page) const {
        if (page < 0 || page >= cache.pages) return {};
        return place_of<as>(cache, page, slot % kLatentPage, unit.head);
    }
    STRATA_HD float sink(long) const { return -HUGE_VALF; }
    STRATA_HD float* max_logits() const { return nullptr; }
};

inline void require_valid(const MlaDecodeTask& task) {
    constexpr const char* kOp = "MLA decode";
    const auto refuse = [](const std::string& what) { throw std::invalid_argument(std::string(kOp) + ": " + what); };
    require_valid(task.cache, task.format, kOp);
    require_valid(task.queries, kOp);
    if (task.cache.page_entries != kLatentPage)
        refuse("pages of " + std::to_string(task.cache.page_entries) + " tokens; expected 64");
    if (task.queries.heads % task.cache.heads != 0)
        refuse(std::to_string(task.queries.heads) + " heads do not share " + std::to_string(task.cache.heads) +
               " KV heads evenly");
    if (task.queries_each < 1 || task.sequences < 0 || task.table_width < 0 ||
        task.queries.tokens != task.sequences * task.queries_each)
        refuse(std::to_string(task.queries.tokens) + " queries; expected " + std::to_string(task.sequences) +
               " sequences with " + std::to_string(task.queries_each) + " each");
    if (task.sequences > 0x7FFFFFFFL / task.cache.heads) refuse("more sequences than a grid has blocks");
    if (task.table_width > 0x7FFFFFFFL / kLatentPage) refuse("a sequence has 2^31 tokens or more");
    if (task.sequences > 0 && (!task.lengths || (task.table_width > 0 && !task.block_table)))
        refuse("the lengths or the block table are missing");
}

}  // namespace strata
