// Engram's short convolution. Taps are three tokens apart, so the positions of a sequence fall into three classes
// (position mod 3) that never meet: a block walks one class of one stream, every third token, four rows at a time. A
// normalised value is added to the four outputs it is a part of where it is made: what goes from row to row is the sums
// of the next three outputs in FP32, not earlier rows to be unpacked again. Thus a value is read once and normalised
// once, and weights are read from shared memory once for several rows. A step's norms are summed while the step before
// is worked on: no warp waits for another one's work of the same step. Long sequences are cut into spans; a span begins
// with the four rows before it.
//
// The state of a sequence is nine normalised rows a stream, that of position p in slot p mod 9; a class owns three
// slots. A launch reads one state and writes another, because a long sequence's first span reads while its last one
// writes; decode, a token a sequence, may have both in one: there blocks stay with a stream and take sequence after
// sequence, the next one's four rows on the way.
#pragma once

#include "kernels/engram/engram_conv_stream.hpp"

namespace strata {

// A class of a sequence: the tokens start + 3 i for i < count, and where it stands in the state.
struct ConvClass {
    int start, count, first_slot, place;
    STRATA_BODY int token(int i) const { return start + kConvApart * i; }
    STRATA_BODY int slot(int i) const {  // i from -3 on
        return first_slot + (place + kConvApart * (i + kConvBefore)) % kConvSlots;
    }
};

STRATA_HD ConvClass conv_class(const EngramConvTask& task, int sequence, int in_class) {
    const int start = task.starts[sequence], end = task.starts[sequence + 1];
    return {.start = start + in_class,
            .count = (end - start - in_class + kConvApart - 1) / kConvApart,
            .first_slot = sequence * kConvSlots,
            .place = task.first_position[sequence] % kConvSlots + in_class};
}

template <int packs_held, class Thread>
STRATA_BODY void engram_conv(Thread& t, const EngramConvTask& task) {
    using Stream = ConvStream<packs_held, Thread>;
    constexpr int kRows = Stream::kRows, kStages = Stream::kStages;
    const auto [which, span, spans] =
        conv_span(t.block(), t.blocks(), long(task.sequences) * task.streams * kConvApart);
    const int in_class = which / task.streams % kConvApart, sequence = which / task.streams / kConvApart;
    const int start = task.starts[sequence], end = task.starts[sequence + 1];
    const int position = task.first_position[sequence];
    if (start < 0 || end < start || end > task.tokens || long(end) - start > task.most_tokens || position < 0) {
        if (t.thread() == 0) t.atomic_max(task.error, 1);
        return;
    }
    const ConvClass all = conv_class(task, sequence, in_class);
    const int length = int(ceil_div(ceil_div(task.most_tokens, kConvApart), spans));
    const int first = span * length, last = all.count - first > length ? first + length : all.count;
    if (span > 0 && first >= all.count) return;

    // The last three rows of a class stay in the state, normalised: those of the span that has its end.
    const int keep_from = last == all.count ? last - kConvBefore : last;

    Stream of(t, task, Stream::kPlaces, which % task.streams);
    ConvSums sums[packs_held][2] = {};
    const int begin = span > 0 ? first - kConvWarm : first;
    // This thread's part of the class's row i, by one multiply-add each.
    const auto* values_first = reinterpret_cast<const char*>(task.values + of.own_part(all.token(0)));
    auto* out_first = reinterpret_cast<char*>(task.out + of.own_part(all.token(0)));
    const int apart = kConvApart * task.streams * task.hidden * int(sizeof(Bf16));
    const auto values_at = [&](int i) { return reinterpret_cast<const Bf16*>(values_first + long(i) * apart); };
    const auto out_at = [&](int i) { return reinterpret_cast<Bf16*>(out_first + long(i) * apart); };
    // Rows beyond the last are whatever their place holds, and go nowhere.
    const auto ask = [&](int from, int stage) {
        STRATA_UNROLL
        for (int r = 0; r < kRows; ++r)
            if (from + r < last) of.ask_for_row(values_at(from + r), stage, r);
        of.copies.close_group();
    };
    STRATA_ROLLED
    for (int stage = 0; stage < kStages; ++stage) ask(begin + stage * kRows, stage);
    of.load_factors();
    // Rows before the sequence's first, from the state: the first nine positions have nothing before them. What stays
    // of them is written again.
    if (span == 0) {
        STRATA_ROLLED
        for (int before = -kConvBefore; before < 0; ++before) {
            const bool is_there = position + in_class + kConvApart * before >= 0;
            STRATA_UNROLL
            for (int i = 0; i < packs_held; ++i) {
                t.sync_warp();  // so that factors are not all held from here on
                const Bf16Pairs row = is_there ? of.load(task.state, all.slot(before), i) : Bf16Pairs{};
                STRATA_UNROLL
                for (int half = 0; half < 2; ++half) recall(sums[i][half], of.factors(i, half), row.at + half * 2);
                if (before >= all.count - kConvBefore) of.store(task.next_state, all.slot(before), i, row);
            }
        }
    }
    // To the block, this thread's squares of a step's rows.
    const auto give_squares = [&](int stage) {
        float squares[kRows];
        STRATA_UNROLL
        for (int r = 0; r < kRows; ++r) {
            Bf16Pairs row[packs_held];
            of.take_row(stage, r, row);
            squares[r] = of.squares_of(row);
        }
        of.template give_squares<kRows>(squares);
    };
    if (begin >= last) return;
    float rstd[kRows];
    of.copies.template wait_for_all_but<kStages - 1>();
    give_squares(0);
    of.template take_rstd<kRows>(rstd);
    int stage = 0;
    STRATA_ROLLED
    for (int at = begin; at < last; at += kRows) {
        const int next = stage < kStages - 1 ? stage + 1 : 0;
        const bool is_last = at + kRows >= last;
        of.copies.template wait_for_all_but<kStages - 2>();
        if (!is_last) give_squares(next);

        constexpr int kTogether = kRows > 1 ? kRows / 2 : 1;  // that registers hold beside sums and factors
        STRATA_UNROLL
        for (int group = 0; group < kRows; group += kTogether) {
            ConvRows<packs_held, kTogether> values;
            STRATA_UNROLL
            for (int r = 0; r < kTogether; ++r) of.take_row(stage, group + r, values.at[r]);
            STRATA_UNROLL
            for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const auto factors = of.factors(i, half);
                STRATA_UNROLL
                for (int r = 0; r < kTogether; ++r)
                    convolve(sums[i][half], factors, rstd[group + r], values.at[r][i].at + half * 2);
                if (packs_held > 1) t.sync_warp();  // so that the next factors wait for registers
            }
            STRATA_UNROLL
            for (int r = 0; r < kTogether; ++r) {
                const int row = at + group + r;
                if (row >= first && row < last) of.store_row(out_at(row), values.at[r]);
            }
            t.sync_warp();  // so that the next group's loads stay behind this one's work
        }
        if (at + kRows > keep_from) {  // asked for again, as what the class is takes registers that the loop has not
            const ConvClass again = conv_class(task, sequence, in_class);
            STRATA_UNROLL
            for (int r = 0; r < kRows; ++r) {
                if (at + r < keep_from || at + r >= last) continue;
                Bf16Pairs row[packs_held];
                of.take_row(stage, r, row);
                STRATA_UNROLL
                for (int i = 0; i < packs_held; ++i)
                    of.store(task.next_state, again.slot(at + r), i, of.normalised(row[i], rstd[r], i));
            }
        }
        ask(at + kStages * kRows, stage);
        if (!is_last) of.template take_rstd<kRows>(rstd);
        stage = next;
    }
}

// A token a sequence, or none, and the state in place: one slot changes.
template <int packs_held, class Thread>
STRATA_BODY void engram_conv_decode(Thread& t, const EngramConvTask& task) {
    // As it was read: it is looked at a turn later, so that nobody waits for it.
    struct Step {
        int start = 0, end = 0, position = 0;
    };
    struct Rows {
        ConvRows<packs_held, 1> values;
        ConvRows<packs_held, kConvBefore> before;
    };
    using Stream = ConvStream<packs_held, Thread>;
    Stream of(t, task, Stream::kFactors, t.block() % task.streams);
    of.load_factors();
    const int stride = t.blocks() / task.streams;
    const auto slot = [&](int sequence, int position) { return sequence * kConvSlots + position % kConvSlots; };
    const auto step_of = [&](int sequence) {
        if (sequence >= task.sequences) return Step{};
        return Step{task.starts[sequence], task.starts[sequence + 1], task.first_position[sequence]};
    };
    const auto is_to_do = [&](const Step& step) {
        const bool is_right = step.start >= 0 && step.end >= step.start && step.end <= task.tokens &&
                              long(step.end) - step.start <= 1 && step.position >= 0;
        if (!is_right && t.thread() == 0) t.atomic_max(task.error, 1);
        return is_right && step.end > step.start;
    };
    const auto load = [&](int sequence, const Step& step, bool is_there) {
        Rows rows{};
        if (!is_there) return rows;
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            rows.values.at[0][i] = of.load(task.values, step.start, i);
            STRATA_UNROLL
            for (int k = 0; k < kConvBefore; ++k) {
                const int position = step.position - kConvApart * (kConvBefore - k);
                if (position >= 0) rows.before.at[k][i] = of.load(task.state, slot(sequence, position), i);
            }
        }
        return rows;
    };
    int sequence = t.block() / task.streams;
    Step next_step = step_of(sequence), after = step_of(sequence + stride);
    bool next_is_there = is_to_do(next_step);
    Rows next = load(sequence, next_step, next_is_there);
    for (; sequence < task.sequences; sequence += stride) {
        Rows rows = next;
        const Step step = next_step;
        const bool is_there = next_is_there;
        next_step = after, next_is_there = is_to_do(next_step);
        after = step_of(sequence + 2 * stride);
        next = load(sequence + stride, next_step, next_is_there);
        if (!is_there) continue;
        float rstd = of.squares_of(rows.values.at[0]);
        of.template give_squares<1>(&rstd);
        ConvSums sums[packs_held][2] = {};  // of earlier tokens, while the squares are summed
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
            const auto factors = of.factors(i, half);
            STRATA_UNROLL
            for (int k = 0; k < kConvBefore; ++k) recall(sums[i][half], factors, rows.before.at[k][i].at + half * 2);
        }
        of.template take_rstd<1>(&rstd);
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            const Bf16Pairs own = of.normalised(rows.values.at[0][i], rstd, i);
            of.store(task.next_state, slot(sequence, step.position), i, own);
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half)
                convolve(sums[i][half], of.factors(i, half), rstd, rows.values.at[0][i].at + half * 2);
            of.store(task.out, step.start, i, rows.values.at[0][i]);
        }
    }
}

}  // namespace strata
