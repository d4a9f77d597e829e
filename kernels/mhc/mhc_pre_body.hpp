// mHC's `pre`, alone or after the `post` of the site before, thread by thread. The streams are read once: a cluster of
// sixteen blocks keeps whole tokens in its shared memory from the products with fn until their sums have come together
// and the layer's input is gathered.
//
// Tiles of tokens go through a pipeline: while the tensor cores work on one, the sums of the one before come together
// in the blocks that own its tokens, and others are on their way from memory. All sums are in a fixed order that does
// not depend on how many tokens there are. Sinkhorn, which is latency and nothing else, is done at the end by a thread
// for each token.
#pragma once

#include "kernels/mhc/mhc_pre_task.hpp"
#include "kernels/mhc/mhc_products.hpp"
#include "kernels/simt/copy_async.hpp"

namespace strata {

// x, and nvcc does not know it: what is computed from it is computed again where it is used. fn takes most registers,
// and addresses kept for later turns of a loop would not fit beside it.
STRATA_BODY int forgotten(int x) {
#ifdef __CUDA_ARCH__
    asm volatile("" : "+r"(x));
#endif
    return x;
}

template <class Plan, class Thread>
class MhcPreBlock {
    using Mailbox = typename Thread::Mailbox;

public:
    STRATA_BODY MhcPreBlock(Thread& t, const MhcPreTask& task)
        : t_(t),
          task_(task),
          rank_(t.cluster_rank()),
          cluster_(t.block() / kMhcCluster),
          tiles_(count_of_tiles(t, task)),
          stages_(t.shared()),
          partials_(reinterpret_cast<float*>(t.shared() + Plan::kStages * Plan::kStageBytes + Plan::kFnBytes)),
          inbox_(partials_ + Plan::kPartialBytes / 4),
          gates_(inbox_ + 2 * Plan::kInboxBytes / 4),
          mailboxes_(reinterpret_cast<Mailbox*>(gates_ + 3 * Plan::kGateBytes / 4)),
          products_(t, t.shared() + Plan::kStages * Plan::kStageBytes) {}

    // A turn multiplies one tile, opens the gates of the tile before, and gathers the tile before that one: what goes
    // from block to block has a turn to get there. That gates have come from all owners also says that they have read
    // the sums: their place may be taken by those of two turns later.
    STRATA_BODY void run() {
        for (int tile = 0; tile < Plan::kAhead; ++tile) load(tile);
        if (t_.thread() == 0) open_mailboxes();
        products_.load(task_.fn, rank_);
        t_.sync_cluster();  // all blocks run, and have mailboxes
        for (int tile = 0; tile < tiles_ + 2; ++tile) {
            copies_.template wait_for_all_but<Plan::kAhead - 1>();
            t_.sync();
            load(tile + Plan::kAhead);
            if (tile < tiles_) {
                if constexpr (Plan::kSpreads) {
                    spread(tile);
                    t_.sync();
                }
                products_.multiply(streams_of(tile), partials_);
            }
            t_.sync();
            if (tile > 1) wait_for_gates(tile - 2);
            if (tile < tiles_) send_sums(tile);
            if (tile > 0 && tile <= tiles_) open_gates(tile - 1);
            if constexpr (Plan::kForm != MhcForm::single_pass)
                if (tile > 1) gather(tile - 2);
        }
        t_.sync();
        mix_owned_tokens();
    }

private:
    STRATA_BODY static int count_of_tiles(Thread& t, const MhcPreTask& task) {
        const int tiles = int(ceil_div(task.tokens, Plan::kTokens)), clusters = t.blocks() / kMhcCluster;
        return (tiles - t.block() / kMhcCluster + clusters - 1) / clusters;
    }
    STRATA_BODY int first_token(int tile) const {
        return (cluster_ + tile * (t_.blocks() / kMhcCluster)) * Plan::kTokens;
    }
    STRATA_BODY int tokens() const { return int(task_.tokens); }
    // Where this block's part of a row [hidden] begins.
    STRATA_BODY long slice_of(int row) const { return long(row) * Plan::kHidden + forgotten(rank_) * Plan::kSlice; }
    // A stage: rows of streams; then, after `post`, rows of layer_out; then the gates of the site before.
    STRATA_BODY Bf16* streams_of(int tile) const {
        return reinterpret_cast<Bf16*>(stages_ + tile % Plan::kStages * Plan::kStageBytes);
    }
    STRATA_BODY Bf16* layer_out_of(int tile) const { return streams_of(tile) + Plan::kTokens * Plan::kRow; }
    STRATA_BODY float* last_gates_of(int tile) const {
        return reinterpret_cast<float*>(layer_out_of(tile) + Plan::kTokens * Plan::kSlice);
    }

    // Starts what a tile needs from memory; a tile beyond the last is an empty group. Rows of tokens that are not
    // there stay as they are: a token touches no other's sums.
    STRATA_BODY void load(int tile) {
        if (tile < tiles_) {
            const int first = first_token(tile), there = tokens() - first;
            constexpr int kPacks = Plan::kSlice / 8;  // of a row of one stream
            STRATA_ROLLED
            for (int i = forgotten(t_.thread()); i < Plan::kTokens * 4 * kPacks; i += Plan::kThreads) {
                const int token = i / (4 * kPacks), stream = i / kPacks % 4, x = i % kPacks * 8;
                if (token < there)
                    copies_.copy16(
                        streams_of(tile) + token * Plan::kRow + stream * Plan::kSlice + x,
                        task_.residual + (long(first + token) * 4 + stream) * Plan::kHidden + rank_ * Plan::kSlice + x);
            }
            if constexpr (Plan::kSpreads) load_of_last_site(tile);
        }
        copies_.close_group();
    }

    STRATA_BODY void load_of_last_site(int tile) {
        const int first = first_token(tile), there = tokens() - first;
        constexpr int kPacks = Plan::kSlice / 8;
        STRATA_ROLLED
        for (int i = forgotten(t_.thread()); i < Plan::kTokens * kPacks; i += Plan::kThreads) {
            const int token = i / kPacks, x = i % kPacks * 8;
            if (token < there)
                copies_.copy16(layer_out_of(tile) + token * Plan::kSlice + x,
                               task_.layer_out + slice_of(first + token) + x);
        }
        STRATA_ROLLED
        for (int i = forgotten(t_.thread()); i < Plan::kTokens * 6; i += Plan::kThreads) {
            const int token = i / 6, part = i % 6;
            if (token >= there || (part == 5 && Plan::kForm == MhcForm::fused)) continue;
            const float* from = part == 0   ? task_.last_post + (first + token) * 4L
                                : part == 5 ? task_.last_pre + (first + token) * 4L
                                            : task_.last_comb + (first + token) * 16L + (part - 1) * 4;
            copies_.copy16(last_gates_of(tile) + token * Plan::kLastGates + part * 4, from);
        }
    }

    // `post` of the site before, in place: the new streams are left where the old ones were, and written. Four elements
    // at a time: eight would not fit beside fn in the registers.
    STRATA_BODY void spread(int tile) {
        const int first = first_token(tile);
        constexpr int kPieces = Plan::kSlice / 4;
        STRATA_ROLLED
        for (int i = forgotten(t_.thread()); i < Plan::kTokens * kPieces; i += Plan::kThreads) {
            const int token = i / kPieces, x = i % kPieces * 4;
            if (first + token >= tokens()) break;
            Bf16* row = streams_of(tile) + token * Plan::kRow + x;
            const float* last = last_gates_of(tile) + token * Plan::kLastGates;
            Spread<2> sums(load_elements<2>(layer_out_of(tile), token * Plan::kSlice + x), load_pack(last, 0));
            STRATA_UNROLL
            for (int m = 0; m < kMhcStreams; ++m)
                sums.add(load_elements<2>(row, m * Plan::kSlice), load_pack(last, 4 + m * 4));
            Bf16* to = task_.new_residual + slice_of((first + token) * 4) + x;
            Gathered<2> in;
            STRATA_UNROLL
            for (int n = 0; n < kMhcStreams; ++n) {
                const Elements<2> stream = sums.stream(n);
                store_elements(row, n * Plan::kSlice, stream);
                store_elements(to, n * Plan::kHidden, stream);
                if constexpr (Plan::kForm == MhcForm::single_pass) in.add(stream, last[20 + n]);
            }
            if constexpr (Plan::kForm == MhcForm::single_pass)
                store_elements(task_.layer_in, slice_of(first + token) + x, in.elements());
        }
    }

    // The block's sums, each to the block that owns its token: [tile % 2][from][sum] in its inbox. Block r owns token r
    // of each tile.
    STRATA_BODY void send_sums(int tile) {
        constexpr int kSums = Plan::kGroups * 8 * kMhcSums;
        for (int i = forgotten(t_.thread()); i < kSums; i += Plan::kThreads) {
            float sum = 0;
            STRATA_UNROLL
            for (int warp = 0; warp < Plan::kWarps; ++warp) sum += partials_[warp * kSums + i];
            const int token = i / (8 * kMhcSums) * 8 + i % 8, which = i / 8 % kMhcSums;
            t_.send(token, inbox_of(tile) + rank_ * kMhcSums + which, sum, sums_box(tile));
        }
    }
    STRATA_BODY float* inbox_of(int tile) const { return inbox_ + tile % 2 * (Plan::kInboxBytes / 4); }
    // Three, for gates are read after sums were sent: when those of two tiles later come, a thread may still gather.
    STRATA_BODY float* gates_of(int tile) const { return gates_ + tile % 3 * (Plan::kGateBytes / 4); }

    STRATA_BODY Mailbox* sums_box(int tile) const { return mailboxes_ + tile % 2; }
    STRATA_BODY Mailbox* gates_box(int tile) const { return mailboxes_ + 2 + tile % 3; }
    STRATA_BODY void open_mailboxes() {
        for (int box = 0; box < 5; ++box) {
            t_.open_mailbox(mailboxes_ + box);
            t_.expect_mail(mailboxes_ + box, box < 2 ? int(Plan::kInboxBytes) : int(Plan::kGateBytes));
        }
    }
    STRATA_BODY void wait_for_gates(int tile) {
        t_.wait_for_mail(gates_box(tile), tile / 3 % 2);
        if (t_.thread() == 0) t_.expect_mail(gates_box(tile), int(Plan::kGateBytes));
    }

    // The gates of the token that this block owns, by its last warp (the first send sums). The logits of comb are left
    // in memory until the end.
    STRATA_BODY void open_gates(int tile) {
        const int token = first_token(tile) + rank_, lane = forgotten(t_.lane());
        if (t_.warp() != Plan::kWarps - 1 || rank_ >= Plan::kTokens) return;
        t_.wait_for_mail(sums_box(tile), tile / 2 % 2);
        if (lane == 0) t_.expect_mail(sums_box(tile), int(Plan::kInboxBytes));
        float sum = 0;
        if (lane < kMhcSums)
            for (int from = 0; from < kMhcCluster; ++from) sum += inbox_of(tile)[from * kMhcSums + lane];
        const float mean = t_.shuffle(sum, kMhcMixes) * (1.0f / (4 * Plan::kHidden));
        const float mix = sum * rsqrt_of(mean + task_.gates.norm_eps);
        const float logit = lane < kMhcMixes ? scaled_mix(task_.gates, lane, mix) : 0;
        const float pre = sigmoid(logit) + task_.gates.eps;
        const float mine = t_.shuffle(pre, lane % 4);
        for (int rank = lane / 4; rank < kMhcCluster; rank += 8)
            t_.send(rank, gates_of(tile) + rank_ * 4 + lane % 4, mine, gates_box(tile));
        if (token >= tokens() || lane >= kMhcMixes) return;
        if (task_.mixes) task_.mixes[long(token) * kMhcMixes + lane] = mix;
        if (lane < 4) {
            if (task_.pre) task_.pre[token * 4L + lane] = pre;
        } else if (lane < 8) {
            task_.post[token * 4L + lane - 4] = sigmoid(logit) * task_.gates.post_mult;
        } else {
            task_.comb[token * 16L + lane - 8] = logit;
        }
    }

    STRATA_BODY void gather(int tile) {
        const int first = first_token(tile);
        constexpr int kPacks = Plan::kSlice / 8;
        STRATA_ROLLED
        for (int i = forgotten(t_.thread()); i < Plan::kTokens * kPacks; i += Plan::kThreads) {
            const int token = i / kPacks, x = i % kPacks * 8;
            if (first + token >= tokens()) break;
            Gathered<4> in;
            STRATA_UNROLL
            for (int n = 0; n < kMhcStreams; ++n)
                in.add(load_elements<4>(streams_of(tile), token * Plan::kRow + n * Plan::kSlice + x),
                       gates_of(tile)[token * 4 + n]);
            store_elements(task_.layer_in, slice_of(first + token) + x, in.elements());
        }
    }

    STRATA_BODY void mix_owned_tokens() {
        for (int tile = t_.thread(); tile < tiles_; tile += Plan::kThreads) {
            const int token = first_token(tile) + rank_;
            if (rank_ >= Plan::kTokens || token >= tokens()) continue;
            float comb[16];
            STRATA_UNROLL
            for (int row = 0; row < 4; ++row) {
                const Pack<float> logits = load_pack(task_.comb, token * 16L + row * 4);
                STRATA_UNROLL
                for (int j = 0; j < 4; ++j) comb[row * 4 + j] = logits.at[j];
            }
            sinkhorn(comb, task_.gates.iterations, task_.gates.eps);
            STRATA_UNROLL
            for (int row = 0; row < 4; ++row)
                store_pack(task_.comb, token * 16L + row * 4,
                           Pack<float>{{comb[row * 4], comb[row * 4 + 1], comb[row * 4 + 2], comb[row * 4 + 3]}});
        }
    }

    Thread& t_;
    const MhcPreTask& task_;
    const int rank_;
    const int cluster_;
    const int tiles_;
    unsigned char* const stages_;
    float* const partials_;     // [warps][groups][sums][8 tokens]
    float* const inbox_;        // [2][from][sums]
    float* const gates_;        // [3][tokens][4]
    Mailbox* const mailboxes_;  // [2] for sums, [3] for gates
    MhcProducts<Plan, Thread> products_;
    AsyncCopies copies_;
};

template <class Plan, class Thread>
STRATA_BODY void mhc_pre(Thread& t, const MhcPreTask& task) {
    MhcPreBlock<Plan, Thread> block(t, task);
    block.run();
}

}  // namespace strata
