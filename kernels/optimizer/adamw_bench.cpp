// AdamW at the matrices that models have, against the copy of this run. The operands are updated in place: before each
// check they are made anew, from the same seed.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/optimizer/adamw.hpp"
#include "kernels/optimizer/adamw_launch.hpp"
#include "kernels/optimizer/adamw_reference.hpp"
#include "kernels/optimizer/bench_parts.hpp"

namespace strata {

namespace {

constexpr float kRate = 2e-4f;
constexpr long kStep = 100;

// What a step starts from, all tensors one after the other, each at a multiple of eight elements.
template <class State>
struct Before {
    Before(std::size_t count, std::uint64_t of_seed)
        : gradient(count), weight(count), master(count), m(count), v(count), seed(of_seed) {
        fill();
    }
    void fill() {
        fill_normal(gradient.data(), gradient.size(), seed, 1e-2f, 0);
        fill_normal(weight.data(), weight.size(), seed + 1, 1, 0);
        fill_normal(master.data(), master.size(), seed + 2, 1, 0);
        fill_normal(m.data(), m.size(), seed + 3, 1e-2f, 0);
        fill_normal(v.data(), v.size(), seed + 4, 1e-5f, 1e-4f);  // far enough from 0 to stay positive
    }
    Buffer<Bf16> gradient, weight;
    Buffer<float> master;
    Buffer<State> m, v;
    std::uint64_t seed;
};

template <class State, bool has_master>
struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : tensors(shape["tensors"]),
          count(shape["count"]),
          padded((count + 7) / 8 * 8),
          state(std::size_t(tensors * padded), seed),
          scale(std::vector<float>{0.5f}),
          chunks(chunk_table()),
          views(tensor_views()) {
        task = {.tensors = views.data(),
                .chunks = chunks.data(),
                .gradient_scale = scale.data(),
                .tensor_count = std::int32_t(tensors),
                .chunk_count = long(chunks.size()),
                .rate = kRate,
                .step = kStep,
                .seed = seed};
    }
    std::vector<AdamWTensor<State>> tensor_views() const {
        std::vector<AdamWTensor<State>> all;
        for (long i = 0; i < tensors; ++i)
            all.push_back({state.weight.data() + i * padded, has_master ? state.master.data() + i * padded : nullptr,
                           state.m.data() + i * padded, state.v.data() + i * padded, state.gradient.data() + i * padded,
                           count});
        return all;
    }
    std::vector<AdamWChunk> chunk_table() const { return adamw_chunks<has_master>(tensor_views()); }

    void renew() {
        state.fill();
        if (has_master) state.weight.poison();
    }

    long tensors, count, padded;
    Before<State> state;
    Buffer<float> scale;
    Buffer<AdamWChunk> chunks;
    Buffer<AdamWTensor<State>> views;
    AdamWTask<State, has_master> task;
};

// Moments and weights in BF16 may be rounded either way: a step of BF16 is 2^-7 at most, and
// FP32's own error comes to it.
template <class State, bool has_master>
Verdict verify(const Operands<State, has_master>& is) {
    const Before<State> was(is.state.m.size(), is.state.seed);
    const reference::AdamWParameters as{.rate = kRate,
                                        .beta1 = is.task.beta1,
                                        .beta2 = is.task.beta2,
                                        .eps = is.task.eps,
                                        .decay = is.task.decay,
                                        .gradient_scale = 0.5,
                                        .step = kStep};
    std::vector<double> weights, weights_should, parameters, m, m_should, v, v_should;
    const long sample = std::min(is.count, 4096l);
    for (const std::int64_t tensor : rows_to_compare(is.tensors, 16, 1))
        for (const long first : {0l, (is.count - sample) / 2, is.count - sample}) {
            const auto at = std::size_t(tensor * is.padded + first), n = std::size_t(sample);
            const auto gradient = was.gradient.read(at, n), weight = was.weight.read(at, n);
            const auto master = was.master.read(at, n), new_master = is.state.master.read(at, n);
            const auto old_m = was.m.read(at, n), old_v = was.v.read(at, n);
            const auto new_m = is.state.m.read(at, n), new_v = is.state.v.read(at, n);
            const auto new_weight = is.state.weight.read(at, n);
            for (std::size_t i = 0; i < n; ++i) {
                const double old = has_master ? double(master[i]) : double(to_float(weight[i]));
                const auto should =
                    reference::adamw({old, to_float(old_m[i]), to_float(old_v[i])}, to_float(gradient[i]), as);
                weights.push_back(has_master ? double(new_master[i]) : double(to_float(new_weight[i])));
                weights_should.push_back(should.weight);
                parameters.push_back(to_float(new_weight[i]));
                m.push_back(to_float(new_m[i])), m_should.push_back(should.m);
                v.push_back(to_float(new_v[i])), v_should.push_back(should.v);
            }
        }
    constexpr double kStepOfBf16 = 0x1.01p-7;
    const double of_state = sizeof(State) == 4 ? 1e-6 : kStepOfBf16, of_weight = has_master ? 1e-6 : kStepOfBf16;
    return all_of({close_to(m, m_should, 1e-8, of_state), close_to(v, v_should, 1e-10, of_state),
                   close_to(parameters, weights_should, 1e-7, kStepOfBf16),
                   close_to(weights, weights_should, 1e-8, of_weight)});
}

template <class State, bool has_master>
AdamW op_of(const Shape& shape) {
    return {
        .parameters = double(shape["tensors"] * shape["count"]), .state_bytes = sizeof(State), .master = has_master};
}

template <class State, bool has_master>
Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    using Set = Operands<State, has_master>;
    auto operands = std::make_shared<std::vector<Set>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 16 * std::uint64_t(set));
    const auto tensor_by_tensor = [operands](int set, cudaStream_t stream) {
        const Set& all = (*operands)[std::size_t(set)];
        const long chunks = ceil_div(all.count, kAdamWChunk);
        for (long tensor = 0; tensor < all.tensors; ++tensor) {
            auto one = all.task;
            one.chunks += tensor * chunks, one.chunk_count = chunks;
            adamw(one, stream);
        }
    };
    return {.work = op_of<State, has_master>(shape).work(),
            .launch = [operands](int set, cudaStream_t stream) { adamw((*operands)[std::size_t(set)].task, stream); },
            .poison = [operands] { operands->front().renew(); },
            .verify = [operands] { return verify(operands->front()); },
            .baselines = {{"a launch a tensor", tensor_by_tensor}}};
}

template <class State, bool has_master>
Kernel kernel(const std::string& name, const std::string& what) {
    return {.name = name,
            .what = what,
            .source = "kernels/optimizer/adamw.cu",
            .goal = {.share = 0.93, .text = "facts A16: 4.0 TB/s of 4.3 on an H200"},
            .shapes = {{{{"tensors", 8}, {"count", 7168 * 2048}}, "v3 v3.2"},
                       {{{"tensors", 16}, {"count", 4096 * 2048}}, "v4-flash"},
                       {{{"tensors", 8}, {"count", 7168 * 3072}}, "v4-pro"},
                       {{{"tensors", 12}, {"count", 5120 * 2304}}, "v4.1-flash"},
                       {{{"tensors", 245}, {"count", 7168}}, "v3 v3.2 v4-pro"}},  // norms: many small ones
            .check_shapes = {{{"tensors", 0}, {"count", 8}},
                             {{"tensors", 1}, {"count", 1}},
                             {{"tensors", 3}, {"count", 8191}},
                             {{"tensors", 2}, {"count", 8193}}},
            .prepare = prepare<State, has_master>,
            .set_bytes = [](const Shape& shape) { return op_of<State, has_master>(shape).work().bytes(); }};
}

}  // namespace

std::vector<Kernel> adamw_kernels() {
    return {
        kernel<float, true>("optimizer/adamw", "AdamW, FP32 master and moments, BF16 parameters and gradients"),
        kernel<Bf16, true>("optimizer/adamw-bf16-moments", "AdamW, FP32 master, BF16 moments with rounding by chance"),
        kernel<Bf16, false>("optimizer/adamw-bf16",
                            "AdamW, BF16 parameters and moments with rounding by chance, no master")};
}

}  // namespace strata
