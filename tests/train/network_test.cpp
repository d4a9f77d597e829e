// The small models themselves. One source: libtorch's headers take long to compile.
#include "app/train/network.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "app/train/optimiser.hpp"
#include "app/train/training.hpp"

namespace strata {
namespace {

constexpr ExpertsShape kExperts{
    .hidden = 8, .experts = 6, .top_k = 2, .width = 4, .shared_width = 4, .out_deviation = 0.5};

at::Tensor parameter(const Experts& experts, const std::string& name) {
    std::vector<Parameter> all;
    experts.list("e", all);
    for (const Parameter& one : all)
        if (one.name == "e." + name) return one.value;
    throw std::logic_error("no parameter " + name);
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

at::Tensor swiglu_product(const at::Tensor& x, const at::Tensor& in, const at::Tensor& out) {
    const auto halves = at::mm(x, in).chunk(2, -1);
    return at::mm(at::silu(halves[0]) * halves[1], out);
}

// The definition: for each token all experts, weighed by their score where it is among the two best, else by 0.
at::Tensor by_definition(const Experts& experts, const at::Tensor& x) {
    const at::Tensor scores = at::sigmoid(at::mm(x, parameter(experts, "router")));
    const at::Tensor worst_chosen = std::get<0>(scores.detach().topk(kExperts.top_k)).narrow(1, kExperts.top_k - 1, 1);
    const at::Tensor chosen = scores * (scores.detach() >= worst_chosen);
    const at::Tensor weights = chosen / chosen.sum(-1, true);
    at::Tensor sum = swiglu_product(x, parameter(experts, "shared_in"), parameter(experts, "shared_out"));
    for (int e = 0; e < kExperts.experts; ++e)
        sum = sum +
              weights.narrow(1, e, 1) * swiglu_product(x, parameter(experts, "in")[e], parameter(experts, "out")[e]);
    return sum;
}

TEST(Experts, queues_give_what_the_definition_gives_and_so_do_their_gradients) {
    at::manual_seed(3);
    Experts experts(kExperts);
    const at::Tensor x = trainable(at::randn({20, 8})), weights = at::randn({20, 8});
    const at::Tensor queued = experts.forward(x), defined = by_definition(experts, x);
    EXPECT_LT(largest(queued - defined), 1e-5);
    (queued * weights).sum().backward();
    const at::Tensor of_queued = x.grad().clone(), in_queued = parameter(experts, "in").grad().clone();
    x.mutable_grad().zero_();
    parameter(experts, "in").mutable_grad().zero_();
    (defined * weights).sum().backward();
    EXPECT_LT(largest(of_queued - x.grad()), 1e-5);
    EXPECT_LT(largest(in_queued - parameter(experts, "in").grad()), 1e-5);
    EXPECT_GT(largest(of_queued), 0.01);
}

double load_ratio(const Experts& experts) {
    const at::Tensor loads = experts.loads().to(at::kDouble);
    return (loads.max() / loads.mean()).item<double>();
}

// Tokens that are all much alike crowd two of six experts; biases alone spread them.
TEST(Experts, balancing_makes_the_fullest_experts_load_fall) {
    at::manual_seed(4);
    Experts experts(kExperts);
    const at::Tensor x = at::randn({1, 8}) + 0.3 * at::randn({300, 8});
    experts.forward(x);
    const double before = load_ratio(experts);
    for (int step = 0; step < 200; ++step) {
        experts.balance(0.01);
        experts.forward(x);
    }
    EXPECT_GT(before, 2);
    EXPECT_LT(load_ratio(experts), 1.5);
    EXPECT_EQ(experts.loads().sum().item<std::int64_t>(), 600);  // none was dropped
}

TEST(Streams, mixing_of_mhc_is_doubly_stochastic_and_of_hc_is_not_held_to_it) {
    at::manual_seed(5);
    const at::Tensor streams = at::randn({10, 4, 8});
    const auto errors = [&](ResidualKind kind) {
        StreamMixer mixer(kind, 4, 8, 20);
        std::vector<Parameter> parameters;
        mixer.list("m", parameters);
        const at::NoGradGuard no_gradients;
        parameters[1].value.fill_(1.0);                                 // scales, as if learned
        parameters[2].value.add_(at::randn_like(parameters[2].value));  // and biases
        const at::Tensor between = mixer.mix_of(streams).between;
        return std::max(largest(between.sum(-1) - 1), largest(between.sum(-2) - 1));
    };
    EXPECT_LT(errors(ResidualKind::mhc), 0.05);  // 20 iterations from logits far from even
    EXPECT_GT(errors(ResidualKind::hc), 0.5);
    const at::Tensor even = sinkhorn_knopp(at::randn({10, 4, 4}), 20);
    EXPECT_LT(largest(even.sum(-1) - 1), 1e-5);
    EXPECT_LT(largest(even.sum(-2) - 1), 1e-5);
    EXPECT_GT(even.min().item<double>(), 0);
}

// At first every stream is the same and what joins them is nearly a plain residual: input h, output h + f.
TEST(Streams, all_kinds_start_as_a_plain_residual) {
    at::manual_seed(6);
    const at::Tensor h = at::randn({10, 1, 8}), answer = at::randn({10, 8});
    for (const ResidualKind kind : {ResidualKind::plain, ResidualKind::hc, ResidualKind::mhc}) {
        const int n = kind == ResidualKind::plain ? 1 : 4;
        const StreamMixer mixer(kind, n, 8, 20);
        const at::Tensor streams = h.expand({10, n, 8}).contiguous();
        const StreamMixer::Mix mix = mixer.mix_of(streams);
        EXPECT_LT(largest(mixer.input(streams, mix) - h.squeeze(1)), 0.2) << to_string(kind);
        EXPECT_LT(largest(mixer.join(streams, answer, mix) - (h + answer.unsqueeze(1))), 0.2) << to_string(kind);
    }
}

TEST(EngramTable, gradients_flow_into_the_rows_that_were_read_and_no_other) {
    at::manual_seed(7);
    const EngramTable table(50, 4, 8, 1, 1);
    std::vector<Parameter> parameters;
    table.list("t", parameters);
    const at::Tensor rows = table.rows_of(at::tensor({16, 17, 18, 19}, at::kLong).view({1, 4}));
    EXPECT_EQ(rows.size(0), 4);
    EXPECT_EQ(rows.size(1), 16);  // two orders of eight heads
    table.read(at::randn({4, 1, 8}), rows).sum().backward();
    const at::Tensor touched = parameters[0].value.grad().abs().sum(1) > 0;
    at::Tensor read = at::zeros({parameters[0].value.size(0)}, at::kBool);
    read.index_fill_(0, rows.flatten(), true);
    EXPECT_TRUE(at::equal(touched, read));
    EXPECT_LT(read.sum().item<std::int64_t>(), read.numel() / 2);
}

TEST(EngramTable, rows_hang_on_the_last_three_bytes) {
    const EngramTable table(1000, 4, 8, 1, 1);
    const auto last_rows = [&](std::vector<std::int64_t> bytes) {
        return table.rows_of(
            at::tensor(at::ArrayRef<std::int64_t>(bytes)).view({1, -1}))[std::int64_t(bytes.size()) - 1];
    };
    EXPECT_TRUE(at::equal(last_rows({9, 20, 21, 22}), last_rows({8, 20, 21, 22})));
    EXPECT_FALSE(at::equal(last_rows({9, 20, 21, 22}), last_rows({9, 19, 21, 22})));
    // Of two bytes: all heads of the first order.
    EXPECT_TRUE(at::equal(last_rows({9, 20, 21, 22}).narrow(0, 0, 8), last_rows({9, 19, 21, 22}).narrow(0, 0, 8)));
}

at::Tensor some_bytes(std::uint64_t stream) {
    const Text text = Corpus({}).text(stream, 2 * 33);
    const std::vector<std::int64_t> bytes(text.bytes.begin(), text.bytes.end());
    return at::tensor(at::ArrayRef<std::int64_t>(bytes)).view({2, 33});
}

TEST(Network, no_byte_sees_what_follows_it) {
    for (const ResidualKind kind : {ResidualKind::plain, ResidualKind::hc, ResidualKind::mhc}) {
        Network network(shape_of(budget_named("smoke"), 0.5, kind), 1);
        const at::Tensor bytes = some_bytes(1), changed = bytes.clone();
        changed.narrow(1, 20, 13).copy_(some_bytes(2).narrow(1, 20, 13));
        const at::Tensor one = network.losses(bytes), other = network.losses(changed);
        EXPECT_LT(largest(one.narrow(1, 0, 19) - other.narrow(1, 0, 19)), 1e-4) << to_string(kind);
        EXPECT_GT(largest(one.narrow(1, 20, 12) - other.narrow(1, 20, 12)), 0.01) << to_string(kind);
    }
}

TEST(Network, every_parameter_is_counted_and_learns) {
    const NetworkShape shape = shape_of(budget_named("smoke"), 0.5, ResidualKind::mhc);
    Network network(shape, 1);
    network.losses(some_bytes(1)).mean().backward();
    double count = 0;
    for (const Parameter& one : network.parameters()) {
        EXPECT_TRUE(one.value.grad().defined()) << one.name;
        if (one.name != "embedding" && one.name != "head") count += static_cast<double>(one.value.numel());
    }
    EXPECT_NEAR(count / shape.total_parameters(), 1, 0.002);  // biases of routers and the gate's match aside
}

TEST(Optimiser, muon_makes_singular_values_one) {
    at::manual_seed(8);
    const at::Tensor values = at::linalg_svdvals(orthogonalised(at::randn({3, 12, 5}), 5));
    EXPECT_GT(values.min().item<double>(), 0.6);
    EXPECT_LT(values.max().item<double>(), 1.25);
}

// AdamW's first step is the rate against the gradient's sign; of a table's row five times that, and nothing of a row
// without gradient.
TEST(Optimiser, adamw_steps_by_its_rate_and_tables_by_five_times_that) {
    const at::Tensor vector = trainable(at::ones({3})), table = trainable(at::ones({2, 3}));
    WeightOptimiser optimiser(OptimiserKind::adamw,
                              {{"v", vector, ParameterKind::vector}, {"t", table, ParameterKind::table}});
    (vector.sum() - table[0].sum()).backward();
    optimiser.step(0.01);
    EXPECT_NEAR(vector[0].item<double>(), 1 - 0.01, 1e-5);
    EXPECT_NEAR(table[0][0].item<double>(), 1 + 0.05, 1e-5);
    EXPECT_EQ(table[1][0].item<double>(), 1);
    EXPECT_FALSE(vector.grad().defined());
}

TEST(Training, learns_and_is_the_same_again) {
    const Corpus corpus({});
    for (const OptimiserKind kind : {OptimiserKind::adamw, OptimiserKind::muon}) {
        const TrainingPoint point{.budget = budget_named("smoke"), .rho = 0.8, .optimiser = kind};
        int steps = 0;
        const Trained once = train(point, corpus, [&](int step) { steps = step; });
        EXPECT_EQ(steps, point.budget.steps);
        EXPECT_LT(once.loss, 0.9 * std::log(256)) << to_string(kind);  // that is what knowing nothing costs
        EXPECT_LT(once.curve.back().loss, once.curve.front().loss);
        EXPECT_EQ(once.loss, train(point, corpus, {}).loss) << to_string(kind);
    }
}

}  // namespace
}  // namespace strata
