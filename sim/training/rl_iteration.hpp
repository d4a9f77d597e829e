// One iteration of reinforcement learning or on-policy distillation: answers are rolled out by the serving engine,
// judged, read by teachers, learned from, and the new weights go back to the servers. A composition: each part's time
// comes from its own model.
#pragma once

#include <functional>
#include <vector>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"

namespace strata {

// A model that reads all that was rolled out: a teacher of on-policy distillation, a reference policy, a reward model.
struct ReadingPass {
    double tokens_per_second = 0;
    Seconds load{};  // of its weights, before it can begin
};

struct RlSpec {
    ServingSpec servers;
    int prompts = 1;
    int answers = 1;  // of each prompt: GRPO's group (DeepSeekMath, arXiv 2402.03300)
    Length prompt_tokens, answer_tokens;
    std::uint64_t seed = 0;

    Seconds judging{};              // of an answer by rule or by running it; 0: nobody judges
    int judges = 1;                 // at a time
    bool judge_as_they_end = true;  // or when the last answer has ended

    std::vector<ReadingPass> readers;              // one after the other
    std::function<Seconds(double tokens)> update;  // forward, backward, optimiser over so many tokens
    Bytes weights{};
    Bandwidth sync{};  // of all senders together
    // The next answers are rolled out beside all else, by servers of their own and with weights one iteration old.
    bool rolls_out_ahead = false;
};

struct RlIteration {
    // What each part adds to the time if nothing else runs beside it.
    Seconds rollout, judging, reading, update, sync;
    Seconds time;
    Seconds tail;       // of the rollout: after nine of ten answers have ended
    double tokens = 0;  // prompts and answers
    ServingMetrics serving;
};

// The answers as requests, all at once; those to one prompt share it.
std::vector<Request> rollouts_of(const RlSpec& spec);

// Throws InputError that names the field.
RlIteration simulate_rl_iteration(const RlSpec& spec);

}  // namespace strata
