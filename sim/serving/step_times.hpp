// How long a step of a serving engine takes: two functions that the cost book, an engine or a measured table fills in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

struct StepTimes {
    // One decode step of `batch` sequences that have `context` tokens in the KV cache together. With MTP: including the
    // drafts and their verification.
    std::function<Seconds(double batch, double context)> decode;
    // `tokens` of prompts computed in one step, each attending to `context` tokens on average: for n tokens of one
    // prompt after p others, context is p + n / 2. A mean, so that chunks of several prompts make one question.
    std::function<Seconds(double tokens, double context)> prefill;
    // Said before the times of a replica's n-th step are asked: which of the ways that tokens fall on experts it takes.
    // None: all steps of a shape are alike.
    std::function<void(std::int64_t step)> draw{};
};

// Times on a grid, bilinear between its points. Asked beyond its ends it throws InputError rather than guess.
struct StepTable {
    std::string name;             // opens the error message: "decode times"
    std::vector<double> rows;     // ascending: batch, or tokens
    std::vector<double> columns;  // ascending: context
    std::vector<Seconds> times;   // row by row

    // Asks `time` at every point of the grid.
    static StepTable of(std::string name, std::vector<double> rows, std::vector<double> columns,
                        const std::function<Seconds(double, double)>& time);
    Seconds at(double row, double column) const;
};

// Rows of `decode` are batches, of `prefill` tokens.
StepTimes step_times_from(StepTable decode, StepTable prefill);

}  // namespace strata
