#include "sim/search/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/routing/seeded_random.hpp"
#include "sim/search/sobol_indices.hpp"

namespace strata {

namespace {

constexpr double kScoreOfP90 = 1.2815515655446004;  // of the standard normal
constexpr std::size_t kDraws = 20000;               // the probability is then right to 0.7 % (two standard errors)
constexpr std::size_t kSobolSamples = 2000;
constexpr std::uint64_t kSeed = 1;

// Time of one point that an uncertain factor multiplies.
struct FactorTime {
    std::size_t factor;
    double ms, p10, p90;
};

// Both points over one list of factors.
class Duel {
public:
    Duel(const Contender& first, const Contender& second)
        : same_device_(first.path->device == second.path->device), base_(std::log(first.speed / second.speed)) {
        add(*first.path, 0);
        add(*second.path, 1);
        // A factor that both share alike moves neither.
        for (const int side : {0, 1}) base_ += (side == 0 ? 1 : -1) * std::log(total_[side]);
    }

    std::size_t factors() const { return names_.size(); }
    const std::string& name(std::size_t factor) const { return names_[factor]; }

    // ln of the first's speed over the second's, under these scores.
    double advantage(const std::vector<double>& scores) const {
        double logarithm = base_;
        for (const int side : {0, 1}) {
            double ms = exact_[side];
            for (const FactorTime& share : shares_[side])
                ms += share.ms * split_lognormal(scores[share.factor], share.p10, share.p90);
            logarithm -= (side == 0 ? 1 : -1) * std::log(ms);
        }
        return logarithm;
    }

private:
    void add(const CriticalPath& path, int side) {
        for (const PathTime& time : path.times) {
            total_[side] += time.ms;
            if (!time.has_band()) {
                exact_[side] += time.ms;
                continue;
            }
            const std::string key = same_device_ ? time.name() : time.name() + " on " + path.device;
            const auto [known, is_new] = index_.try_emplace(key, names_.size());
            if (is_new) names_.push_back(key);
            shares_[side].push_back({known->second, time.ms, time.p10_ms / time.ms, time.p90_ms / time.ms});
        }
    }

    bool same_device_;
    double base_;
    std::vector<std::string> names_;
    std::map<std::string, std::size_t> index_;
    std::vector<FactorTime> shares_[2];
    double total_[2] = {0, 0}, exact_[2] = {0, 0};
};

}  // namespace

double split_lognormal(double score, double p10, double p90) {
    return score >= 0 ? std::pow(p90, score / kScoreOfP90) : std::pow(p10, -score / kScoreOfP90);
}

std::optional<Certainty> certainty_of(const Contender& first, const Contender& second) {
    if (!first.path || !second.path || first.path->times.empty() || second.path->times.empty()) return std::nullopt;
    const Duel pair(first, second);
    if (pair.factors() == 0) return std::nullopt;
    SeededRandom random(kSeed);
    std::vector<double> advantages(kDraws), scores(pair.factors());
    double ahead = 0;
    constexpr double kSame = 1e-12;  // rounding of two equal sums
    for (double& advantage : advantages) {
        for (double& score : scores) score = random.normal();
        advantage = pair.advantage(scores);
        ahead += advantage > kSame ? 1 : advantage < -kSame ? 0 : 0.5;
    }
    std::sort(advantages.begin(), advantages.end());
    if (advantages.back() - advantages.front() < kSame) return std::nullopt;
    Certainty certainty{.first_ahead = ahead / double(kDraws),
                        .p10 = std::expm1(advantages[kDraws / 10]),
                        .p90 = std::expm1(advantages[kDraws - kDraws / 10])};
    certainty.unknown_share = std::max(first.path->unknown_share(), second.path->unknown_share());
    const SobolResult shares = sobol_indices(
        [&](const std::vector<double>& uniform) {
            for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = normal_quantile(uniform[i]);
            return pair.advantage(scores);
        },
        pair.factors(), {.samples = kSobolSamples, .bootstraps = 1, .seed = kSeed});
    for (std::size_t i = 0; i < pair.factors(); ++i)
        if (shares.inputs[i].total > certainty.settled_share) {
            certainty.settled_share = shares.inputs[i].total;
            certainty.settled_by = pair.name(i);
        }
    return certainty;
}

}  // namespace strata
