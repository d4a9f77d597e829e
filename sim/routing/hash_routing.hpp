// Layers without a router: a frozen table says which experts a token id takes, as in the first three layers of
// DeepSeek-V4 (arXiv 2606.19348; `tid2eid` in its released code). After Roller et al. 2021, Hash Layers For Large
// Sparse Models, arXiv 2106.04426, section 3.1, the table is random or balanced.
#pragma once

#include <memory>

#include "sim/routing/alias_table.hpp"
#include "sim/routing/routing_source.hpp"

namespace strata {

enum class HashTable {
    random,   // experts by a hash of the id: even over ids, as uneven over tokens as the ids' frequencies make it
    balanced  // ids by falling frequency, each to the experts with the least load so far
};

struct HashRoutingSpec {
    int experts = 0, top_k = 0;
    int layers = 1;                       // each has a table of its own
    int vocabulary = 129280;              // V3, V4: released configurations
    std::int64_t tokens = 0;              // of one step
    HashTable table = HashTable::random;  // assumed: how the released table was made is not published
    // Frequency of the r-th most frequent id is r^-exponent; 0: all ids are equally frequent, so the hash balances.
    double token_exponent = 0;
    std::uint64_t seed = 0;

    // Throws InputError that names the field.
    void check() const;
};

class HashRouting : public RoutingSource {
public:
    explicit HashRouting(const HashRoutingSpec& spec);

    int layers() const override { return spec_.layers; }
    int experts() const override { return spec_.experts; }
    void set_tokens(std::int64_t tokens) override { spec_.tokens = tokens; }
    std::vector<std::int64_t> loads(int layer, std::int64_t step) override;
    // A token has the same id in every layer.
    std::vector<int> experts_of(int layer, std::int64_t step, std::int64_t token) override;

    int token_id(std::int64_t step, std::int64_t token) const;
    std::vector<int> experts_of_id(int layer, int id) const;
    // [experts]: the chance that a token takes each.
    const std::vector<double>& inclusion(int layer) const { return inclusion_.at(std::size_t(layer)); }

private:
    void fill_table(int layer, const std::vector<double>& frequency);

    HashRoutingSpec spec_;
    AliasTable ids_;
    std::vector<int> expert_of_;                  // [layer][id][k]
    std::vector<std::vector<double>> inclusion_;  // [layer][expert]
};

// A model whose first layers are hashed and whose others are routed: V4-Flash and V4-Pro have three hashed ones.
class LayeredRouting : public RoutingSource {
public:
    // Throws InputError unless both have the same experts. Layer `first->layers()` is layer 0 of `others`.
    LayeredRouting(std::unique_ptr<RoutingSource> first, std::unique_ptr<RoutingSource> others);

    int layers() const override { return first_->layers() + others_->layers(); }
    int experts() const override { return first_->experts(); }
    void set_tokens(std::int64_t tokens) override;
    std::vector<std::int64_t> loads(int layer, std::int64_t step) override;
    std::vector<int> experts_of(int layer, std::int64_t step, std::int64_t token) override;

private:
    std::unique_ptr<RoutingSource> first_, others_;
};

}  // namespace strata
