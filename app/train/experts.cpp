#include "app/train/experts.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace strata {

namespace {

at::Tensor swiglu(const at::Tensor& gate_and_up) {
    const auto halves = gate_and_up.chunk(2, -1);
    return at::silu(halves[0]) * halves[1];
}

// Which experts a token goes to, and where each of these (token, expert) pairs stands in the experts' queues. All
// queues are as long as the longest; a place that nobody takes points to token 0.
struct Queues {
    at::Tensor chosen;              // [tokens, top_k]: experts
    at::Tensor loads;               // [experts]
    at::Tensor place;               // [tokens x top_k]: of each pair, in [experts x longest]
    at::Tensor token, pair, taken;  // of each place; taken: 1 or 0
};

Queues queues_of(const at::Tensor& scores, int top_k) {
    const std::int64_t tokens = scores.size(0), experts = scores.size(1);
    Queues queues{.chosen = at::empty({tokens, top_k}, at::kLong),
                  .loads = at::zeros({experts}, at::kLong),
                  .place = at::empty({tokens * top_k}, at::kLong),
                  .token = {},
                  .pair = {},
                  .taken = {}};
    std::int64_t *chosen = queues.chosen.data_ptr<std::int64_t>(), *loads = queues.loads.data_ptr<std::int64_t>(),
                 *place = queues.place.data_ptr<std::int64_t>();
    std::vector<std::int64_t> by_score(static_cast<std::size_t>(experts));
    for (std::int64_t token = 0; token < tokens; ++token) {
        const float* of = scores.data_ptr<float>() + token * experts;
        std::iota(by_score.begin(), by_score.end(), 0);
        std::partial_sort(by_score.begin(), by_score.begin() + top_k, by_score.end(),
                          [of](std::int64_t a, std::int64_t b) { return of[a] > of[b] || (of[a] == of[b] && a < b); });
        for (int k = 0; k < top_k; ++k) {
            const std::int64_t expert = by_score[static_cast<std::size_t>(k)], pair = token * top_k + k;
            chosen[pair] = expert;
            place[pair] = loads[expert]++;
        }
    }
    const std::int64_t longest = *std::max_element(loads, loads + experts);
    for (std::int64_t pair = 0; pair < tokens * top_k; ++pair) place[pair] += chosen[pair] * longest;
    const at::Tensor pairs = at::arange(tokens * top_k, at::kLong);
    queues.pair = at::zeros({experts * longest}, at::kLong).index_put_({queues.place}, pairs);
    queues.token = queues.pair.div(top_k, "floor");
    queues.taken = at::zeros({experts * longest, 1}).index_put_({queues.place}, at::ones({1}));
    return queues;
}

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

// Copies of tokens into queues and answers out of them: every gradient is a copy of rows too, while libtorch's own
// would add row by row.
struct IntoQueues : torch::autograd::Function<IntoQueues> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& token,
                              const at::Tensor& place) {
        context->save_for_backward({place});
        context->saved_data["tokens"] = x.size(0);
        return x.index_select(0, token);
    }
    static Tensors backward(AutogradContext* context, const Tensors& gradients) {
        const at::Tensor of_pairs = gradients[0].index_select(0, context->get_saved_variables()[0]);
        const std::int64_t tokens = context->saved_data["tokens"].toInt();
        return {of_pairs.view({tokens, -1, of_pairs.size(1)}).sum(1), {}, {}};
    }
};

struct OutOfQueues : torch::autograd::Function<OutOfQueues> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& answers, const at::Tensor& place,
                              const at::Tensor& pair, const at::Tensor& taken) {
        context->save_for_backward({pair, taken});
        return answers.index_select(0, place);
    }
    static Tensors backward(AutogradContext* context, const Tensors& gradients) {
        const Tensors saved = context->get_saved_variables();
        return {gradients[0].index_select(0, saved[0]) * saved[1], {}, {}, {}};
    }
};

}  // namespace

Experts::Experts(const ExpertsShape& shape) : shape_(shape) {
    const double in = 1 / std::sqrt(shape.hidden);
    router_ = drawn({shape.hidden, shape.experts}, in);
    bias_ = at::zeros({shape.experts});
    in_ = drawn({shape.experts, shape.hidden, 2 * shape.width}, in);
    out_ = drawn({shape.experts, shape.width, shape.hidden}, shape.out_deviation);
    shared_in_ = drawn({shape.hidden, 2 * shape.shared_width}, in);
    shared_out_ = drawn({shape.shared_width, shape.hidden}, shape.out_deviation);
    loads_ = at::zeros({shape.experts}, at::kLong);
}

// Tokens are laid out by expert, each expert's padded to the longest queue, so that all experts are one batched
// product.
at::Tensor Experts::forward(const at::Tensor& x) {
    const at::Tensor scores = at::sigmoid(at::mm(x, router_));
    const Queues queues = queues_of((scores + bias_).detach(), shape_.top_k);
    loads_ = queues.loads;
    const at::Tensor of_chosen = scores.gather(1, queues.chosen);
    const at::Tensor weights = of_chosen / (of_chosen.sum(-1, true) + 1e-9);
    const at::Tensor asked = IntoQueues::apply(x, queues.token, queues.place).view({shape_.experts, -1, shape_.hidden});
    const at::Tensor answers = at::bmm(swiglu(at::bmm(asked, in_)), out_).view({-1, shape_.hidden});
    const at::Tensor back = OutOfQueues::apply(answers, queues.place, queues.pair, queues.taken);
    const at::Tensor routed = at::bmm(weights.unsqueeze(1), back.view({-1, shape_.top_k, shape_.hidden})).squeeze(1);
    return at::mm(swiglu(at::mm(x, shared_in_)), shared_out_) + routed;
}

void Experts::balance(double rate) {
    const at::Tensor loads = loads_.to(at::kFloat);
    bias_ += rate * at::sign(loads.mean() - loads);
}

void Experts::list(const std::string& prefix, std::vector<Parameter>& parameters) const {
    parameters.push_back({prefix + ".router", router_, ParameterKind::embedding});
    parameters.push_back({prefix + ".in", in_, ParameterKind::matrix});
    parameters.push_back({prefix + ".out", out_, ParameterKind::matrix});
    parameters.push_back({prefix + ".shared_in", shared_in_, ParameterKind::matrix});
    parameters.push_back({prefix + ".shared_out", shared_out_, ParameterKind::matrix});
}

}  // namespace strata
