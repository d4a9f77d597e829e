#include "app/train/optimiser.hpp"

#include <cmath>

namespace strata {

namespace {

constexpr double kDecay = 0.1, kTableRate = 5;          // arXiv 2601.07372, table 5
constexpr double kMeanBeta = 0.9, kSquareBeta = 0.95;   // arXiv 2412.19437, section 4.2
constexpr double kMomentum = 0.95, kUpdateSize = 0.18;  // arXiv 2606.19348, section 2.4
constexpr int kNewtonSchulzSteps = 5;                   // as Muon was published first; V4 takes 10
constexpr double kMostNorm = 1;                         // gradients are clipped to it, all together

void clip(const std::vector<Parameter>& parameters) {
    at::Tensor square = at::zeros({});
    for (const Parameter& one : parameters)
        if (one.value.grad().defined()) square += one.value.grad().square().sum();
    const double norm = std::sqrt(square.item<double>());
    if (norm <= kMostNorm) return;
    for (const Parameter& one : parameters)
        if (one.value.grad().defined()) one.value.grad().mul_(kMostNorm / norm);
}

}  // namespace

at::Tensor orthogonalised(const at::Tensor& matrices, int steps) {
    const bool tall = matrices.size(-2) > matrices.size(-1);
    at::Tensor x = tall ? matrices.transpose(-2, -1) : matrices;
    x = x / (x.square().sum({-2, -1}, true).sqrt() + 1e-7);
    for (int i = 0; i < steps; ++i) {
        const at::Tensor a = at::matmul(x, x.transpose(-2, -1));
        const at::Tensor b = -4.7750 * a + 2.0315 * at::matmul(a, a);
        x = 3.4445 * x + at::matmul(b, x);
    }
    return tall ? x.transpose(-2, -1) : x;
}

WeightOptimiser::WeightOptimiser(OptimiserKind kind, const std::vector<Parameter>& parameters) {
    for (const Parameter& one : parameters) {
        State state{.parameter = one, .mean = at::zeros_like(one.value), .square = {}, .orthogonal = false};
        state.orthogonal = kind == OptimiserKind::muon && one.kind == ParameterKind::matrix;
        if (!state.orthogonal) state.square = at::zeros_like(one.value);
        states_.push_back(state);
    }
}

void WeightOptimiser::step(double rate) {
    const at::NoGradGuard no_gradients;
    std::vector<Parameter> all;
    for (const State& state : states_) all.push_back(state.parameter);
    clip(all);
    ++steps_;
    for (State& state : states_) {
        if (!state.parameter.value.grad().defined()) continue;
        state.orthogonal ? muon(state, rate) : adamw(state, rate);
        state.parameter.value.mutable_grad().reset();
    }
}

void WeightOptimiser::adamw(State& state, double rate) {
    at::Tensor& value = state.parameter.value;
    const at::Tensor& gradient = value.grad();
    const ParameterKind kind = state.parameter.kind;
    if (kind == ParameterKind::table) rate *= kTableRate;
    if (kind == ParameterKind::matrix || kind == ParameterKind::embedding) value.mul_(1 - rate * kDecay);
    state.mean.lerp_(gradient, 1 - kMeanBeta);
    state.square.mul_(kSquareBeta).addcmul_(gradient, gradient, 1 - kSquareBeta);
    const double mean_seen = 1 - std::pow(kMeanBeta, steps_), square_seen = 1 - std::pow(kSquareBeta, steps_);
    value.addcdiv_(state.mean, (state.square / square_seen).sqrt_().add_(1e-8), -rate / mean_seen);
}

void WeightOptimiser::muon(State& state, double rate) {
    at::Tensor& value = state.parameter.value;
    state.mean.mul_(kMomentum).add_(value.grad());
    const at::Tensor update = orthogonalised(value.grad() + kMomentum * state.mean, kNewtonSchulzSteps);
    const double size = kUpdateSize * std::sqrt(std::max(value.size(-2), value.size(-1)));
    value.mul_(1 - rate * kDecay).sub_(update, rate * size);
}

}  // namespace strata
