// The curve is Schumaker's shape-preserving quadratic spline (SIAM J. Numer. Anal. 20, 1983): convex wherever the
// anchors are, exact at each, and with no freedom but the slopes at the anchors. The slope is zero at the lowest
// anchor, so the minimum stands where the lowest loss was published, and each end interval is a single parabola.
#include "sim/quality/allocation_law.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

double chord(const LossAnchor& a, const LossAnchor& b) { return (b.loss - a.loss) / (b.rho - a.rho); }

double on_line(const LossAnchor& through, double slope, double rho) {
    return through.loss + slope * (rho - through.rho);
}

void check_shape(const std::vector<LossAnchor>& anchors, const YamlField& field) {
    for (std::size_t i = 0; i + 1 < anchors.size(); ++i)
        if (!(anchors[i].rho < anchors[i + 1].rho)) return field.problem("anchors by rising rho", "another order");
    for (std::size_t i = 0; i + 2 < anchors.size(); ++i)
        if (chord(anchors[i], anchors[i + 1]) > chord(anchors[i + 1], anchors[i + 2]))
            return field.problem("losses on a convex curve: the law is U-shaped",
                                 "a dent at the anchor after the first " + std::to_string(i + 1));
}

std::size_t lowest_of(const std::vector<LossAnchor>& anchors) {
    return static_cast<std::size_t>(
        std::min_element(anchors.begin(), anchors.end(), [](const auto& a, const auto& b) { return a.loss < b.loss; }) -
        anchors.begin());
}

std::vector<double> slopes_at(const std::vector<LossAnchor>& anchors) {
    const std::size_t last = anchors.size() - 1, lowest = lowest_of(anchors);
    std::vector<double> slopes(anchors.size());
    for (std::size_t i = 1; i < last; ++i) {
        const double before = chord(anchors[i - 1], anchors[i]), after = chord(anchors[i], anchors[i + 1]);
        slopes[i] = i == lowest ? 0 : (before + after) / 2;
    }
    slopes[0] = last == 1 ? chord(anchors[0], anchors[1]) : 2 * chord(anchors[0], anchors[1]) - slopes[1];
    slopes[last] = last == 1 ? slopes[0] : 2 * chord(anchors[last - 1], anchors[last]) - slopes[last - 1];
    return slopes;
}

// A parabola piece that starts at `loss` with slope `from`, which turns into `to` over `length`.
double parabola(double loss, double from, double to, double length, double x) {
    return loss + from * x + (to - from) * x * x / (2 * length);
}

}  // namespace

AllocationLaw::AllocationLaw(const std::string& anchors_file) {
    Problems problems;
    const YamlField root(load_yaml(anchors_file), anchors_file, "", problems);
    root.allow_only({"measured_on", "source", "optimum", "anchors"});
    measured_on_ = root["measured_on"].text();
    source_ = root["source"].text();
    root["optimum"].allow_only({"from", "to"});
    optimum_from_ = root["optimum"]["from"].number();
    optimum_to_ = root["optimum"]["to"].number(1);
    for (const YamlField& anchor : root["anchors"].items()) {
        anchor.allow_only({"rho", "loss", "plus_minus"});
        anchors_.push_back({anchor["rho"].number(), anchor["loss"].number(), anchor["plus_minus"].number()});
    }
    if (anchors_.size() < 2) root["anchors"].problem("at least two anchors", std::to_string(anchors_.size()));
    problems.throw_if_any();
    check_shape(anchors_, root["anchors"]);
    const double lowest = anchors_[lowest_of(anchors_)].rho;
    if (lowest < optimum_from_ || lowest > optimum_to_)
        root["optimum"].problem("a range that holds the lowest anchor", std::to_string(lowest) + " outside of it");
    problems.throw_if_any();
    slopes_ = slopes_at(anchors_);
}

AllocationLaw::AllocationLaw(const AllocationFit& fit, const std::string& source)
    : measured_on_(fit.budget().empty() ? "own points" : "own points of budget " + fit.budget()),
      source_(source),
      published_(false) {
    for (const FittedPoint& point : fit.points())
        if (anchors_.empty() || point.rho > anchors_.back().rho)
            anchors_.push_back({point.rho, point.fitted, fit.root_mean_square()});
    const std::size_t lowest = lowest_of(anchors_);
    optimum_from_ = anchors_[lowest - std::min<std::size_t>(lowest, 1)].rho;
    optimum_to_ = anchors_[std::min(lowest + 1, anchors_.size() - 1)].rho;
    slopes_ = slopes_at(anchors_);
}

double AllocationLaw::curve(double rho, std::size_t interval) const {
    const LossAnchor &a = anchors_[interval], &b = anchors_[interval + 1];
    const double from = slopes_[interval], to = slopes_[interval + 1], slope = chord(a, b), length = b.rho - a.rho;
    const double x = rho - a.rho;
    constexpr double kStraight = 1e-9;  // as a fit of points leaves a straight piece
    if (std::abs((from + to) / 2 - slope) < kStraight) return parabola(a.loss, from, to, length, x);
    // Two pieces: the knot stands halfway to where the nearer tangent still keeps the shape.
    const double reach = 2 * length / (to - from);
    const double knot =
        std::abs(to - slope) < std::abs(from - slope) ? reach * (to - slope) / 2 : length + reach * (from - slope) / 2;
    const double middle = (2 * (b.loss - a.loss) - knot * from - (length - knot) * to) / length;
    if (x <= knot) return parabola(a.loss, from, middle, knot, x);
    return parabola(parabola(a.loss, from, middle, knot, knot), middle, to, length - knot, x - knot);
}

// A convex curve lies above the extensions of the neighbouring chords, and nowhere below its lowest point, which lies
// in the published range and so cannot be further below the lowest anchor than the chord beyond that anchor allows.
double AllocationLaw::lowest_possible(double rho, std::size_t interval) const {
    const std::size_t last = anchors_.size() - 1, lowest = lowest_of(anchors_);
    double floor = -1e300;
    if (interval > 0)
        floor = std::max(floor, on_line(anchors_[interval], chord(anchors_[interval - 1], anchors_[interval]), rho));
    if (interval + 1 < last)
        floor = std::max(floor,
                         on_line(anchors_[interval + 1], chord(anchors_[interval + 1], anchors_[interval + 2]), rho));
    if (anchors_[interval].rho >= optimum_to_) floor = std::max(floor, anchors_[interval].loss);
    if (anchors_[interval + 1].rho <= optimum_from_) floor = std::max(floor, anchors_[interval + 1].loss);
    double lowest_loss = anchors_[lowest].loss;
    if (lowest < last)
        lowest_loss = std::min(lowest_loss,
                               on_line(anchors_[lowest], chord(anchors_[lowest], anchors_[lowest + 1]), optimum_from_));
    if (lowest > 0)
        lowest_loss = std::min(lowest_loss,
                               on_line(anchors_[lowest], chord(anchors_[lowest - 1], anchors_[lowest]), optimum_to_));
    return std::max(floor, lowest_loss);
}

std::optional<LossEstimate> AllocationLaw::loss(double rho, const std::string& model) const {
    constexpr double kSame = 1e-9;  // a swept rho is a rounded decimal
    if (rho < anchors_.front().rho - kSame || rho > anchors_.back().rho + kSame) return std::nullopt;
    const bool here =
        !published_ || model == measured_on_;  // own points are taken to be of the model that is asked for
    const Origin at_anchor = published_ ? Origin::published : Origin::measured;
    for (const LossAnchor& anchor : anchors_)
        if (std::abs(rho - anchor.rho) <= kSame)
            return LossEstimate{anchor.loss, anchor.loss - anchor.plus_minus, anchor.loss + anchor.plus_minus,
                                here ? at_anchor : Origin::transferred};
    std::size_t i = 0;
    while (anchors_[i + 1].rho < rho) ++i;
    const LossAnchor &a = anchors_[i], &b = anchors_[i + 1];
    const double rounding = a.plus_minus + (b.plus_minus - a.plus_minus) * (rho - a.rho) / (b.rho - a.rho);
    return LossEstimate{curve(rho, i), lowest_possible(rho, i) - rounding, on_line(a, chord(a, b), rho) + rounding,
                        here ? Origin::interpolated : Origin::transferred};
}

}  // namespace strata
