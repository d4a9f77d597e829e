// Routing as it was recorded. Two kinds of file, either or both (docs/routing.md):
//   counts, CSV with the header layer,step,expert,count: the tokens of an expert; what is not listed is 0;
//   tokens, JSON lines {"layer": 3, "step": 0, "experts": [5, 17]}: the experts of one token, tokens in the order
//   given.
// Loads come from the counts, or else from the tokens; tokens from the tokens, or else they are drawn so that each
// expert is as likely as its count says.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sim/routing/router_rule.hpp"
#include "sim/routing/routing_source.hpp"

namespace strata {

struct TraceRoutingSpec {
    int experts = 0, top_k = 0, layers = 0;
    std::string counts_file{}, tokens_file{};  // empty: none
    std::uint64_t seed = 0;                    // of tokens drawn from counts
};

class TraceRouting : public RoutingSource {
public:
    // Throws InputError with file and line of what does not fit the format or the model.
    explicit TraceRouting(const TraceRoutingSpec& spec);

    int layers() const override { return spec_.layers; }
    int experts() const override { return spec_.experts; }
    std::int64_t steps() const override { return steps_; }  // one more than the last that is in a file
    // Throw InputError that names layer and step where nothing was recorded of them.
    std::vector<std::int64_t> loads(int layer, std::int64_t step) override;
    // Beyond the tokens recorded they start again.
    std::vector<int> experts_of(int layer, std::int64_t step, std::int64_t token) override;

private:
    struct Record {
        std::vector<std::int64_t> counts{};  // [experts]; empty: none
        std::vector<int> tokens{};           // [token][k]
        std::vector<double> weights{};       // of a draw from counts, once asked for
    };
    void read_counts();
    void read_tokens();
    Record& record(int layer, std::int64_t step);
    void check_place(const std::string& where, std::int64_t layer, std::int64_t step) const;

    TraceRoutingSpec spec_;
    std::map<std::pair<int, std::int64_t>, Record> records_;
    std::int64_t steps_ = 0;
};

}  // namespace strata
