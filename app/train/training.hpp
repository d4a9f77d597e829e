// Trains one small network on the corpus and judges it on text that it has not seen: the same text for every network of
// a seed and budget, so that differences between them are not those of the text.
#pragma once

#include "app/train/corpus.hpp"
#include "app/train/point.hpp"

namespace strata {

Trained train(const TrainingPoint& point, const Corpus& corpus, const std::function<void(int)>& after_step);

}  // namespace strata
