// How much a signal, and a gradient on its way back, can grow over the depth of a network by its residual streams
// alone: the "Amax gain magnitude" of arXiv 2512.24880 (mHC), the largest absolute row sum (forward) and column sum
// (backward) of the product of the layers' mixing matrices. Real matrix products over drawn matrices; published are two
// peaks.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cost/cost_book.hpp"

namespace strata {

class SquareMatrix {
public:
    explicit SquareMatrix(int n) : n_(n), of_(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)) {}
    static SquareMatrix identity(int n);

    int size() const { return n_; }
    double& at(int row, int column) { return of_[index(row, column)]; }
    double at(int row, int column) const { return of_[index(row, column)]; }

private:
    std::size_t index(int row, int column) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(n_) + static_cast<std::size_t>(column);
    }
    int n_;
    std::vector<double> of_;
};
SquareMatrix operator*(const SquareMatrix& left, const SquareMatrix& right);

double forward_gain(const SquareMatrix& mapping);   // largest absolute row sum
double backward_gain(const SquareMatrix& mapping);  // largest absolute column sum
// How far the worst row or column sum is from 1.
double stochastic_error(const SquareMatrix& mapping);

// Equation 9: exp of the logits, then `iterations` times columns and rows, so that rows end exact.
SquareMatrix sinkhorn(const SquareMatrix& logits, int iterations);

enum class ResidualKind {
    plain,  // one stream, mapping 1
    hc,     // Hyper-Connections: identity and whatever was learned, unconstrained
    mhc     // manifold-constrained: Sinkhorn of whatever was learned
};
std::string_view to_string(ResidualKind kind);

struct ResidualDials {
    ResidualKind kind = ResidualKind::mhc;
    int streams = 4;
    int depth = 60;  // sublayers: attention and feed-forward are one each
    int iterations = 20;
    double off_diagonal = 0;  // of what learning starts from: mHC's logits, 0 on the diagonal. HC starts at identity
    double spread = 0;        // standard deviation of what learning adds to each entry
    double shared = 0;        // of its variance, what is the same in every sublayer
    int draws = 201;
    std::uint64_t seed = 1;
};

// With the spread that the published peak of HC calibrates, or what is assumed of mHC's logits.
ResidualDials dials_of(ResidualKind kind);

// Of the draws: the median, and the 10th and 90th percentile. A gain is the peak over depth.
struct ResidualGain {
    double gain = 1, low = 1, high = 1;  // the larger of both directions
    double forward = 1, backward = 1;    // medians
    double single_layer = 1;             // the same of one sublayer alone
    double stochastic_error = 0;         // of a sublayer's mapping; of HC: nothing to hold it against
    Origin origin = Origin::modelled;    // plain residuals are 1 by definition
    bool outside = false;                // other than the 4 streams and 60 sublayers that were published
};
// Throws InputError for dials out of their range.
ResidualGain residual_gain(const ResidualDials& dials);

// Largest composite gains read off the paper's figures: both over 60 sublayers of a 27 B model, 4 streams.
constexpr int kPublishedStreams = 4, kPublishedDepth = 60;
constexpr double kPublishedHcGain = 3000, kPublishedMhcGain = 1.6;

}  // namespace strata
