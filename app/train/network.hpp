// A small language model over bytes: embedding, layers of attention and experts between residual streams, Engram before
// its layer, a head.
#pragma once

#include <memory>
#include <optional>

#include "app/train/experts.hpp"
#include "app/train/shape.hpp"
#include "app/train/streams.hpp"
#include "app/train/table.hpp"

namespace strata {

class Network {
public:
    Network(const NetworkShape& shape, std::uint64_t seed);

    // Of [sequences, length + 1] bytes: the loss of each but the first, in nats, [sequences, length].
    at::Tensor losses(const at::Tensor& bytes);

    void balance(double rate);  // the experts of all layers, by the last batch
    double worst_load() const;  // over layers: the fullest expert against the mean, of the last batch
    const std::vector<Parameter>& parameters() const { return parameters_; }

private:
    struct Layer {
        at::Tensor attention_in, attention_out;
        Experts experts;
        StreamMixer around_attention, around_experts;
        std::optional<EngramTable> table;
    };
    Layer layer_of(int index) const;
    at::Tensor attention(const Layer& layer, const at::Tensor& x, std::int64_t sequences) const;

    NetworkShape shape_;
    at::Tensor embedding_, head_;
    at::Tensor cos_, sin_, future_;  // rotary positions; what attention must not see
    std::vector<Layer> layers_;
    std::vector<Parameter> parameters_;
};

}  // namespace strata
