#include "app/train/training.hpp"

#include <ATen/Parallel.h>

#include <cmath>
#include <ctime>
#include <numbers>

#include "app/train/network.hpp"
#include "app/train/optimiser.hpp"

namespace strata {

namespace {

constexpr std::uint64_t kUnseen = 1ull << 40;  // streams of training text are numbered from 0
constexpr double kBiasRate = 0.005;            // DeepSeek-V3's 0.001 is for runs a hundred times as long
constexpr int kUnseenBatches = 64, kCurvePoints = 50;

struct Batch {
    at::Tensor bytes;  // [sequences, length + 1]
    at::Tensor kinds;  // of the bytes that are asked for [sequences, length]
};

Batch batch_of(const Corpus& corpus, const Budget& budget, std::uint64_t stream) {
    const std::int64_t sequences = budget.sequences, row = budget.length + 1;
    const Text text = corpus.text(stream, static_cast<std::size_t>(sequences * row));
    const std::vector<std::int64_t> bytes(text.bytes.begin(), text.bytes.end());
    std::vector<std::int64_t> kinds;
    for (const ByteKind kind : text.kinds) kinds.push_back(static_cast<std::int64_t>(kind));
    const auto tensor = [&](const std::vector<std::int64_t>& of) {
        return at::tensor(at::ArrayRef<std::int64_t>(of)).view({sequences, row});
    };
    return {tensor(bytes), tensor(kinds).narrow(1, 1, row - 1)};
}

double rate_at(int step, int steps, double highest) {
    const double warm = 0.05 * steps;
    if (step < warm) return highest * (step + 1) / (warm + 1);
    const double done = (step - warm) / (steps - warm);
    return highest * (0.1 + 0.45 * (1 + std::cos(std::numbers::pi * done)));
}

void judge(Network& network, const Corpus& corpus, const Budget& budget, std::uint64_t seed, Trained& trained) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> losses, kinds;
    for (std::uint64_t i = 0; i < kUnseenBatches; ++i) {
        const Batch batch = batch_of(corpus, budget, kUnseen + (seed << 20) + i);
        losses.push_back(network.losses(batch.bytes));
        kinds.push_back(batch.kinds);
    }
    const at::Tensor loss = at::cat(losses).to(at::kDouble), kind = at::cat(kinds);
    const auto of = [&](ByteKind one) {
        return loss.masked_select(kind == static_cast<std::int64_t>(one)).mean().item<double>();
    };
    trained.loss = loss.mean().item<double>();
    trained.fact_loss = of(ByteKind::fact);
    trained.rule_loss = of(ByteKind::rule);
    trained.standard_error = loss.mean(1).std().item<double>() / std::sqrt(loss.size(0));
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

Trained train(const TrainingPoint& point, const Corpus& corpus, const std::function<void(int)>& after_step) {
    at::set_num_threads(1);
    const double begin = cpu_seconds();
    const Budget& budget = point.budget;
    const int steps = budget.steps, of_a_point = std::max(1, steps / kCurvePoints), last_tenth = steps - steps / 10;
    Network network(shape_of(budget, point.rho, point.residual), point.seed);
    WeightOptimiser optimiser(point.optimiser, network.parameters());
    Trained trained;
    double since_point = 0;
    for (int step = 1; step <= steps; ++step) {
        const std::uint64_t stream = (point.seed << 20) + static_cast<std::uint64_t>(step);
        const at::Tensor loss = network.losses(batch_of(corpus, budget, stream).bytes).mean();
        loss.backward();
        optimiser.step(rate_at(step - 1, steps, budget.rate));
        network.balance(kBiasRate);
        since_point += loss.item<double>();
        if (step > last_tenth) trained.worst_load += network.worst_load() / (steps - last_tenth);
        if (step % of_a_point == 0) {
            trained.curve.push_back({step, since_point / of_a_point, network.worst_load()});
            since_point = 0;
        }
        if (after_step) after_step(step);
    }
    judge(network, corpus, budget, point.seed, trained);
    trained.cpu_seconds = cpu_seconds() - begin;
    return trained;
}

}  // namespace strata
