// mHC's `pre`, alone or after the `post` of the site before, thread by thread. The streams are read once: a cluster of
// sixteen blocks keeps whole tokens in its shared memory from the products with fn until their sums have come together
// and the layer's input is gathered.
//
// Tiles of eight tokens go through a pipeline whose warps wait for each other at barriers of their own, never all at
// once. Bulk copies bring a tile; sixteen warps multiply it; one adds their sums and sends them to the blocks that own
// the tokens; there another opens the gates and sends them back; kLag turns after its products a tile is gathered, in
// place, and bulk copies write it. Two warps start those copies: with one, an H200 took 47 to 60 cycles of a turn for
// each. All sums are in a fixed order that does not depend on how many tokens there are.
// Sinkhorn, which is latency and nothing else, is done at the end by a thread for each token.
#pragma once

#include "kernels/mhc/mhc_pre_task.hpp"
#include "kernels/mhc/mhc_products.hpp"
#include "kernels/mhc/send_pack.hpp"
#include "kernels/simt/tma.hpp"

namespace strata {

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
    // The warp beside loads this many tokens of a tile; the one that stores, which has less to do where streams are
    // only read, the others.
    static constexpr int kOwnLoads = Plan::kSpreads ? Plan::kTokens : 5;

public:
    STRATA_BODY MhcPreBlock(Thread& t, const MhcPreTask& task)
        : t_(t),
          task_(task),
          rank_(t.cluster_rank()),
          tiles_(count_of_tiles(t, task)),
          stages_(t.shared()),
          partials_(reinterpret_cast<float*>(stages_ + Plan::kStages * Plan::kStageBytes + Plan::kFnBytes)),
          inbox_(partials_ + Plan::kPartialBytes / 4),
          gates_(inbox_ + Plan::kSlots * Plan::kInboxBytes / 4),
          full_(reinterpret_cast<Barrier*>(gates_ + Plan::kSlots * Plan::kGateBytes / 4)),
          done_(full_ + Plan::kStages),
          free_(done_ + Plan::kStages),
          summed_(free_ + Plan::kStages),
          sums_mail_(reinterpret_cast<Mailbox*>(summed_ + 7)),
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
    // Of a tile: the last may not be full. What is not there is not loaded and not written; a token touches no other's
    // sums.
    STRATA_BODY int tokens_of(int tile) const {
        const int left = int(task_.tokens) - first_token(tile);
        return left < Plan::kTokens ? left : Plan::kTokens;
    }
    // Where this block's part of a row [hidden] begins.
    STRATA_BODY long slice_of(int row) const { return long(row) * Plan::kHidden + rank_ * Plan::kSlice; }

    // A stage: rows of streams; then, after `post`, rows of layer_out; then the gates of the site before.
    STRATA_BODY Bf16* streams_of(int stage) const {
        return reinterpret_cast<Bf16*>(stages_ + stage * Plan::kStageBytes);
    }
    STRATA_BODY Bf16* layer_out_of(int stage) const { return streams_of(stage) + Plan::kTokens * Plan::kRow; }
    STRATA_BODY float* last_gates_of(int stage) const {
        return reinterpret_cast<float*>(layer_out_of(stage) + Plan::kTokens * Plan::kOutRow);
    }
    // Where a token's input is left: in the place of its first stream, or of layer_out where streams are written too.
    STRATA_BODY Bf16* input_of(int stage, int token) const {
        return Plan::kSpreads ? layer_out_of(stage) + token * Plan::kOutRow : streams_of(stage) + token * Plan::kRow;
    }
    STRATA_BODY float* inbox_of(int slot) const { return inbox_ + slot * (Plan::kInboxBytes / 4); }
    STRATA_BODY float* gates_of(int slot) const { return gates_ + slot * (Plan::kGateBytes / 4); }
    STRATA_BODY Barrier* partials_full() const { return summed_; }
    STRATA_BODY Barrier* partials_read() const { return summed_ + 1; }
    STRATA_BODY Barrier* fn_staged(int band) const { return summed_ + 2 + band; }
    STRATA_BODY Barrier* fn_taken(int part) const { return summed_ + 5 + part; }  // the first band, and all
    STRATA_BODY float* fn_place() const { return reinterpret_cast<float*>(stages_ + Plan::kEarly * Plan::kStageBytes); }

    STRATA_BODY void open() {
        for (int stage = 0; stage < Plan::kStages; ++stage) {
            t_.open_barrier(full_ + stage, 1);
            t_.open_barrier(done_ + stage, Plan::kWarps);
            t_.open_barrier(free_ + stage, 1);
        }
        t_.open_barrier(partials_full(), Plan::kWarps);
        t_.open_barrier(partials_read(), 1);
        for (int band = 0; band < 3; ++band) t_.open_barrier(fn_staged(band), Plan::kWarps);
        for (int part = 0; part < 2; ++part) t_.open_barrier(fn_taken(part), Plan::kWarps);
        for (int slot = 0; slot < Plan::kSlots; ++slot) {
            t_.open_mailbox(sums_mail_ + slot);
            t_.expect_mail(sums_mail_ + slot, int(Plan::kInboxBytes));
            t_.open_mailbox(gates_mail_ + slot);
            t_.expect_mail(gates_mail_ + slot, int(Plan::kGateBytes));
        }
        t_.publish_barriers();
    }

    // The block's part of fn, a run of kSlice for each output and stream, eight outputs after the other. The warps that
    // multiply share them out.
    STRATA_BODY void stage_fn() {
        constexpr int kBandRows = 8 * 4, kShare = kBandRows / Plan::kWarps;
        if (!t_.elected()) return;
        STRATA_UNROLL
        for (int band = 0; band < 3; ++band) {
            t_.arrive_expecting(fn_staged(band), kShare * Plan::kSlice * 4);
            STRATA_UNROLL
            for (int i = 0; i < kShare; ++i) {
                const int row = band * kBandRows + t_.warp() * kShare + i;
                load_run(t_, fn_place() + row * Plan::kFnRow, task_.fn + slice_of(row), Plan::kSlice * 4,
                         fn_staged(band));
            }
        }
    }

    // The warps beside those that multiply, each with its own work. Few registers are left for them.
    STRATA_BODY void serve() {
        if constexpr (Plan::kSharesRegisters) t_.template give_back_registers<Plan::kOtherRegisters>();
        const int work = t_.warp() - Plan::kWarps;
        if (work == 0 && t_.elected()) open();
        t_.sync();
        t_.arrive_at_cluster();
        if (work == 0 && t_.elected()) load_first_tiles();
        t_.sync_warp();
        t_.wait_for_cluster();
        if (work == 0 && t_.elected()) load_tiles();
        if (work == 1 && rank_ < Plan::kTokens) open_gates();
        if (work == 2 && t_.elected()) store_tiles();
        if (work == 3) add_up();
        t_.sync_warp();
        t_.sync();
    }

    // --- the warps that move tiles: one thread of each ---

    // Its first `own` tokens; all bytes are expected here.
    STRATA_BODY void load(int tile, int stage, int own) {
        if (tile >= tiles_) return;
        const int first = first_token(tile), there = tokens_of(tile);
        constexpr int kLastBytes = Plan::kForm == MhcForm::single_pass ? 96 : Plan::kSpreads ? 80 : 0;
        t_.arrive_expecting(full_ + stage, there * ((Plan::kSpreads ? 5 : 4) * Plan::kSlice * 2 + kLastBytes));
        if constexpr (Plan::kSpreads) {
            float* last = last_gates_of(stage);
            load_run(t_, last, task_.last_post + first * 4L, there * 16, full_ + stage);
            load_run(t_, last + Plan::kLastComb, task_.last_comb + first * 16L, there * 64, full_ + stage);
            if constexpr (Plan::kForm == MhcForm::single_pass)
                load_run(t_, last + Plan::kLastPre, task_.last_pre + first * 4L, there * 16, full_ + stage);
        }
        load_rows(first, 0, own < there ? own : there, stage);
    }

    STRATA_BODY void load_rows(int first, int begin, int end, int stage) {
        constexpr int kBytes = Plan::kSlice * 2;
        Bf16* to = streams_of(stage) + begin * Plan::kRow;
        const Bf16* from = task_.residual + slice_of((first + begin) * 4);
        STRATA_ROLLED
        for (int token = begin; token < end; ++token) {
            STRATA_UNROLL
            for (int n = 0; n < kMhcStreams; ++n)
                load_run(t_, to + n * Plan::kStreamRow, from + n * Plan::kHidden, kBytes, full_ + stage);
            if constexpr (Plan::kSpreads)
                load_run(t_, layer_out_of(stage) + token * Plan::kOutRow, task_.layer_out + slice_of(first + token),
                         kBytes, full_ + stage);
            to += Plan::kRow, from += 4 * Plan::kHidden;
        }
    }

    // As fn makes room for them.
    STRATA_BODY void load_first_tiles() {
        STRATA_ROLLED
        for (int tile = 0; tile < Plan::kStages; ++tile) {
            if (tile == Plan::kEarly) t_.wait(fn_taken(0), 0);
            if (tile == Plan::kSoon) t_.wait(fn_taken(1), 0);
            load(tile, tile, Plan::kTokens);
        }
    }

    STRATA_BODY void load_tiles() {
        Stage stage;
        STRATA_ROLLED
        for (int tile = Plan::kStages; tile < tiles_; ++tile) {
            t_.wait(free_ + stage.at, stage.parity);
            load(tile, stage.at, kOwnLoads);
            stage.advance();
        }
    }

    STRATA_BODY void store(int tile, int stage) {
        const int first = first_token(tile), there = tokens_of(tile);
        constexpr int kBytes = Plan::kSlice * 2;
        STRATA_ROLLED
        for (int token = 0; token < there; ++token) {
            if constexpr (Plan::kSpreads) {
                STRATA_UNROLL
                for (int n = 0; n < kMhcStreams; ++n)
                    stores_.store_run(t_, task_.new_residual + slice_of((first + token) * 4 + n),
                                      streams_of(stage) + token * Plan::kRow + n * Plan::kStreamRow, kBytes);
            }
            stores_.store_run(t_, task_.layer_in + slice_of(first + token), input_of(stage, token), kBytes);
        }
        stores_.close_group();
    }

    // A stage is loaded again when what was written from it, a tile ago, has been read.
    STRATA_BODY void store_tiles() {
        Stage stage;
        int read = 0;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_; ++tile) {
            t_.wait(done_ + stage.at, stage.parity);
            store(tile, stage.at);
            if (tile > 0) {
                stores_.template wait_until_read<1>();
                reload(tile - 1 + Plan::kStages, read);
            }
            read = stage.at;
            stage.advance();
        }
        stores_.template wait_until_read<0>();
    }

    // Rows may come before the other warp has said that it expects them.
    STRATA_BODY void reload(int tile, int stage) {
        if (tile >= tiles_) return;
        t_.arrive(free_ + stage);
        if constexpr (kOwnLoads < Plan::kTokens) load_rows(first_token(tile), kOwnLoads, tokens_of(tile), stage);
    }

    // --- the warp that opens gates ---

    STRATA_BODY void open_gates() {
        Slot slot;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_; ++tile) {
            open_gates(tile, slot);
            slot.advance();
        }
        if (!has_few_tiles()) return;
        t_.sync_warp();
        if (t_.lane() < tiles_) mix(t_.lane(), inbox_of(t_.lane()));
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
        stage_fn();
        STRATA_UNROLL
        for (int band = 0; band < 3; ++band) {
            t_.wait(fn_staged(band), 0);
            products.load(fn_place(), band);
            if (band == 1) continue;
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(fn_taken(band / 2));
        }
        t_.sync_group(1, 32 * Plan::kWarps);  // not needed; without it nvcc mixes what follows in, and spills
        t_.wait_for_cluster();                // all blocks run, and have mailboxes
        multiply_and_gather(products);
        t_.sync();
        if (has_few_tiles()) return;
        for (int tile = t_.thread(); tile < tiles_; tile += 32 * Plan::kWarps)
            mix(tile, task_.comb + (first_token(tile) + rank_) * 16L);
    }

    STRATA_BODY void multiply_and_gather(MhcProducts<Plan, Thread>& products) {
        Stage stage, gathered;
        Slot slot;
        STRATA_ROLLED
        for (int turn = 0; turn < tiles_ + Plan::kLag; ++turn) {
            if (turn < tiles_) {
                t_.wait(full_ + stage.at, stage.parity);
                products.multiply(streams_of(stage.at), layer_out_of(stage.at), last_gates_of(stage.at),
                                  partials_ + t_.warp() * 8 * kMhcSums,
                                  [&] { t_.wait(partials_read(), (turn + 1) % 2); });
                t_.sync_warp();
                if (t_.lane() == 0) t_.arrive(partials_full());
                stage.advance();
            }
            if (turn < Plan::kLag) continue;
            if constexpr (Plan::kForm == MhcForm::single_pass) {
                gather(gathered.at, last_gates_of(gathered.at) + Plan::kLastPre);
            } else {
                t_.wait_for_mail(gates_mail_ + slot.at, slot.parity);
                gather(gathered.at, gates_of(slot.at));
                slot.advance();
            }
            t_.show_to_async_copies();
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(done_ + gathered.at);
            gathered.advance();
        }
    }

    // The warp's own elements, four at a time. Half a warp takes two neighbouring fours of each token: their loads fall
    // in different banks.
    STRATA_BODY void gather(int stage, const float* gates) {
        const int lane = t_.lane(), token = lane / 2 % 8;
        const Pack<float> pre = load_pack(gates, token * 4);
        const Bf16* row = streams_of(stage) + token * Plan::kRow;
        STRATA_UNROLL
        for (int first = 0; first < Plan::kSteps; first += 4) {
            const int piece = first + lane / 16 * 2 + lane % 2, x = t_.warp() * Plan::kSpan + piece * 4;
            if (piece >= Plan::kSteps) continue;
            Gathered<2> in;
            STRATA_UNROLL
            for (int n = 0; n < kMhcStreams; ++n) in.add(load_elements<2>(row, n * Plan::kStreamRow + x), pre.at[n]);
            store_elements(input_of(stage, token), x, in.elements());
        }
    }

    // Sinkhorn for the token of a tile that this block owns.
    STRATA_BODY void mix(int tile, const float* logits) {
        const int token = first_token(tile) + rank_;
        if (rank_ >= Plan::kTokens || token >= int(task_.tokens)) return;
        float comb[16];
        STRATA_UNROLL
        for (int row = 0; row < 4; ++row) {
            const Pack<float> four = load_pack(logits, row * 4);
            STRATA_UNROLL
            for (int j = 0; j < 4; ++j) comb[row * 4 + j] = four.at[j];
        }
        sinkhorn(comb, task_.gates.iterations, task_.gates.eps);
        STRATA_UNROLL
        for (int row = 0; row < 4; ++row)
            store_pack(task_.comb, token * 16L + row * 4,
                       Pack<float>{{comb[row * 4], comb[row * 4 + 1], comb[row * 4 + 2], comb[row * 4 + 3]}});
    }

    // --- the warp that adds up ---

    // The block's sums, each to the block that owns its token: in its inbox are [from][24 mixes], then [from] the
    // squares. Block r owns token r of each tile. Gates of a tile say that its owners have read the sums: their place
    // may be taken by those of kSlots tiles later. All gates are waited for: no block may end while others still send
    // to it.
    STRATA_BODY void add_up() {
        Slot slot, answered;
        STRATA_ROLLED
        for (int tile = 0; tile < tiles_ + Plan::kSlots; ++tile) {
            if (tile < tiles_) t_.wait(partials_full(), tile % 2);
            if (tile >= Plan::kSlots && tile - Plan::kSlots < tiles_) {
                t_.wait_for_mail(gates_mail_ + answered.at, answered.parity);
                if (t_.lane() == 0) t_.expect_mail(gates_mail_ + answered.at, int(Plan::kGateBytes));
                answered.advance();
            }
            if (tile >= tiles_) continue;
            add_and_send(t_.lane(), slot.at);
            if (t_.lane() + 32 < kFours) add_and_send(t_.lane() + 32, slot.at);
            t_.sync_warp();
            if (t_.lane() == 0) t_.arrive(partials_read());
            slot.advance();
        }
    }

    // Of the fours that partials consist of, the first 48 are four mixes of a token each, the others the squares of
    // four tokens.
    static constexpr int kFours = 2 * kMhcSums, kFoursOfMixes = 2 * kMhcMixes;

    STRATA_BODY void add_and_send(int four, int slot) {
        Pack<float> sums{};
        STRATA_UNROLL
        for (int warp = 0; warp < Plan::kWarps; ++warp) {
            const Pack<float> part = load_pack(partials_, (warp * kFours + four) * 4);
            STRATA_UNROLL
            for (int k = 0; k < 4; ++k) sums.at[k] += part.at[k];
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
    const int rank_;
    const int tiles_;
    unsigned char* const stages_;
    float* const partials_;      // [warps], each as MhcProducts leaves them
    float* const inbox_;         // [slots][from][24], then [from]
    float* const gates_;         // [slots][tokens][4]
    Barrier* const full_;        // [stages]: a tile has come
    Barrier* const done_;        // [stages]: it is gathered
    Barrier* const free_;        // [stages]: what was written has been read
    Barrier* const summed_;      // partials are full, are read; fn's three bands have come; its first is taken, all are
    Mailbox* const sums_mail_;   // [slots]
    Mailbox* const gates_mail_;  // [slots]
    BulkStores stores_;
};

template <class Plan, class Thread>
STRATA_BODY void mhc_pre(Thread& t, const MhcPreTask& task) {
    MhcPreBlock<Plan, Thread> block(t, task);
    block.run();
}

}  // namespace strata
