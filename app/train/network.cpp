#include "app/train/network.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/train/corpus.hpp"

namespace strata {

namespace {

constexpr int kSinkhornIterations = 20;  // arXiv 2512.24880: t_max

at::Tensor rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
    const auto halves = x.chunk(2, -1);
    return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

}  // namespace

Network::Network(const NetworkShape& shape, std::uint64_t seed) : shape_(shape) {
    at::manual_seed(seed);
    const Budget& budget = shape.budget;
    embedding_ = drawn({Corpus::kVocabulary, budget.hidden}, 1);
    head_ = drawn({budget.hidden, Corpus::kVocabulary}, 1 / std::sqrt(budget.hidden));
    const int width = budget.hidden / budget.heads;
    const at::Tensor rates = at::pow(10000.0, -at::arange(0, width, 2) / static_cast<double>(width));
    const at::Tensor angles = at::outer(at::arange(budget.length), rates).repeat({1, 2});
    cos_ = angles.cos();
    sin_ = angles.sin();
    future_ = at::full({budget.length, budget.length}, -1e9).triu(1);
    parameters_ = {{"embedding", embedding_, ParameterKind::embedding}, {"head", head_, ParameterKind::embedding}};
    for (int i = 0; i < budget.layers; ++i) {
        layers_.push_back(layer_of(i));
        const Layer& layer = layers_.back();
        const std::string name = fmt::format("layer{}", i);
        parameters_.push_back({name + ".attention_in", layer.attention_in, ParameterKind::matrix});
        parameters_.push_back({name + ".attention_out", layer.attention_out, ParameterKind::matrix});
        layer.experts.list(name + ".experts", parameters_);
        layer.around_attention.list(name + ".around_attention", parameters_);
        layer.around_experts.list(name + ".around_experts", parameters_);
        if (layer.table) layer.table->list(name + ".table", parameters_);
    }
}

Network::Layer Network::layer_of(int index) const {
    const Budget& budget = shape_.budget;
    const int hidden = budget.hidden;
    // What 2 x layers sublayers add up to has the size of one.
    const double out = 1 / std::sqrt(2.0 * budget.layers);
    const auto mixer = [&] { return StreamMixer(shape_.residual, shape_.streams, hidden, kSinkhornIterations); };
    Layer layer{.attention_in = drawn({hidden, 3 * hidden}, 1 / std::sqrt(hidden)),
                .attention_out = drawn({hidden, hidden}, out / std::sqrt(hidden)),
                .experts = Experts({.hidden = hidden,
                                    .experts = shape_.experts,
                                    .top_k = budget.top_k,
                                    .width = budget.expert_width,
                                    .shared_width = shape_.shared_width(index),
                                    .out_deviation = out / std::sqrt(budget.expert_width)}),
                .around_attention = mixer(),
                .around_experts = mixer(),
                .table = {}};
    if (shape_.has_table(index)) layer.table.emplace(shape_.buckets, budget.row_width, hidden, shape_.streams, index);
    return layer;
}

at::Tensor Network::attention(const Layer& layer, const at::Tensor& x, std::int64_t sequences) const {
    const std::int64_t heads = shape_.budget.heads, hidden = shape_.budget.hidden, width = hidden / heads;
    const at::Tensor all =
        at::mm(x, layer.attention_in).view({sequences, -1, 3, heads, width}).permute({2, 0, 3, 1, 4});
    const std::int64_t length = all.size(3);
    const at::Tensor cos = cos_.narrow(0, 0, length), sin = sin_.narrow(0, 0, length);
    const auto flat = [&](const at::Tensor& one) { return one.reshape({sequences * heads, length, width}); };
    const at::Tensor query = flat(rotated(all[0], cos, sin)), key = flat(rotated(all[1], cos, sin));
    const at::Tensor future = future_.narrow(0, 0, length).narrow(1, 0, length);
    const at::Tensor weights =
        at::softmax(at::baddbmm(future, query, key.transpose(1, 2), 1, 1 / std::sqrt(width)), -1);
    const at::Tensor read = at::bmm(weights, flat(all[2])).view({sequences, heads, length, width}).transpose(1, 2);
    return at::mm(read.reshape({-1, hidden}), layer.attention_out);
}

at::Tensor Network::losses(const at::Tensor& bytes) {
    const std::int64_t sequences = bytes.size(0), length = bytes.size(1) - 1;
    const at::Tensor seen = bytes.narrow(1, 0, length), asked = bytes.narrow(1, 1, length);
    at::Tensor streams =
        embedding_.index_select(0, seen.reshape({-1})).unsqueeze(1).expand({-1, shape_.streams, -1}).contiguous();
    for (Layer& layer : layers_) {
        if (layer.table) streams = streams + layer.table->read(streams, layer.table->rows_of(seen));
        StreamMixer::Mix mix = layer.around_attention.mix_of(streams);
        const at::Tensor to_attention = rms_norm(layer.around_attention.input(streams, mix));
        streams = layer.around_attention.join(streams, attention(layer, to_attention, sequences), mix);
        mix = layer.around_experts.mix_of(streams);
        const at::Tensor to_experts = rms_norm(layer.around_experts.input(streams, mix));
        streams = layer.around_experts.join(streams, layer.experts.forward(to_experts), mix);
    }
    const at::Tensor logits = at::mm(rms_norm(streams.mean(1)), head_);
    return at::cross_entropy_loss(logits, asked.reshape({-1}), {}, at::Reduction::None).view({sequences, length});
}

void Network::balance(double rate) {
    for (Layer& layer : layers_) layer.experts.balance(rate);
}

double Network::worst_load() const {
    double worst = 0;
    for (const Layer& layer : layers_) {
        const at::Tensor loads = layer.experts.loads().to(at::kDouble);
        worst = std::max(worst, (loads.max() / loads.mean()).item<double>());
    }
    return worst;
}

}  // namespace strata
