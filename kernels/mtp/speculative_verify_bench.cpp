// Verification at the batches and draft lengths of decoding, cold. For every other sequence the draft model's law is
// the target's own, so that it keeps everything; the others stop early: both ways through the last two launches are
// timed.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/mtp/kernels.hpp"
#include "kernels/mtp/speculative_verify_body.hpp"
#include "kernels/mtp/speculative_verify_launch.hpp"
#include "kernels/mtp/speculative_verify_reference.hpp"

namespace strata {

namespace {

struct Form {
    DraftLaw law = DraftLaw::logits;
    bool greedy = false;
};

template <class T>
struct Operands {
    Operands(const Shape& shape, Form form, std::uint64_t seed)
        : target(
              random_normal<T>(std::size_t(shape["sequences"] * (shape["drafts"] + 1) * shape["vocabulary"]), seed, 2)),
          draft(random_normal<T>(form.greedy || form.law == DraftLaw::certain
                                     ? 0
                                     : std::size_t(shape["sequences"] * shape["drafts"] * shape["vocabulary"]),
                                 seed + 1, 2)),
          tokens_in(random_integers<std::int32_t>(std::size_t(shape["sequences"] * shape["drafts"]), seed + 2,
                                                  shape["vocabulary"])),
          statistics(std::size_t(shape["sequences"] * (2 * shape["drafts"] + 1) * most_pieces(shape))),
          masses(std::size_t(shape["sequences"] * most_pieces(shape))),
          decisions(std::size_t(shape["sequences"])),
          tokens(std::size_t(shape["sequences"] * (shape["drafts"] + 1))),
          emitted(decisions.size()),
          status(decisions.size()) {
        task = {.target_logits = target.data(),
                .draft_law = draft.data(),
                .draft_tokens = tokens_in.data(),
                .statistics = statistics.data(),
                .masses = masses.data(),
                .decisions = decisions.data(),
                .tokens = tokens.data(),
                .emitted = emitted.data(),
                .status = status.data(),
                .sequences = shape["sequences"],
                .vocabulary = shape["vocabulary"],
                .drafts = int(shape["drafts"]),
                .law = form.law,
                .greedy = form.greedy,
                .seed = seed};
        for (long sequence = 0; sequence < task.sequences && draft.size() > 0; sequence += 2)
            check_cuda(cudaMemcpy(draft.data() + sequence * task.drafts * task.vocabulary,
                                  target.data() + sequence * (task.drafts + 1) * task.vocabulary,
                                  std::size_t(task.drafts * task.vocabulary) * sizeof(T), cudaMemcpyDefault),
                       "making a draft model's law");
    }
    static long most_pieces(const Shape& shape) {
        return ceil_div(shape["vocabulary"], long(kVerifyThreads) * kVerifyPacks * Pack<T>::kSize);
    }
    Buffer<T> target, draft;
    Buffer<std::int32_t> tokens_in;
    Buffer<PieceStatistics> statistics;
    Buffer<float> masses;
    Buffer<VerifyDecision> decisions;
    Buffer<std::int32_t> tokens, emitted;
    Buffer<VerifyStatus> status;
    VerifyTask<T> task;
};

// How far u lies outside the part of [0, 1) that belongs to a token, as a share of what float sums leave open: each
// weight is known to some 1e-6 of a q, and the weights sum up to `total`.
double draw_error(const std::vector<double>& weights, int token, double u) {
    double total = 0, below = 0;
    for (const double one : weights) total += one;
    for (int v = 0; v < token; ++v) below += weights[std::size_t(v)];
    const double first = below / total, last = (below + weights[std::size_t(token)]) / total;
    return std::max({first - u, u - last, 0.0}) / (5e-6 / std::min(total, 1.0));
}

// Follows what was emitted and asks at each step whether the definition allows it.
template <class T>
Verdict verify_drawn(const Operands<T>& operands) {
    const VerifyTask<T>& task = operands.task;
    const auto drafts = operands.tokens_in.read(), tokens = operands.tokens.read(), emitted = operands.emitted.read();
    const auto status = operands.status.read();
    Verdict verdict{.pass = true, .metric = "error / allowed", .tolerance = 1};
    for (const std::int64_t sequence : rows_to_compare(task.sequences, 16, 1)) {
        const int kept = emitted[std::size_t(sequence)] - 1;
        const int* out = tokens.data() + sequence * (task.drafts + 1);
        double error = kept >= 0 && kept <= task.drafts && status[std::size_t(sequence)] == VerifyStatus::fine ? 0 : 9;
        for (int i = 0; error == 0 && i <= std::min(kept, task.drafts); ++i) {
            auto weights =
                reference::softmax(row_of(operands.target, sequence * (task.drafts + 1) + i, task.vocabulary), 1);
            if (i < task.drafts) {
                const int draft = drafts[std::size_t(sequence * task.drafts + i)];
                std::vector<double> p(weights.size());
                if (task.law == DraftLaw::certain)
                    p[std::size_t(draft)] = 1;
                else
                    p = reference::softmax(row_of(operands.draft, sequence * task.drafts + i, task.vocabulary), 1);
                const double u =
                    unit_float(random_words(task.seed, std::uint64_t(sequence), task.step, std::uint32_t(i)).at[0]);
                const double odds = u * p[std::size_t(draft)] / weights[std::size_t(draft)];
                if (i < kept ? odds > 1 + 1e-5 || out[i] != draft : odds < 1 - 1e-5) error = 2;
                weights = i < kept ? weights : reference::residual(weights, p);
            }
            const auto words = random_words(task.seed, std::uint64_t(sequence), task.step, kDrawPosition);
            if (i == kept)
                error = out[i] < 0 || out[i] >= task.vocabulary
                            ? 9
                            : draw_error(weights, out[i], unit_double(words.at[0], words.at[1]));
        }
        if (error > verdict.value) verdict.value = error, verdict.detail = "sequence " + std::to_string(sequence);
    }
    verdict.pass = verdict.value <= 1;
    return verdict;
}

template <class T>
Verdict verify_best(const Operands<T>& operands) {
    const VerifyTask<T>& task = operands.task;
    const auto drafts = operands.tokens_in.read(), tokens = operands.tokens.read();
    std::vector<std::int32_t> is, should;
    for (const std::int64_t sequence : rows_to_compare(task.sequences, 16, 1)) {
        std::vector<std::vector<double>> logits;
        for (int i = 0; i <= task.drafts; ++i)
            logits.push_back(row_of(operands.target, sequence * (task.drafts + 1) + i, task.vocabulary));
        auto expected = reference::verify_greedy(
            logits, {drafts.begin() + sequence * task.drafts, drafts.begin() + (sequence + 1) * task.drafts});
        expected.resize(std::size_t(task.drafts + 1), -1);
        should.insert(should.end(), expected.begin(), expected.end());
        for (int i = 0; i <= task.drafts; ++i) is.push_back(tokens[std::size_t(sequence * (task.drafts + 1) + i)]);
    }
    return same_bits(is, should);
}

template <class T>
Work work_of(const Shape& shape, Form form) {
    return SpeculativeVerify{.sequences = double(shape["sequences"]),
                             .drafts = double(shape["drafts"]),
                             .vocabulary = double(shape["vocabulary"]),
                             .element_bytes = sizeof(T),
                             .reads_drafts = form.law != DraftLaw::certain && !form.greedy}
        .work();
}

template <class T>
Prepared prepare(const Shape& shape, Form form, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands<T>>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, form, seed + 3 * std::uint64_t(set));
    return {
        .work = work_of<T>(shape, form),
        .launch = [operands](int set,
                             cudaStream_t stream) { speculative_verify((*operands)[std::size_t(set)].task, stream); },
        .poison =
            [operands] {
                Operands<T>& first = operands->front();
                first.tokens.poison(), first.emitted.poison(), first.status.poison();
            },
        .verify = [operands,
                   form] { return form.greedy ? verify_best(operands->front()) : verify_drawn(operands->front()); }};
}

Shape shape(long sequences, long drafts, long vocabulary = 129280) {
    return {{"sequences", sequences}, {"drafts", drafts}, {"vocabulary", vocabulary}};
}

template <class T>
Kernel kernel(const std::string& name, const std::string& what, Form form) {
    return {
        .name = name,
        .what = what,
        .source = "kernels/mtp/speculative_verify.cu",
        .goal = {.share = 0.81, .text = "facts A11: 3.5 TB/s of 4.3 on an H200"},
        .shapes = {{shape(64, 3), "v3 v3.2 v4-flash v4-pro"},
                   {shape(128, 1), "v3 v3.2 v4-flash v4-pro"},
                   {shape(64, 5), "v4.1-flash"},
                   {shape(1, 1), "v3 v3.2 v4-flash v4-pro"},
                   {shape(1, 5), "v4.1-flash"}},
        .check_shapes = {shape(0, 1), shape(1, 0), shape(3, 2, 1), shape(5, 16, 10007), shape(128, 5, 4096)},
        .prepare = [form](const Shape& of, int sets, std::uint64_t seed) { return prepare<T>(of, form, sets, seed); },
        .set_bytes = [form](const Shape& of) { return work_of<T>(of, form).bytes(); }};
}

}  // namespace

std::vector<Kernel> mtp_kernels() {
    std::vector<Kernel> all{
        kernel<float>("mtp/verify-fp32", "speculative sampling from FP32 logits of target and draft model", {}),
        kernel<Bf16>("mtp/verify-bf16", "speculative sampling from BF16 logits of target and draft model", {}),
        kernel<float>("mtp/verify-certain-fp32", "speculative sampling where drafts were not drawn, FP32 logits",
                      {.law = DraftLaw::certain}),
        kernel<float>("mtp/verify-greedy-fp32", "drafts held against the target's best tokens, FP32 logits",
                      {.greedy = true})};
    for (Kernel& product : mtp_product_kernels()) all.push_back(std::move(product));
    return all;
}

}  // namespace strata
