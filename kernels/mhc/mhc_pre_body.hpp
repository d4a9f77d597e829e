// mHC's `pre`, alone or after the `post` of the site before, thread by thread. The streams are read once: a cluster of
// sixteen blocks keeps whole tokens in its shared memory from the products with fn until their sums have come together
// and the layer's input is gathered.
//
// Tiles of eight tokens go through a pipeline whose warps wait for each other at barriers of their own, never all at
// once. Bulk copies bring a tile; sixteen warps multiply it; two add their sums and send them to the blocks that own
// the tokens; there another opens the gates and sends them back; kLag turns after its products a tile is gathered, in
// place, and bulk copies write it. They move boxes of tensors: a plain run of bytes took an H200 some 67 cycles to load
// and 45 to store, whatever its length up to 900 bytes, and a tile has 80 of them. All sums are in a fixed order that
// does not depend on how many tokens there are. Sinkhorn, which is latency and nothing else, is done at the end, by
// four lanes for each token.
#pragma once

#include "kernels/mhc/mhc_pre_task.hpp"
#include "kernels/mhc/mhc_products.hpp"
#include "kernels/mhc/send_pack.hpp"
#include "kernels/simt/tma.hpp"

namespace strata {

// Boxes of eight tokens and 64 elements, with all streams or of a tensor without them; of fn 32 columns for eight
// outputs and four streams.
struct MhcPreMaps {
    TensorMap streams, new_streams, layer_out, layer_in, fn;
};
inline MhcPreMaps maps_of(const MhcPreTask& task) {
    const long row = task.hidden * 2L;
    const auto with_streams = [&](const Bf16* p) {
        return make_tensor_map({.global = p,
                                .element_bytes = 2,
                                .rank = 3,
                                .size = {task.hidden, task.tokens, kMhcStreams},
                                .stride_bytes = {kMhcStreams * row, row},
                                .box = {64, 8, kMhcStreams}});
    };
    const auto without = [&](const Bf16* p) {
        return make_tensor_map({.global = p,
                                .element_bytes = 2,
                                .rank = 2,
                                .size = {task.hidden, task.tokens},
                                .stride_bytes = {row},
                                .box = {64, 8}});
    };
    MhcPreMaps maps{.streams = with_streams(task.residual),
                    .new_streams = {},
                    .layer_out = {},
                    .layer_in = without(task.layer_in),
                    .fn = make_tensor_map({.global = task.fn,
                                           .element_bytes = 4,
                                           .rank = 2,
                                           .size = {task.hidden, kMhcMixes * kMhcStreams},
                                           .stride_bytes = {2 * row},
                                           .box = {32, 8 * kMhcStreams}})};
    if (task.form != MhcForm::pre)
        maps.new_streams = with_streams(task.new_residual), maps.layer_out = without(task.layer_out);
    return maps;
}

// A ring of places, each used once a round; `parity` is that of the round.
template <int places>
struct RingPlace {
    int at = 0;
    int parity = 0;

    STRATA_BODY void advance() {
        if (++at == places) at = 0, parity ^= 1;
    }
};

template <class Plan, class Thread>
class MhcPreBlock {
    using Mailbox = typename Thread::Mailbox;
    using Barrier = typename Thread::Barrier;
    using Stage = RingPlace<Plan::kStages>;
    using Slot = RingPlace<Plan::kSlots>;

public:
    STRATA_BODY MhcPreBlock(Thread& t, const MhcPreTask& task, const MhcPreMaps& maps)
        : t_(t),
          task_(task),
          maps_(maps),
          rank_(t.cluster_rank()),
          tiles_(count_of_tiles(t, task)),
          stages_(t.shared()),
          last_gates_(reinterpret_cast<float*>(stages_ + Plan::kStages * Plan::kStageBytes + Plan::kFnBytes)),
          partials_(last_gates_ + Plan::kStages * Plan::kLastBytes / 4),
          inbox_(partials_ + Plan::kPartialBytes / 4),
          gates_(inbox_ + Plan::kSlots * Plan::kInboxBytes / 4),
          full_(reinterpret_cast<Barrier*>(gates_ + Plan::kSlots * Plan::kGateBytes / 4)),
          done_(full_ + Plan::kStages),
          fn_(done_ + Plan::kStages),
          summed_(fn_ + 6),
          sums_mail_(reinterpret_cast<Mailbox*>(summed_ + 3)),
          gates_mail_(sums_mail_ + Plan::kSlots) {}

    STRATA_BODY void run() {
        if (t_.warp() < Plan::kWarps)
            multiply();
        else
            serve();
    }

private:
    STRATA_BODY static int count_of_tiles(Thread& t, const MhcPreTask& task) {
        const int tiles = int(ceil_div(task.tokens, Plan::kTokens)), clusters = t.blocks() / kMhcCluster;
        return (tiles - t.block() / kMhcCluster + clusters - 1) / clusters;
    }
    STRATA_BODY int first_token(int tile) const {
        return (t_.block() / kMhcCluster + tile * (t_.blocks() / kMhcCluster)) * Plan::kTokens;
    }
    // Of a tile: the last may not be full. What is not there comes as zeros and is not written; a token touches no
    // other's sums.
    STRATA_BODY int tokens_of(int tile) const {
        const int left = int(task_.tokens) - first_token(tile);
        return left < Plan::kTokens ? left : Plan::kTokens;
    }
    STRATA_BODY Bf16* tile_of(int stage) const { return reinterpret_cast<Bf16*>(stages_ + stage * Plan::kStageBytes); }
    STRATA_BODY float* last_gates_of(int stage) const { return last_gates_ + stage * (Plan::kLastBytes / 4); }
    // Where a box's part of the layer's input is left: in the place of its first stream, or of layer_out where streams
    // are written too.
    static constexpr int kInput = Plan::kSpreads ? kMhcStreams * Plan::kStreamRows : 0;
    STRATA_BODY float* inbox_of(int slot) const { return inbox_ + slot * (Plan::kInboxBytes / 4); }
    STRATA_BODY float* gates_of(int slot) const { return gates_ + slot * (Plan::kGateBytes / 4); }
    STRATA_BODY Barrier* partials_full() const { return summed_; }
    STRATA_BODY Barrier* partials_read() const { return summed_ + 1; }
    STRATA_BODY Barrier* all_opened() const { return summed_ + 2; }
    STRATA_BODY Barrier* fn_full(int band) const { return fn_ + band; }
    STRATA_BODY Barrier* fn_taken(int band) const { return fn_ + 3 + band; }
    STRATA_BODY float* fn_place(int band) const {
        return reinterpret_cast<float*>(stages_ + band * Plan::kFnBandBytes);
    }

    STRATA_BODY void open() {
        for (int stage = 0; stage < Plan::kStages; ++stage) {
            t_.open_barrier(full_ + stage, 1);
            t_.open_barrier(done_ + stage, Plan::kWarps);
        }
        for (int band = 0; band < 3; ++band)
            t_.open_barrier(fn_full(band), 1), t_.open_barrier(fn_taken(band), Plan::kWarps);
        t_.open_barrier(partials_full(), Plan::kWarps);
        t_.open_barrier(partials_read(), kAdders);
        t_.open_barrier(all_opened(), 1);
        for (int slot = 0; slot < Plan::kSlots; ++slot) {
            t_.open_mailbox(sums_mail_ + slot);
            t_.expect_mail(sums_mail_ + slot, int(Plan::kInboxBytes));
            t_.open_mailbox(gates_mail_ + slot);
            t_.expect_mail(gates_mail_ + slot, int(Plan::kGateBytes));
        }
        t_.publish_barriers();
    }

    // The warps beside those that multiply, each with its own work. Few registers are left for them.
    STRATA_BODY void serve() {
        if constexpr (Plan::kSharesRegisters) t_.template give_back_registers<Plan::kOtherRegisters>();
        const int work = t_.warp() - Plan::kWarps;
        if (work == 0 && t_.elected()) open();
        t_.sync();
        t_.arrive_at_cluster();
        if (work == 0) load_fn();
        t_.wait_for_cluster();
        if (work == 0) move_tiles();
        if (work == 1 && rank_ < Plan::kTokens) open_gates();
        if (work >= 2) add_up(work - 2);
    }

    // --- the warp that moves tiles: each of its first lanes a box ---

    // In the room of the first tiles.
    STRATA_BODY void load_fn() {
        STRATA_ROLLED
        for (int band = 0; band < 3; ++band) {
            if (t_.lane() == 0) t_.arrive_expecting(fn_full(band), int(Plan::kFnBandBytes));
            t_.sync_warp();
            if (t_.lane() < Plan::kSlice / 32)
                load_box(t_, fn_place(band) + t_.lane() * Plan::kFnBox, maps_.fn, fn_full(band),
                         rank_ * Plan::kSlice + t_.lane() * 32, band * 8 * kMhcStreams);
        }
    }

    STRATA_BODY void load(int tile, int stage) {
        const int first = first_token(tile);
        if (t_.lane() == 0) {
            constexpr int kGates = Plan::kForm == MhcForm::single_pass ? 96 : Plan::kSpreads ? 80 : 0;
            t_.arrive_expecting(full_ + stage, int(Plan::kStageBytes) + tokens_of(tile) * kGates);
            if constexpr (Plan::kSpreads) load_last_gates(first, tokens_of(tile), stage);
        }
        t_.sync_warp();
        if (t_.lane() >= Plan::kBoxes) return;
        const int x = rank_ * Plan::kSlice + t_.lane() * Plan::kRow;
        Bf16* box = tile_of(stage) + t_.lane() * Plan::kBox;
        load_box(t_, box, maps_.streams, full_ + stage, x, first, 0);
        if constexpr (Plan::kSpreads)
            load_box(t_, box + kMhcStreams * Plan::kStreamRows, maps_.layer_out, full_ + stage, x, first);
    }

    STRATA_BODY void load_last_gates(int first, int tokens, int stage) {
        float* last = last_gates_of(stage);
        load_run(t_, last, task_.last_post + first * 4L, tokens * 16, full_ + stage);
        load_run(t_, last + Plan::kLastComb, task_.last_comb + first * 16L, tokens * 64, full_ + stage);
        if constexpr (Plan::kForm == MhcForm::single_pass)
            load_run(t_, last + Plan::kLastPre, task_.last_pre + first * 4L, tokens * 16, full_ + stage);
    }

    STRATA_BODY void store(int tile, int stage) {
        if (t_.lane() < Plan::kBoxes) {
            const int x = rank_ * Plan::kSlice + t_.lane() * Plan::kRow, first = first_token(tile);
            const Bf16* box = tile_of(stage) + t_.lane() * Plan::kBox;
            if constexpr (Plan::kSpreads) stores_.store_box(t_, maps_.new_streams, box, x, first, 0);
            stores_.store_box(t_, maps_.layer_in, box + kInput, x, first);
        }
        stores_.close_group();
    }

    STRATA_BODY void move_tiles() {
        int taken = 0;
        STRATA_ROLLED
        for (int tile = 0; tile < Plan::kStages && tile < tiles_; ++tile) {
            for (; taken < 3 && taken * Plan::kFnBandBytes < (tile + 1) * Plan::kStageBytes; ++taken)
                t_.wait(fn_taken(taken), 0);
            load(tile, tile);
        }
        // A stage is loaded again when what was written from it has been read: at once where stages are few, else a
        // turn later, when that is done without waiting.
        constexpr int kUnread = Plan::kStages > Plan::kFewStages ? 1 : 0;
        Stage stage, read;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_; ++tile) {
            t_.wait(done_ + stage.at, stage.parity);
            store(tile, stage.at);
            stage.advance();
            if (tile < kUnread) continue;
            stores_.template wait_until_read<kUnread>();
            t_.sync_warp();
            if (tile - kUnread + Plan::kStages < tiles_) load(tile - kUnread + Plan::kStages, read.at);
            read.advance();
        }
        stores_.template wait_until_read<0>();
    }

    // --- the warp that opens gates ---

    STRATA_BODY void open_gates() {
        Slot slot;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_; ++tile) {
            open_gates(tile, slot);
            slot.advance();
        }
        t_.sync_warp();
        if (has_few_tiles())
            mix(0, [&](int tile) { return inbox_of(tile); });
        else if (t_.lane() == 0)
            t_.arrive(all_opened());
    }

    // Few tiles: a small launch, which ends when Sinkhorn does. The warp that opens gates then does it at once, with
    // logits left in the place of the sums.
    STRATA_BODY bool has_few_tiles() const { return tiles_ <= Plan::kSlots; }

    // The gates of the token that this block owns. The logits of comb are left until the end.
    STRATA_BODY void open_gates(int tile, const Slot& slot) {
        const int token = first_token(tile) + rank_, lane = t_.lane();
        t_.wait_for_mail(sums_mail_ + slot.at, slot.parity);
        if (lane == 0) t_.expect_mail(sums_mail_ + slot.at, int(Plan::kInboxBytes));
        const float* inbox = inbox_of(slot.at);
        const float squares = warp_sum<kMhcCluster>(t_, inbox[kMhcCluster * kMhcMixes + lane % kMhcCluster]);
        const float mean = squares * (1.0f / (4 * Plan::kHidden));
        float sum = 0;
        if (lane < kMhcMixes) {
            STRATA_UNROLL
            for (int from = 0; from < kMhcCluster; ++from) sum += inbox[from * kMhcMixes + lane];
        }
        const float mix = sum * rsqrt_of(mean + task_.gates.norm_eps);
        const float logit = lane < kMhcMixes ? scaled_mix(task_.gates, lane, mix) : 0;
        const float opened = sigmoid(logit);
        const float pre = opened + task_.gates.eps;
        Pack<float> all;
        STRATA_UNROLL
        for (int n = 0; n < kMhcStreams; ++n) all.at[n] = t_.shuffle(pre, n);
        if (lane < kMhcCluster) send_pack(t_, lane, gates_of(slot.at) + rank_ * 4, all, gates_mail_ + slot.at);
        if (token >= int(task_.tokens) || lane >= kMhcMixes) return;
        if (task_.mixes) task_.mixes[long(token) * kMhcMixes + lane] = mix;
        if (lane < 4) {
            if (task_.pre) task_.pre[token * 4L + lane] = pre;
        } else if (lane < 8) {
            task_.post[token * 4L + lane - 4] = opened * task_.gates.post_mult;
        } else if (has_few_tiles()) {
            inbox_of(slot.at)[lane - 8] = logit;  // the shuffles came after all reading
        } else {
            task_.comb[token * 16L + lane - 8] = logit;
        }
    }

    // --- the warps that multiply ---

    STRATA_BODY void multiply() {
        if constexpr (Plan::kSharesRegisters) t_.template take_registers<Plan::kRegisters>();
        MhcProducts<Plan, Thread> products(t_, stages_ + Plan::kStages * Plan::kStageBytes);
        t_.sync();  // barriers are open
        t_.arrive_at_cluster();
        STRATA_UNROLL
        for (int band = 0; band < 3; ++band) {
            t_.wait(fn_full(band), 0);
            products.load(fn_place(band), band);
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(fn_taken(band));
        }
        t_.sync_group(1, 32 * Plan::kWarps);  // not needed; without it nvcc mixes what follows in, and spills
        t_.wait_for_cluster();                // all blocks run, and have mailboxes
        multiply_and_gather(products);
        if (has_few_tiles() || rank_ >= Plan::kTokens) return;
        t_.wait(all_opened(), 0);
        for (int tile = t_.warp() * 8; tile < tiles_; tile += 8 * Plan::kWarps)
            mix(tile, [&](int of) { return task_.comb + (first_token(of) + rank_) * 16L; });
    }

    STRATA_BODY void multiply_and_gather(MhcProducts<Plan, Thread>& products) {
        Stage stage, gathered;
        Slot slot;
        const int gather_at = kept<Plan>(place_to_gather(products, 0)),
                  gather_then = kept<Plan>(place_to_gather(products, 4));
        STRATA_ROLLED
        for (int turn = 0; turn < tiles_ + Plan::kLag; ++turn) {
            if (turn < tiles_) {
                t_.wait(full_ + stage.at, stage.parity);
                products.multiply(tile_of(stage.at), last_gates_of(stage.at), partials_ + t_.warp() * 8 * kMhcSums,
                                  [&] { t_.wait(partials_read(), (turn + 1) % 2); });
                t_.sync_warp();
                if (t_.lane() == 0) t_.arrive(partials_full());
                stage.advance();
            }
            if (turn < Plan::kLag) continue;
            if constexpr (Plan::kForm == MhcForm::single_pass) {
                gather(gather_at, gather_then, gathered.at, last_gates_of(gathered.at) + Plan::kLastPre);
            } else {
                t_.wait_for_mail(gates_mail_ + slot.at, slot.parity);
                gather(gather_at, gather_then, gathered.at, gates_of(slot.at));
                slot.advance();
            }
            t_.show_to_async_copies();
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(done_ + gathered.at);
            gathered.advance();
        }
    }

    // The warp's own elements, four at a time. Half a warp takes two fours of each token, those of two steps: their
    // loads fall in different banks.
    STRATA_BODY int step_to_gather(int first) const { return first + t_.lane() / 16 * 2 + t_.lane() % 2; }
    STRATA_BODY int token_to_gather() const { return t_.lane() / 2 % 8; }
    STRATA_BODY int place_to_gather(const MhcProducts<Plan, Thread>& products, int first) const {
        const int step = step_to_gather(first);
        return step < Plan::kSteps ? products.place_of_four(step, token_to_gather()) * 2 : -1;
    }

    STRATA_BODY void gather(int place, int then, int stage, const float* gates) {
        const Pack<float> pre = load_pack(gates, token_to_gather() * 4);
        gather_four(at_byte<Bf16>(tile_of(stage), place), pre);
        if (Plan::kSteps > 4 && then >= 0) gather_four(at_byte<Bf16>(tile_of(stage), then), pre);
    }
    STRATA_BODY void gather_four(Bf16* at, const Pack<float>& pre) {
        Gathered<2> in;
        STRATA_UNROLL
        for (int n = 0; n < kMhcStreams; ++n) in.add(load_elements<2>(at, n * Plan::kStreamRows), pre.at[n]);
        store_elements(at, kInput, in.elements());
    }

    // Sinkhorn for the tokens of eight tiles that this block owns, a row for each lane.
    template <class LogitsOf>
    STRATA_BODY void mix(int first, const LogitsOf& logits_of) {
        const int tile = first + t_.lane() / 4, row = t_.lane() % 4;
        const bool there = rank_ < Plan::kTokens && tile < tiles_ && first_token(tile) + rank_ < int(task_.tokens);
        Pack<float> comb{};
        if (there) comb = load_pack(logits_of(tile), row * 4);
        sinkhorn(t_, comb, task_.gates.iterations, task_.gates.eps);
        if (there) store_pack(task_.comb, (first_token(tile) + rank_) * 16L + row * 4, comb);
    }

    // --- the warps that add up: each half of the sums ---

    // The block's sums, each to the block that owns its token: in its inbox are [from][24 mixes], then [from] the
    // squares. Block r owns token r of each tile. Gates of a tile say that its owners have read the sums: their place
    // may be taken by those of kSlots tiles later. All gates are waited for: no block may end while others still send
    // to it.
    static constexpr int kAdders = 2;

    STRATA_BODY void add_up(int adder) {
        Slot slot, answered;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_ + Plan::kSlots; ++tile) {
            if (tile < tiles_) t_.wait(partials_full(), tile % 2);
            if (tile >= Plan::kSlots && tile - Plan::kSlots < tiles_) {
                t_.wait_for_mail(gates_mail_ + answered.at, answered.parity);
                if (adder == 0 && t_.lane() == 0) t_.expect_mail(gates_mail_ + answered.at, int(Plan::kGateBytes));
                answered.advance();
            }
            if (tile >= tiles_) continue;
            if (t_.lane() < kFours / kAdders) add_and_send(adder * (kFours / kAdders) + t_.lane(), slot.at);
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(partials_read());
            slot.advance();
        }
    }

    // Of the fours that partials consist of, the first 48 are four mixes of a token each, the others the squares of
    // four tokens.
    static constexpr int kFours = 2 * kMhcSums, kFoursOfMixes = 2 * kMhcMixes;

    STRATA_BODY void add_and_send(int four, int slot) {
        constexpr int kAtOnce = 4;  // loads on their way
        Pack<float> sums{};
        STRATA_UNROLL
        for (int first = 0; first < Plan::kWarps; first += kAtOnce) {
            Pack<float> parts[kAtOnce];
            STRATA_UNROLL
            for (int i = 0; i < kAtOnce; ++i) parts[i] = load_pack(partials_, ((first + i) * kFours + four) * 4);
            STRATA_UNROLL
            for (int i = 0; i < kAtOnce; ++i) {
                STRATA_UNROLL
                for (int k = 0; k < 4; ++k) sums.at[k] += parts[i].at[k];
            }
        }
        if (four < kFoursOfMixes) {
            send_pack(t_, four % 8, inbox_of(slot) + rank_ * kMhcMixes + four / 8 * 4, sums, sums_mail_ + slot);
            return;
        }
        float* squares = inbox_of(slot) + kMhcCluster * kMhcMixes + rank_;
        STRATA_UNROLL
        for (int k = 0; k < 4; ++k) t_.send((four - kFoursOfMixes) * 4 + k, squares, sums.at[k], sums_mail_ + slot);
    }

    Thread& t_;
    const MhcPreTask& task_;
    const MhcPreMaps& maps_;
    const int rank_;
    const int tiles_;
    unsigned char* const stages_;
    float* const last_gates_;    // [stages], of the site before
    float* const partials_;      // [warps], each as MhcProducts leaves them
    float* const inbox_;         // [slots][from][24], then [from]
    float* const gates_;         // [slots][tokens][4]
    Barrier* const full_;        // [stages]: a tile has come
    Barrier* const done_;        // [stages]: it is gathered
    Barrier* const fn_;          // its three bands have come; are taken
    Barrier* const summed_;      // partials are full; are read; all gates are open
    Mailbox* const sums_mail_;   // [slots]
    Mailbox* const gates_mail_;  // [slots]
    BulkStores stores_;
};

template <class Plan, class Thread>
STRATA_BODY void mhc_pre(Thread& t, const MhcPreTask& task, const MhcPreMaps& maps) {
    MhcPreBlock<Plan, Thread> block(t, task, maps);
    block.run();
}

}  // namespace strata
