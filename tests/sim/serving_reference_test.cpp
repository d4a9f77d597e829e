// The replica, which keeps sums over its batch, against the same rules played out token by token.
#include <gtest/gtest.h>

#include <deque>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"

namespace strata {
namespace {

StepTimes plain_times() {
    return {.decode = [](double batch, double context) { return Seconds(1e-2 + 1e-5 * batch + 1e-8 * context); },
            .prefill = [](double tokens, double context) { return Seconds(1e-5 * tokens * (1 + 1e-5 * context)); }};
}

// One replica, continuous batching, chunked prefill, preemption by recomputing: no sums, no shortcuts.
class TokenByToken {
public:
    TokenByToken(const ReplicaSpec& spec, const std::vector<Request>& requests) : spec_(spec), requests_(requests) {
        for (const Request& request : requests) sequences_.push_back({request.input_tokens, 0, 0, {}});
    }

    std::vector<RequestRecord> run() {
        Seconds now;
        std::size_t arrived = 0, finished = 0;
        while (finished < requests_.size()) {
            if (batch_.empty() && waiting_.empty()) now = std::max(now, requests_[arrived].arrival);
            for (; arrived < requests_.size() && requests_[arrived].arrival <= now; ++arrived)
                waiting_.push_back(arrived);
            now += step();
            // Who arrived at the very end of a step is seen by the next.
            std::vector<std::size_t> left;
            for (const std::size_t i : batch_) {
                Sequence& sequence = sequences_[i];
                if (sequence.computed < sequence.target) {
                    left.push_back(i);
                    continue;
                }
                if (!sequence.delivers) {
                    left.push_back(i);
                    continue;
                }
                if (sequence.record.delivered++ == 0) sequence.record.first_token = now;
                if (sequence.record.delivered < requests_[i].output_tokens) {
                    sequence.target = sequence.computed + 1;
                    left.push_back(i);
                } else {
                    sequence.record.finish = now;
                    sequence.record.finished = true;
                    ++finished;
                }
            }
            batch_ = left;
        }
        std::vector<RequestRecord> records;
        for (Sequence& sequence : sequences_) records.push_back(sequence.record);
        return records;
    }

private:
    struct Sequence {
        int target;    // tokens whose KV the next token needs
        int computed;  // of them
        int chunk;     // computed in this step
        RequestRecord record;
        bool prefilling = true, delivers = false;
    };

    bool decoding(std::size_t i) const { return !sequences_[i].prefilling; }

    Seconds step() {
        // Room for what the decodes add, from the end of the batch.
        bool preempted = false;
        const auto held = [&] {
            double tokens = 0;
            for (const std::size_t i : batch_)
                tokens += (decoding(i) ? sequences_[i].computed : sequences_[i].target) + spec_.window_tokens;
            return tokens;
        };
        const auto decodes = [&] {
            return double(std::count_if(batch_.begin(), batch_.end(), [&](auto i) { return decoding(i); }));
        };
        while (decodes() > 0 && held() + decodes() > spec_.kv_tokens) {
            // The prompts stand behind the decodes: they were admitted later.
            const std::size_t last = batch_.back();
            batch_.pop_back();
            sequences_[last].computed = 0;
            sequences_[last].prefilling = true;
            sequences_[last].target = requests_[last].input_tokens + sequences_[last].record.delivered;
            ++sequences_[last].record.preemptions;
            waiting_.push_front(last);
            preempted = true;
        }
        while ((!preempted || decodes() == 0) && !waiting_.empty() && int(batch_.size()) < spec_.max_batch) {
            const std::size_t next = waiting_.front();
            if (held() + sequences_[next].target + spec_.window_tokens + decodes() > spec_.kv_tokens) break;
            waiting_.pop_front();
            batch_.push_back(next);
        }
        double batch = 0, context = 0, tokens = 0, pairs = 0;
        int budget = spec_.step_tokens - int(decodes());
        for (const std::size_t i : batch_) {
            Sequence& sequence = sequences_[i];
            sequence.delivers = false;
            if (decoding(i)) {
                ++batch;
                context += sequence.computed;
                sequence.chunk = 1;
            } else {
                sequence.chunk = std::min(budget, sequence.target - sequence.computed);
                budget -= sequence.chunk;
                tokens += sequence.chunk;
                pairs += sequence.chunk * (sequence.computed + sequence.chunk / 2.0);
            }
            sequence.computed += sequence.chunk;
            if (sequence.chunk > 0 && sequence.computed == sequence.target) {
                sequence.delivers = true;
                sequence.prefilling = false;
            }
        }
        Seconds time;
        if (batch > 0) time += spec_.times.decode(batch, context);
        if (tokens > 0) time += spec_.times.prefill(tokens, pairs / tokens);
        return time;
    }

    const ReplicaSpec& spec_;
    const std::vector<Request>& requests_;
    std::vector<Sequence> sequences_;
    std::deque<std::size_t> waiting_;
    std::vector<std::size_t> batch_;
};

void expect_same(double kv_tokens, double per_second, bool preempts, double window_tokens = 0) {
    ServingSpec spec;
    spec.pool.replica = {.max_batch = 32, .step_tokens = 256, .kv_tokens = kv_tokens, .window_tokens = window_tokens};
    spec.pool.replica.times = plain_times();
    const auto requests = synthetic_requests({.requests = 3000,
                                              .per_second = per_second,
                                              .input = LogNormalLength{200, 0.7, 2000},
                                              .output = UniformLength{1, 200},
                                              .seed = 7});
    const ServingRun fast = simulate_serving(spec, requests);
    const auto slow = TokenByToken(spec.pool.replica, requests).run();
    EXPECT_EQ(fast.metrics.preemptions > 0, preempts);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ASSERT_EQ(fast.records[i].first_token, slow[i].first_token) << i;
        ASSERT_EQ(fast.records[i].finish, slow[i].finish) << i;
        ASSERT_EQ(fast.records[i].preemptions, slow[i].preemptions) << i;
    }
}

TEST(ServingReference, gives_the_same_times_to_the_last_bit) { expect_same(1e6, 12, false); }
TEST(ServingReference, gives_the_same_times_when_idle_in_between) { expect_same(1e6, 0.5, false); }
TEST(ServingReference, gives_the_same_times_and_preemptions_when_kv_is_scarce) { expect_same(4000, 12, true); }
TEST(ServingReference, gives_the_same_times_and_preemptions_with_sliding_windows) {
    expect_same(6000, 12, true, 128.4);
}

}  // namespace
}  // namespace strata
