// An op of the routed experts as a rank with its own share of the layer's tokens has it; other ops are all ranks'
// alike.
#pragma once

#include "sim/model/op.hpp"
#include "sim/placement/rank_shares.hpp"

namespace strata {

inline Op with_share(Op op, const RankShare& share) {
    if (op.slot != Slot::experts) return op;
    if (auto* product = std::get_if<GroupedGemm>(&op.shape)) {
        product->rows = share.pairs;
        product->groups = share.touched;
    } else if (auto* swiglu = std::get_if<SwigluQuantise>(&op.shape)) {
        swiglu->rows = share.pairs;
    } else if (auto* experts = whole_experts(op.shape)) {
        experts->tokens = share.pairs * experts->experts / (experts->top_k * experts->local_experts);
    }
    return op;
}

}  // namespace strata
