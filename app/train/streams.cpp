#include "app/train/streams.hpp"

#include <cmath>

namespace strata {

namespace {

constexpr double kFirstScale = 0.01;  // the paper's table of hyper-parameters
constexpr double kOffDiagonal = -8;   // of mHC's first logits: near identity, as sim/quality/residual_gain.cpp has it

// What every stream starts with: the mean of all goes in, the answer goes to each, streams stay apart.
at::Tensor first_biases(ResidualKind kind, int n) {
    const bool bounded = kind == ResidualKind::mhc;
    const double in = bounded ? -std::log(n - 1.0) : 1.0 / n;  // sigmoid of it is 1 / n
    const at::Tensor eye = at::eye(n);
    const at::Tensor between = bounded ? kOffDiagonal * (1 - eye) : eye;
    return at::cat({at::full({n}, in), at::full({n}, bounded ? 0.0 : 1.0), between.flatten()});
}

}  // namespace

at::Tensor sinkhorn_knopp(const at::Tensor& logits, int iterations) {
    at::Tensor matrix = at::exp(logits - logits.amax({-2, -1}, true));
    for (int i = 0; i < iterations; ++i) {
        matrix = matrix / (matrix.sum(-2, true) + 1e-9);
        matrix = matrix / (matrix.sum(-1, true) + 1e-9);
    }
    return matrix;
}

StreamMixer::StreamMixer(ResidualKind kind, int streams, int hidden, int iterations)
    : kind_(kind), streams_(streams), hidden_(hidden), iterations_(iterations) {
    if (kind == ResidualKind::plain) return;
    const int n = streams;
    maps_ = drawn({n * hidden, n * (n + 2)}, 1 / std::sqrt(n * hidden));
    scales_ = trainable(at::full({3}, kFirstScale));
    biases_ = trainable(first_biases(kind, n));
}

StreamMixer::Mix StreamMixer::mix_of(const at::Tensor& streams) const {
    if (kind_ == ResidualKind::plain) return {};
    const std::int64_t n = streams_;
    const at::Tensor maps = at::mm(rms_norm(streams.flatten(1)), maps_);
    const auto part = [&](std::int64_t scale, std::int64_t from, std::int64_t width) {
        return maps.narrow(1, from, width) * scales_[scale] + biases_.narrow(0, from, width);
    };
    const at::Tensor in = part(0, 0, n), out = part(1, n, n), between = part(2, 2 * n, n * n).view({-1, n, n});
    if (kind_ == ResidualKind::hc) return {in, out, between};
    return {at::sigmoid(in), 2 * at::sigmoid(out), sinkhorn_knopp(between, iterations_)};
}

at::Tensor StreamMixer::input(const at::Tensor& streams, const Mix& mix) const {
    if (kind_ == ResidualKind::plain) return streams.squeeze(1);
    return at::bmm(mix.in.unsqueeze(1), streams).squeeze(1);
}

at::Tensor StreamMixer::join(const at::Tensor& streams, const at::Tensor& answer, const Mix& mix) const {
    if (kind_ == ResidualKind::plain) return streams + answer.unsqueeze(1);
    return at::bmm(mix.between, streams) + mix.out.unsqueeze(2) * answer.unsqueeze(1);
}

void StreamMixer::list(const std::string& prefix, std::vector<Parameter>& parameters) const {
    if (kind_ == ResidualKind::plain) return;
    parameters.push_back({prefix + ".maps", maps_, ParameterKind::embedding});
    parameters.push_back({prefix + ".scales", scales_, ParameterKind::vector});
    parameters.push_back({prefix + ".biases", biases_, ParameterKind::vector});
}

}  // namespace strata
