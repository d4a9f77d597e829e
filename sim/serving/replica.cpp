#include "sim/serving/replica.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace strata {

void check(const ReplicaSpec& spec, const std::string& field) {
    const auto positive = [&](const char* name, double value) {
        if (!(value > 0))
            throw InputError(fmt::format("{}.{}", field, name), "a number above 0", fmt::format("{}", value));
    };
    positive("accelerators", spec.accelerators);
    positive("groups", spec.groups);
    positive("max_batch", spec.max_batch);
    positive("step_tokens", spec.step_tokens);
    positive("kv_tokens", spec.kv_tokens);
    if (!(spec.window_tokens >= 0))
        throw InputError(field + ".window_tokens", "at least 0", fmt::format("{}", spec.window_tokens));
    if (spec.kv_tokens > 1e15)
        throw InputError(field + ".kv_tokens", "at most 1e15", fmt::format("{}", spec.kv_tokens));
    if (spec.preemption == Preemption::swap) positive("host_link.bandwidth", spec.host_link.bandwidth.si());
    for (const auto& [name, time] : {std::pair(".host_time", spec.host_time),
                                     {".launch_time", spec.launch_time},
                                     {".first_step", spec.first_step}})
        if (!(time >= Seconds(0)))
            throw InputError(field + name, "a time that is not negative", fmt::format("{} s", time.si()));
    const double decoded = double(spec.max_batch) * (1 + spec.drafts.drafts());
    if (spec.batching == Batching::continuous && spec.prefill_order == PrefillOrder::chunked &&
        spec.step_tokens <= decoded)
        throw InputError(
            field + ".step_tokens",
            fmt::format("more than the {} tokens of a full batch, or prompts would never be computed", decoded),
            fmt::format("{}", spec.step_tokens));
    if (!spec.times.decode || !spec.times.prefill)
        throw std::logic_error("a replica needs the times of its decode and prefill steps");
}

Replica::Replica(const ReplicaSpec& spec, const Shared& shared, bool hands_over)
    : spec_(spec), shared_(shared), hands_over_(hands_over), ranks_(spec.accelerators) {}

// What sequences that are here, and `more` of them, leave for their tokens.
std::int64_t Replica::capacity(int more) const {
    const double sequences = double(prefilling_.size() + running_.size()) + more;
    return static_cast<std::int64_t>(spec_.kv_tokens * ranks_ / spec_.accelerators - spec_.window_tokens * sequences);
}

// The newest token has no KV yet: the next decode step computes it.
int Replica::kv_of(int request) const {
    const auto i = static_cast<std::size_t>(request);
    return shared_.requests[i].input_tokens + shared_.records[i].delivered - 1;
}

int Replica::made_by(const Running& sequence) const {
    return spec_.drafts.drafts() > 0 ? 0 : static_cast<int>(steps_ - sequence.joined);
}

void Replica::enqueue(int request, int context, Seconds now) {
    waiting_.push_back({request, context, false, shared_.records[static_cast<std::size_t>(request)].first_token});
    queue_.change(+1, now);
}

std::optional<Seconds> Replica::begin_step(Seconds now, Seconds undisturbed_until) {
    if (in_step_ || ranks_ == 0 || now < paused_until_) return std::nullopt;
    moved_ = fetched_ = Seconds(0);
    // Who has just been put out does not come back in the same step.
    if (make_room(now) || running_.empty()) admit(now);
    compose();
    if (!decodes_ && chunks_.empty()) return std::nullopt;
    in_step_ = true;
    begun_ = now;
    Seconds end = now + next_step_time();
    if (!chunks_.empty() && !warm_) {
        end += spec_.first_step;
        warm_ = true;
    }
    moved_ = fetched_ = Seconds(0);
    while (end < undisturbed_until && is_quiet()) {
        busy_ += end - begun_;
        decode(end);
        begun_ = end;
        end += next_step_time();
    }
    return end;
}

// The step under way only decodes, nobody ends with it, and the next one's KV fits: then the next one is like it. Who
// waits will wait on, for what keeps him out only grows.
bool Replica::is_quiet() const {
    if (held_back_ > 0 || !chunks_.empty() || !prefilling_.empty() || spec_.drafts.drafts() > 0 ||
        steps_ + 1 >= next_finish_)
        return false;
    return is_fixed() || kv_used_ + 2 * std::int64_t(running_.size()) <= capacity();
}

// Puts out those that came last until the KV of a decode step's tokens fits; true: nobody had to go.
bool Replica::make_room(Seconds now) {
    bool fits = true;
    while (!running_.empty() && !is_fixed() &&
           kv_used_ + std::int64_t(running_.size()) * tokens_of_a_decode() > capacity()) {
        preempt_last(now);
        fits = false;
    }
    return fits;
}

void Replica::preempt_last(Seconds now) {
    if (!prefilling_.empty()) {
        const Prefilling last = prefilling_.back();
        prefilling_.pop_back();
        kv_used_ -= last.reserved;
        ++shared_.records[static_cast<std::size_t>(last.request)].preemptions;
        put_back({last.request, 0, false, last.delivered}, now);
        return;
    }
    const Running last = running_.back();
    Waiting waiting = stopped(last);
    running_.pop_back();
    ++shared_.records[static_cast<std::size_t>(last.request)].preemptions;
    if (spec_.preemption == Preemption::swap) {
        waiting.context = kv_of(last.request);
        waiting.in_host = true;
        moved_ += spec_.host_link.time(waiting.context);
    }
    put_back(waiting, now);
}

// A sequence leaves the batch before its end: what it made so far is written down, its KV is no longer held.
Replica::Waiting Replica::stopped(const Running& sequence) {
    RequestRecord& record = shared_.records[static_cast<std::size_t>(sequence.request)];
    const int made = made_by(sequence);
    record.delivered =
        shared_.requests[static_cast<std::size_t>(sequence.request)].output_tokens - sequence.left + made;
    context_ -= sequence.context + made;
    kv_used_ -= is_fixed() ? sequence.reserved : sequence.context + made;
    return {sequence.request, 0, false, sequence.joined < steps_ ? last_decode_ : sequence.delivered};
}

void Replica::put_back(const Waiting& waiting, Seconds now) {
    waiting_.push_front(waiting);
    queue_.change(+1, now);
}

// A step with prompts keeps all groups from decoding, so servers let the first wait until each group has one
// (TensorRT-LLM's attention_dp_config). Which group a request belongs to is chance: the one where a place came free.
bool Replica::holds_back() {
    if (spec_.groups == 1 || spec_.wait_steps == 0 || running_.empty() || waiting_.empty()) return false;
    std::vector<bool> has_prompt(static_cast<std::size_t>(spec_.groups));
    int without = spec_.groups;
    for (const Waiting& waiting : waiting_) {
        if (waiting.context > 0) return false;
        const auto group = mixed_bits(static_cast<std::uint64_t>(waiting.request)) % has_prompt.size();
        if (!has_prompt[group] && --without == 0) break;
        has_prompt[group] = true;
    }
    if (without > 0 && held_back_ < spec_.wait_steps) {
        ++held_back_;
        return true;
    }
    held_back_ = 0;
    return false;
}

// First come, first served: who does not fit holds up those behind.
void Replica::admit(Seconds now) {
    if (is_fixed() && !(running_.empty() && prefilling_.empty())) return;
    if (holds_back()) return;
    while (!waiting_.empty() && int(prefilling_.size() + running_.size()) < spec_.max_batch) {
        const Waiting next = waiting_.front();
        const auto i = static_cast<std::size_t>(next.request);
        const Request& request = shared_.requests[i];
        const int need = is_fixed()         ? request.input_tokens + request.output_tokens - 1 + spec_.drafts.drafts()
                         : next.context > 0 ? next.context
                                            : request.input_tokens + shared_.records[i].delivered;
        const std::int64_t growth =
            is_fixed() ? 0 : std::int64_t(running_.size() + (next.context > 0 ? 1 : 0)) * tokens_of_a_decode();
        if (kv_used_ + need + growth > capacity(1)) return;
        waiting_.pop_front();
        queue_.change(-1, now);
        take_up(next, need, now);
    }
}

void Replica::take_up(const Waiting& waiting, int need, Seconds now) {
    const auto i = static_cast<std::size_t>(waiting.request);
    const Request& request = shared_.requests[i];
    RequestRecord& record = shared_.records[i];
    kv_used_ += need;
    if (waiting.context > 0) {
        if (waiting.in_host) moved_ += spec_.host_link.time(waiting.context);
        join({waiting.request, waiting.context, request.output_tokens - record.delivered, steps_, need,
              waiting.delivered});
        return;
    }
    int cached = 0;
    if (shared_.prefixes && request.prefix != kNoPrefix)  // the last token is always computed: it gives the next
        cached = std::min(
            {shared_.prefixes->cached_tokens(request.prefix), request.prefix_tokens, request.input_tokens - 1});
    if (record.delivered == 0 && record.preemptions + record.losses == 0) {
        record.scheduled = now;
        record.cached = cached;
    } else {
        recomputed_ += request.input_tokens + record.delivered - cached;
    }
    if (cached > 0) fetched_ += spec_.prefix_link.time(cached);
    prefilling_.push_back(
        {waiting.request, cached, request.input_tokens + record.delivered - cached, need, waiting.delivered});
}

void Replica::join(const Running& sequence) {
    running_.push_back(sequence);
    context_ += sequence.context;
    const std::int64_t last = steps_ + sequence.left;
    next_finish_ = running_.size() == 1 ? last : std::min(next_finish_, last);
}

void Replica::compose() {
    chunks_.clear();
    decodes_ = !running_.empty() && !(separate() && !prefilling_.empty());
    std::int64_t budget = spec_.step_tokens;
    if (decodes_) budget -= std::int64_t(running_.size()) * tokens_of_a_decode();
    for (const Prefilling& prompt : prefilling_) {
        if (separate() ? budget < prompt.left && !chunks_.empty() : budget <= 0) break;
        chunks_.push_back(separate() ? prompt.left : static_cast<int>(std::min<std::int64_t>(prompt.left, budget)));
        budget -= chunks_.back();
    }
}

// How much longer a step of so many sequences is than if they could be cut evenly between groups.
double Replica::filled(double sequences) const {
    const double groups = spec_.groups;
    return groups * std::ceil(sequences / groups) / sequences;
}

Seconds Replica::next_step_time() {
    if (spec_.times.draw) spec_.times.draw(timed_++);
    return step_time();
}

// A step that does both takes as long as both one after the other: an upper bound, as weights are then read once. One
// with prompts is no captured graph, so it waits for its launches, and for cached KV, which comes layer by layer while
// others are computed.
Seconds Replica::step_time() const {
    Seconds computing;
    if (decodes_) {
        const double batch = double(std::int64_t(running_.size()) + padding_);
        const double fullest = filled(batch);
        computing += spec_.times.decode(batch * fullest, double(context_ + padding_context_) * fullest);
    }
    if (!chunks_.empty()) {
        double tokens = 0, pairs = 0;
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            tokens += chunks_[i];
            pairs += chunks_[i] * (prefilling_[i].done + chunks_[i] / 2.0);
        }
        computing += spec_.times.prefill(tokens * filled(double(chunks_.size())), pairs / tokens);
    }
    if (!(computing >= Seconds(0)))
        throw InputError("step times",
                         fmt::format("a time that is not negative for {} decodes and {} prompts",
                                     decodes_ ? running_.size() : 0, chunks_.size()),
                         fmt::format("{} s", computing.si()));
    computing = computing * spec_.accelerators / double(ranks_);  // fewer ranks share the same work
    if (!chunks_.empty()) computing = std::max({computing, spec_.launch_time, fetched_});
    return moved_ + (spec_.host_overlaps ? std::max(computing, spec_.host_time) : computing + spec_.host_time);
}

const std::vector<int>& Replica::end_step(Seconds now) {
    if (!in_step_) throw std::logic_error("a replica was told that a step ended which it had not begun");
    in_step_ = false;
    busy_ += now - begun_;
    handed_over_.clear();
    if (decodes_) decode(now);
    prefill(now);
    if (is_fixed() && running_.empty() && prefilling_.empty()) {
        kv_used_ = 0;
        padding_ = padding_context_ = 0;
    }
    return handed_over_;
}

void Replica::decode(Seconds now) {
    count_gaps(now);
    ++steps_;
    last_decode_ = now;
    const std::int64_t made = spec_.drafts.drafts() > 0 ? sampled_tokens() : std::int64_t(running_.size());
    decoded_ += made;
    context_ += made;
    if (!is_fixed()) kv_used_ += made;
    if (spec_.drafts.drafts() > 0 || steps_ == next_finish_) drop_finished(now);
}

// All that were in the decode step before have waited equally long; the others joined since, and stand at the end.
void Replica::count_gaps(Seconds now) {
    std::size_t old = running_.size();
    for (; old > 0 && running_[old - 1].joined == steps_; --old) shared_.gaps.add(now - running_[old - 1].delivered, 1);
    if (old > 0) shared_.gaps.add(now - last_decode_, old);
}

std::int64_t Replica::sampled_tokens() {
    std::int64_t sum = 0;
    for (Running& sequence : running_) {
        const int delivered =
            shared_.requests[static_cast<std::size_t>(sequence.request)].output_tokens - sequence.left;
        const int made = std::min(sequence.left, spec_.drafts.tokens_of_step(sequence.request, delivered));
        sequence.left -= made;
        sequence.context += made;
        sum += made;
    }
    return sum;
}

void Replica::drop_finished(Seconds now) {
    next_finish_ = std::numeric_limits<std::int64_t>::max();
    const auto ended = [&](const Running& sequence) {
        const int left = sequence.left - made_by(sequence);
        if (left > 0) {
            next_finish_ = std::min(next_finish_, steps_ + left);
            return false;
        }
        finish(sequence, now);
        return true;
    };
    running_.erase(std::remove_if(running_.begin(), running_.end(), ended), running_.end());
}

void Replica::finish(const Running& sequence, Seconds now) {
    const auto i = static_cast<std::size_t>(sequence.request);
    const int context = sequence.context + made_by(sequence);
    context_ -= context;
    if (is_fixed()) {
        ++padding_;
        padding_context_ += context;
    } else {
        kv_used_ -= context;
    }
    RequestRecord& record = shared_.records[i];
    record.delivered = shared_.requests[i].output_tokens - sequence.left + made_by(sequence);
    if (record.finished) throw std::logic_error("a request ended twice");
    record.finished = true;
    if (shared_.finished) ++*shared_.finished;
    record.finish = now;
}

// Chunks advance; a prompt that is complete delivers a token, and its sequence decodes, here or elsewhere, or has
// ended.
void Replica::prefill(Seconds now) {
    std::size_t complete = 0;
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
        Prefilling& prompt = prefilling_[i];
        prompt.done += chunks_[i];
        prompt.left -= chunks_[i];
        if (prompt.left > 0) break;  // only the last chunk can be a part
        ++complete;
        const auto r = static_cast<std::size_t>(prompt.request);
        const Request& request = shared_.requests[r];
        RequestRecord& record = shared_.records[r];
        if (record.delivered == 0)
            record.first_token = now;
        else
            shared_.gaps.add(now - prompt.delivered, 1);
        ++record.delivered;
        if (shared_.prefixes && request.prefix != kNoPrefix)
            shared_.prefixes->keep(request.prefix, request.prefix_tokens);
        const Running sequence{prompt.request, prompt.done,     request.output_tokens - record.delivered,
                               steps_,         prompt.reserved, now};
        if (hands_over_ && sequence.left > 0) {
            handed_over_.push_back(prompt.request);
        } else if (sequence.left > 0) {
            join(sequence);
        } else {
            context_ += sequence.context;
            finish(sequence, now);
        }
    }
    prefilling_.erase(prefilling_.begin(), prefilling_.begin() + std::ptrdiff_t(complete));
}

void Replica::release(int request) { kv_used_ -= kv_of(request); }

void Replica::lose_rank(int rank, Seconds now, Seconds resumes) {
    if (ranks_ == 0) throw std::logic_error("a replica lost a rank that it did not have");
    --ranks_;
    in_step_ = false;
    paused_until_ = std::max(paused_until_, resumes);
    const auto is_lost = [&](int request) {
        const bool lost = request % spec_.accelerators == rank;
        if (lost) ++shared_.records[static_cast<std::size_t>(request)].losses;
        return lost;
    };
    // From the last to the first, so that they stand in the queue in the order in which they came.
    for (std::size_t i = prefilling_.size(); i-- > 0;)
        if (is_lost(prefilling_[i].request)) {
            kv_used_ -= prefilling_[i].reserved;
            put_back({prefilling_[i].request, 0, false, prefilling_[i].delivered}, now);
            prefilling_.erase(prefilling_.begin() + std::ptrdiff_t(i));
        }
    for (std::size_t i = running_.size(); i-- > 0;)
        if (is_lost(running_[i].request)) {
            put_back(stopped(running_[i]), now);
            running_.erase(running_.begin() + std::ptrdiff_t(i));
        }
    if (is_fixed() && running_.empty() && prefilling_.empty()) {
        kv_used_ = 0;
        padding_ = padding_context_ = 0;
    }
}

}  // namespace strata
