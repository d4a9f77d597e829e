// Engram's short convolution for prompts and for decode at the hidden sizes of v4.1-flash (which has none; it is what
// the paper's form would cost there) and of the paper's models, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/engram_conv_launch.hpp"
#include "kernels/engram/engram_conv_reference.hpp"
#include "kernels/engram/engram_short_conv.hpp"

namespace strata {

namespace {

std::vector<std::int32_t> even_starts(std::int64_t tokens, std::int64_t sequences) {
    std::vector<std::int32_t> starts;
    for (std::int64_t i = 0; i <= sequences; ++i) starts.push_back(std::int32_t(tokens * i / sequences));
    return starts;
}

struct Operands {
    Operands(const Shape& shape, bool of_decode, std::uint64_t of_seed)
        : decode(of_decode),
          row(std::size_t(shape["streams"] * shape["hidden"])),
          starts_on_host(even_starts(shape["tokens"], shape["sequences"])),
          values(random_normal<Bf16>(std::size_t(shape["tokens"]) * row, of_seed)),
          weight(random_normal<Bf16>(row, of_seed + 1, 0.2f, 1)),
          taps(random_normal<Bf16>(4 * row, of_seed + 2, 0.5f)),
          starts(starts_on_host),
          first_position(std::vector<std::int32_t>(std::size_t(shape["sequences"]), decode ? 1000 : 0)),
          state(std::size_t(shape["sequences"]) * kConvSlots * row),
          next_state(decode ? 0 : state.size()),
          out(values.size()),
          error(std::vector<int>{0}),
          seed(of_seed) {
        renew();
        task = {.values = values.data(),
                .weight = weight.data(),
                .taps = taps.data(),
                .starts = starts.data(),
                .first_position = first_position.data(),
                .state = state.data(),
                .next_state = decode ? state.data() : next_state.data(),
                .out = out.data(),
                .error = error.data(),
                .tokens = shape["tokens"],
                .sequences = int(shape["sequences"]),
                .hidden = int(shape["hidden"]),
                .streams = int(shape["streams"])};
        for (std::size_t i = 0; i + 1 < starts_on_host.size(); ++i)
            task.most_tokens = std::max(task.most_tokens, long(starts_on_host[i + 1] - starts_on_host[i]));
    }
    void renew() {
        fill_normal(state.data(), state.size(), seed + 3, 1, 0);
        out.poison(), next_state.poison();
    }
    bool decode;
    std::size_t row;
    std::vector<std::int32_t> starts_on_host;
    Buffer<Bf16> values, weight, taps;
    Buffer<std::int32_t> starts, first_position;
    Buffer<Bf16> state, next_state, out;
    Buffer<int> error;
    std::uint64_t seed;
    EngramConvTask task;
};

std::vector<double> row_of(const Buffer<Bf16>& buffer, std::size_t first, std::size_t count) {
    std::vector<double> values;
    for (const Bf16 x : buffer.read(first, count)) values.push_back(to_float(x));
    return values;
}

// One stream of some tokens. The rows nine tokens back are enough for one: with zeros for those before the start in a
// prompt, and those of the state in decode, as if it had begun there.
Verdict verify(const Operands& of) {
    const EngramConvTask& task = of.task;
    const auto hidden = std::size_t(task.hidden);
    const Buffer<Bf16> old_state = random_normal<Bf16>(of.state.size(), of.seed + 3);
    std::vector<double> is, should, states, states_should;
    for (const std::int64_t token : rows_to_compare(task.tokens, 48, 1)) {
        const auto stream = std::size_t(token) % std::size_t(task.streams);
        std::size_t sequence = 0;
        while (of.starts_on_host[sequence + 1] <= token) ++sequence;
        const auto weight = row_of(of.weight, stream * hidden, hidden);
        const std::int64_t position = token - of.starts_on_host[sequence] + (of.decode ? 1000 : 0);
        const auto at = [&](std::int64_t of_token) { return std::size_t(of_token) * of.row + stream * hidden; };
        const auto slot = [&](std::int64_t of_position) {
            return (sequence * kConvSlots + std::size_t(of_position % kConvSlots)) * of.row + stream * hidden;
        };
        const auto normalised = [&](std::int64_t back) -> std::vector<double> {
            if (token - back >= of.starts_on_host[sequence])
                return reference::engram_normalised({row_of(of.values, at(token - back), hidden)}, weight, task.eps)[0];
            return of.decode ? row_of(old_state, slot(position - back), hidden) : std::vector<double>(hidden);
        };
        std::vector<double> y(hidden);
        for (std::size_t k = 0; k < 4; ++k) {
            const auto tap = row_of(of.taps, k * of.row + stream * hidden, hidden);
            const auto n = normalised(std::int64_t(3 * (3 - k)));
            for (std::size_t i = 0; i < hidden; ++i) y[i] += tap[i] * n[i];
        }
        const auto v = row_of(of.values, at(token), hidden), out = row_of(of.out, at(token), hidden);
        is.insert(is.end(), out.begin(), out.end());
        for (std::size_t i = 0; i < hidden; ++i) should.push_back(v[i] + y[i] / (1 + std::exp(-y[i])));
        if (token + kConvSlots < of.starts_on_host[sequence + 1]) continue;  // the last nine stay in the state
        const auto stored = row_of(of.decode ? of.state : of.next_state, slot(position), hidden);
        const auto own = normalised(0);
        states.insert(states.end(), stored.begin(), stored.end());
        states_should.insert(states_should.end(), own.begin(), own.end());
    }
    // A normalised value beside a tie may be rounded either way: 2^-7 of itself, in both.
    return all_of({same_bits(of.error.read(), {0}), close_to(states, states_should, 1e-6, 0x1p-7),
                   close_to(is, should, 0.03, 0x1p-7), alike(is, should, 1e-5)});
}

EngramShortConv op_of(const Shape& shape, bool decode) {
    return {.tokens = double(shape["tokens"]),
            .hidden = double(shape["hidden"]),
            .streams = double(shape["streams"]),
            .decode = decode};
}

Prepared prepare(const Shape& shape, bool decode, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, decode, seed + 4 * std::uint64_t(set));
    return {
        .work = op_of(shape, decode).work(),
        .launch = [operands](int set, cudaStream_t stream) { engram_conv((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().renew(); },
        .verify = [operands] { return verify(operands->front()); }};
}

Kernel kernel(const std::string& name, const std::string& what, bool decode) {
    return {.name = name,
            .what = what,
            .source = "kernels/engram/engram_conv.cu",
            .goal = {.share = 0.93, .text = "facts A8: 4.0 TB/s of 4.3 on an H200"},
            .prepare = [decode](const Shape& shape, int sets,
                                std::uint64_t seed) { return prepare(shape, decode, sets, seed); },
            .set_bytes = [decode](const Shape& shape) { return op_of(shape, decode).work().bytes(); }};
}

}  // namespace

std::vector<Kernel> engram_conv_kernels() {
    Kernel prompt = kernel("engram/conv", "short causal convolution with norm and SiLU, prompts", false);
    prompt.shapes = {{{{"tokens", 8192}, {"sequences", 4}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"},
                     {{{"tokens", 8192}, {"sequences", 4}, {"hidden", 2560}, {"streams", 4}}, "engram-27b"}};
    prompt.check_shapes = {{{"tokens", 0}, {"sequences", 1}, {"hidden", 8}, {"streams", 1}},
                           {{"tokens", 1}, {"sequences", 1}, {"hidden", 8}, {"streams", 1}},
                           {{"tokens", 700}, {"sequences", 3}, {"hidden", 2568}, {"streams", 2}},
                           {{"tokens", 11}, {"sequences", 2}, {"hidden", 7680}, {"streams", 1}}};
    Kernel decode =
        kernel("engram/conv-decode", "short causal convolution with norm and SiLU, a token a sequence", true);
    decode.shapes = {{{{"tokens", 512}, {"sequences", 512}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"},
                     {{{"tokens", 128}, {"sequences", 128}, {"hidden", 5120}, {"streams", 4}}, "v4.1-flash"}};
    decode.check_shapes = {{{"tokens", 1}, {"sequences", 1}, {"hidden", 8}, {"streams", 1}},
                           {{"tokens", 5}, {"sequences", 5}, {"hidden", 2568}, {"streams", 3}}};
    return {prompt, decode};
}

}  // namespace strata
