#include "sim/training/rl_iteration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

void check(const RlSpec& spec) {
    const auto refuse = [](const char* field, const char* expected, double found) {
        throw InputError(fmt::format("rl.{}", field), expected, fmt::format("{}", found));
    };
    if (spec.prompts < 1) refuse("prompts", "at least 1", spec.prompts);
    if (spec.answers < 1) refuse("answers", "at least 1", spec.answers);
    if (!(spec.judging >= Seconds(0))) refuse("judging", "a time that is not negative", spec.judging.si());
    if (spec.judges < 1) refuse("judges", "at least 1", spec.judges);
    for (const ReadingPass& reader : spec.readers)
        if (!(reader.tokens_per_second > 0)) refuse("readers.tokens_per_second", "above 0", reader.tokens_per_second);
    if (spec.weights > Bytes(0) && !(spec.sync > Bandwidth(0))) refuse("sync", "a bandwidth above 0", spec.sync.si());
    if (!spec.update) throw std::logic_error("an RL iteration needs the time of its update");
}

// When the last of `ends`, ascending, has been judged; each takes the judge that is free first.
Seconds judged(const RlSpec& spec, const std::vector<Seconds>& ends) {
    std::priority_queue<Seconds, std::vector<Seconds>, std::greater<>> free;
    for (int i = 0; i < spec.judges; ++i) free.push(Seconds(0));
    Seconds last = ends.back();
    for (const Seconds end : ends) {
        const Seconds ready = spec.judge_as_they_end ? end : ends.back();
        const Seconds done = std::max(ready, free.top()) + spec.judging;
        free.pop();
        free.push(done);
        last = std::max(last, done);
    }
    return last;
}

}  // namespace

// Answers to one prompt share it: their prefills after the first find it in the prefix cache, if there is one.
std::vector<Request> rollouts_of(const RlSpec& spec) {
    ArrivalSpec arrivals{
        .requests = spec.prompts, .input = spec.prompt_tokens, .output = FixedLength{1}, .seed = spec.seed};
    const std::vector<Request> prompts = synthetic_requests(arrivals);
    arrivals.requests = spec.prompts * spec.answers;
    arrivals.output = spec.answer_tokens;
    std::vector<Request> requests = synthetic_requests(arrivals);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const std::size_t prompt = i / static_cast<std::size_t>(spec.answers);
        requests[i].input_tokens = prompts[prompt].input_tokens;
        requests[i].prefix = static_cast<std::int64_t>(prompt);
        requests[i].prefix_tokens = requests[i].input_tokens;
    }
    return requests;
}

RlIteration simulate_rl_iteration(const RlSpec& spec) {
    check(spec);
    const ServingRun run = simulate_serving(spec.servers, rollouts_of(spec));
    std::vector<Seconds> ends;
    for (const RequestRecord& record : run.records) ends.push_back(record.finish);
    std::sort(ends.begin(), ends.end());

    RlIteration iteration;
    iteration.serving = run.metrics;
    iteration.tokens = double(run.metrics.input_tokens + run.metrics.output_tokens);
    iteration.rollout = ends.back();
    iteration.tail = ends.back() - ends[(ends.size() * 9 + 9) / 10 - 1];
    if (spec.judging > Seconds(0)) iteration.judging = judged(spec, ends) - ends.back();
    for (const ReadingPass& reader : spec.readers)
        iteration.reading += reader.load + Seconds(iteration.tokens / reader.tokens_per_second);
    iteration.update = spec.update(iteration.tokens);
    if (spec.weights > Bytes(0)) iteration.sync = spec.weights / spec.sync;
    const Seconds learning = iteration.judging + iteration.reading + iteration.update;
    iteration.time =
        (spec.rolls_out_ahead ? std::max(iteration.rollout, learning) : iteration.rollout + learning) + iteration.sync;
    return iteration;
}

}  // namespace strata
