// What a storage format costs in training loss. Rounding adds noise to every product: its variance relative to the
// product, which `strata measure precision` measures, times one constant. Loss is at a minimum over the weights, so
// what zero-mean noise adds is of second order: in proportion to the variance. The constant is fitted on one published
// loss (NVFP4) and holds two more that it never saw: MXFP4, and the bound of FP8.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sim/cost/cost_book.hpp"
#include "sim/model/model.hpp"

namespace strata {

// Who keeps the sum of an FP8 product.
enum class SumKeeper {
    fp32,
    promoted,  // Hopper's tensor cores, promoted to FP32 every 128: what DeepSeek-V3 does
    hopper     // Hopper's tensor cores, one accumulator for all of K
};
std::string_view to_string(SumKeeper keeper);
SumKeeper sum_keeper_of(const std::string& name);  // throws InputError

// The variance of the noise relative to the signal, by the data that it was measured on.
struct NoisePower {
    double normal = 0, heavy_tailed = 0, outlier_channels = 0;
    double worst() const;
};

// What multiplies with which activations, and its share of the parameters that a decoded token meets.
struct PrecisionClass {
    std::string name;
    Precision weights = Precision::bf16, activations = Precision::bf16;
    double share = 0;
};
// Embedding, head and router stay BF16.
std::vector<PrecisionClass> precision_classes(const Model& model);

struct PublishedLoss {
    std::string name, measured_on, source;
    Precision weights = Precision::bf16, activations = Precision::bf16;
    double percent = 0;
    bool bound = false;  // published as an upper bound
    bool fitted = false;
};

// Relative to BF16, as if the model were trained in these formats from the start.
struct LossEffect {
    double percent = 0, low = 0, high = 0;
    Origin origin = Origin::modelled;
    bool outside = false;  // noisier than anything published
};

class PrecisionLaw {
public:
    explicit PrecisionLaw(const std::string& anchors_file);

    // Of one product. Throws InputError for a format whose noise nobody measured.
    NoisePower noise(Precision weights, Precision activations, double k, SumKeeper keeper = SumKeeper::promoted) const;
    LossEffect loss_effect(const NoisePower& noise) const;
    LossEffect loss_effect(const Model& model, SumKeeper keeper = SumKeeper::promoted) const;

    const std::vector<PublishedLoss>& published() const { return published_; }
    double percent_per_noise() const { return percent_per_noise_; }

private:
    const NoisePower& stored_noise(Precision format) const;
    NoisePower accumulation_noise(SumKeeper keeper, double k) const;
    NoisePower noise_of(const PublishedLoss& anchor) const;
    void fit();

    std::map<Precision, NoisePower> stored_;
    std::map<SumKeeper, std::map<double, NoisePower>> accumulated_;  // by K
    std::vector<PublishedLoss> published_;
    double percent_per_noise_ = 0, most_percent_per_noise_ = 0;  // fitted; the largest of published losses
    double bound_percent_ = 0, bound_noise_ = 0;                 // of FP8
    double most_noise_ = 0;                                      // that a published loss is known of
};

}  // namespace strata
