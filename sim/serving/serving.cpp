#include "sim/serving/serving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <limits>
#include <queue>

namespace strata {

namespace {

// What happens at one time happens in this order: ranks fail before the step that would have ended, steps end before
// what they free is given to others.
enum class Kind : std::uint8_t { failure, repair, step_end, kv_arrival, resumption };

struct Event {
    Seconds at;
    Kind kind;
    int index;  // of a failure, a replica or a request
    int step;   // of a step's end: which one, as a failure may have made it void
    auto operator<=>(const Event&) const = default;
};

void check(const ServingSpec& spec) {
    const auto check_pool = [](const ReplicaPool& pool, const std::string& field) {
        check(pool.replica, field);
        if (pool.replicas < 1) throw InputError(field + ".replicas", "at least 1", fmt::format("{}", pool.replicas));
    };
    check_pool(spec.pool, "pool");
    if (spec.decode) {
        check_pool(spec.decode->pool, "decode");
        for (const ReplicaPool* pool : {&spec.pool, &spec.decode->pool})
            if (pool->replica.batching == Batching::fixed)
                throw InputError("batching", "continuous batching where prefill and decode are apart", "fixed");
    }
    for (const RankFailure& failure : spec.failures) {
        const ReplicaPool* pool = !failure.in_decode_pool ? &spec.pool : spec.decode ? &spec.decode->pool : nullptr;
        if (!pool || failure.replica < 0 || failure.replica >= pool->replicas || failure.rank < 0 ||
            failure.rank >= pool->replica.accelerators)
            throw InputError("rank_failures", "a rank of a replica that is there",
                             fmt::format("rank {} of replica {}", failure.rank, failure.replica));
        if (!(failure.repaired >= failure.pause && failure.pause >= Seconds(0)))
            throw InputError("failures.repaired", "a repair no earlier than the end of the pause",
                             fmt::format("{} s", failure.repaired.si()));
    }
}

constexpr int kMostTokens = 1'000'000'000;  // of input and of output: their sum fits in an int

void check(const ServingSpec& spec, const std::vector<Request>& requests) {
    check(spec);
    if (spec.users < 0) throw InputError("users", "at least 0", fmt::format("{}", spec.users));
    if (requests.empty()) throw InputError("requests", "at least one", "none");
    const auto fits = [](const ReplicaSpec& replica, int tokens) {
        return tokens - 1.0 + replica.drafts.drafts() + replica.window_tokens <= replica.kv_tokens;
    };
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const Request& request = requests[i];
        const auto refuse = [i](const char* expected, const std::string& found) {
            throw InputError(fmt::format("request {}", i), expected, found);
        };
        const std::string lengths = fmt::format("{} and {}", request.input_tokens, request.output_tokens);
        if (std::min(request.input_tokens, request.output_tokens) < 1 ||
            std::max(request.input_tokens, request.output_tokens) > kMostTokens)
            refuse("1 to 1e9 tokens of input and of output", lengths);
        const Seconds before = i > 0 ? requests[i - 1].arrival : Seconds(0);
        if (!(request.arrival >= before) || std::isinf(request.arrival.si()))
            refuse("an arrival no earlier than the one before", fmt::format("{} s", request.arrival.si()));
        const int whole = request.input_tokens + request.output_tokens;
        if (!fits(spec.pool.replica, spec.decode ? request.input_tokens + 1 : whole) ||
            (spec.decode && !fits(spec.decode->pool.replica, whole)))
            refuse("room in kv_tokens for it by itself", lengths);
    }
}

class ServingCluster {
public:
    ServingCluster(const ServingSpec& spec, std::vector<Request> requests)
        : spec_(spec), requests_(std::move(requests)), records_(requests_.size()), prefixes_(spec.prefix_cache_tokens) {
        const Replica::Shared shared{requests_, records_, gaps_, spec.prefix_cache_tokens > 0 ? &prefixes_ : nullptr,
                                     &finished_};
        for (int i = 0; i < spec.pool.replicas; ++i)
            replicas_.emplace_back(spec.pool.replica, shared, spec.decode.has_value());
        first_of_decode_ = replicas_.size();
        for (int i = 0; spec.decode && i < spec.decode->pool.replicas; ++i)
            replicas_.emplace_back(spec.decode->pool.replica,
                                   Replica::Shared{requests_, records_, gaps_, nullptr, &finished_}, false);
        steps_.resize(replicas_.size());
        link_free_.resize(first_of_decode_);
        sender_.resize(spec.decode ? requests_.size() : 0);
        for (std::size_t i = 0; i < spec.failures.size(); ++i)
            events_.push({spec.failures[i].at, Kind::failure, static_cast<int>(i), 0});
    }

    ServingRun run() {
        while (arrived_ < requests_.size() || !events_.empty()) {
            const Seconds now = events_.empty() ? next_arrival() : std::min(next_arrival(), events_.top().at);
            while (!events_.empty() && events_.top().at == now) {
                const Event event = events_.top();
                events_.pop();
                happen(event);
            }
            for (; is_due(now); ++arrived_) {
                requests_[arrived_].arrival = now;
                enqueue(chosen(0, first_of_decode_), static_cast<int>(arrived_), 0, now);
            }
            begin_steps(now);
        }
        return result();
    }

private:
    // When somebody next asks whatever happens before; in a closed loop only at the beginning.
    Seconds next_arrival() const {
        if (arrived_ == requests_.size() || (spec_.users > 0 && arrived_ > 0))
            return Seconds(std::numeric_limits<double>::infinity());
        return spec_.users > 0 ? Seconds(0) : requests_[arrived_].arrival;
    }
    bool is_due(Seconds now) const {
        if (arrived_ == requests_.size()) return false;
        return spec_.users > 0 ? arrived_ - finished_ < static_cast<std::size_t>(spec_.users)
                               : requests_[arrived_].arrival == now;
    }

    void happen(const Event& event) {
        switch (event.kind) {
            case Kind::step_end: return end_step(static_cast<std::size_t>(event.index), event.step, event.at);
            case Kind::kv_arrival: return receive(event.index, event.at);
            case Kind::resumption: touched_.push_back(static_cast<std::size_t>(event.index)); return;
            case Kind::failure: return fail(spec_.failures[static_cast<std::size_t>(event.index)]);
            case Kind::repair: {
                const std::size_t replica = place_of(spec_.failures[static_cast<std::size_t>(event.index)]);
                replicas_[replica].regain_rank();
                touched_.push_back(replica);
            }
        }
    }

    std::size_t place_of(const RankFailure& failure) const {
        return static_cast<std::size_t>(failure.replica) + (failure.in_decode_pool ? first_of_decode_ : 0);
    }

    void fail(const RankFailure& failure) {
        const std::size_t replica = place_of(failure);
        const Seconds resumes = failure.at + failure.pause;
        if (!replicas_[replica].serves()) return;  // nothing is left that could fail
        replicas_[replica].lose_rank(failure.rank, failure.at, resumes);
        ++steps_[replica];
        events_.push({resumes, Kind::resumption, static_cast<int>(replica), 0});
        events_.push(
            {failure.at + failure.repaired, Kind::repair, static_cast<int>(&failure - spec_.failures.data()), 0});
    }

    // The one with the fewest outstanding requests of those that serve, or of all if none does.
    std::size_t chosen(std::size_t begin, std::size_t end) const {
        std::size_t best = begin;
        const auto rank = [&](std::size_t i) { return std::pair(!replicas_[i].serves(), replicas_[i].outstanding()); };
        for (std::size_t i = begin + 1; i < end; ++i)
            if (rank(i) < rank(best)) best = i;
        return best;
    }

    void enqueue(std::size_t replica, int request, int context, Seconds now) {
        replicas_[replica].enqueue(request, context, now);
        touched_.push_back(replica);
    }

    // Before that, nothing reaches a replica that begins a step now. Without transfers only arrivals and failures do,
    // not the steps of others; with them, the steps of prefill replicas, which begin first.
    Seconds undisturbed_until() const {
        Seconds until = next_arrival();
        if ((spec_.decode || spec_.users > 0 || !spec_.failures.empty()) && !events_.empty())
            until = std::min(until, events_.top().at);
        return until;
    }

    void begin_steps(Seconds now) {
        std::sort(touched_.begin(), touched_.end());
        touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
        for (const std::size_t replica : touched_)
            if (const auto end = replicas_[replica].begin_step(now, undisturbed_until()))
                events_.push({*end, Kind::step_end, static_cast<int>(replica), steps_[replica]});
        touched_.clear();
    }

    void end_step(std::size_t replica, int step, Seconds now) {
        if (step != steps_[replica]) return;
        ++steps_[replica];
        touched_.push_back(replica);
        for (const int request : replicas_[replica].end_step(now)) {
            Seconds& free = link_free_[replica];
            free = std::max(free, now) + spec_.decode->link.time(replicas_[replica].kv_of(request));
            sender_[static_cast<std::size_t>(request)] = replica;
            events_.push({free, Kind::kv_arrival, request, 0});
        }
    }

    // KV that finds no room in the decode replica waits in that node's host memory.
    void receive(int request, Seconds now) {
        const std::size_t sender = sender_[static_cast<std::size_t>(request)];
        replicas_[sender].release(request);
        if (spec_.decode->delivers_first) records_[static_cast<std::size_t>(request)].first_token = now;
        touched_.push_back(sender);
        enqueue(chosen(first_of_decode_, replicas_.size()), request, replicas_[sender].kv_of(request), now);
    }

    ServingRun result() {
        const int decoding = spec_.decode ? spec_.decode->pool.replicas * spec_.decode->pool.replica.accelerators : 0;
        const int accelerators = spec_.pool.replicas * spec_.pool.replica.accelerators;
        ServingRun run{{}, metrics_of(requests_, records_, gaps_, spec_.limits, accelerators + decoding)};
        run.metrics.pool = pool_metrics(0, first_of_decode_, accelerators, run.metrics.duration);
        if (spec_.decode)
            run.metrics.decode_pool = pool_metrics(first_of_decode_, replicas_.size(), decoding, run.metrics.duration);
        for (const Replica& replica : replicas_) run.metrics.recomputed_tokens += replica.recomputed_tokens();
        run.records = std::move(records_);
        return run;
    }

    PoolMetrics pool_metrics(std::size_t begin, std::size_t end, int accelerators, Seconds duration) const {
        PoolMetrics metrics{.accelerators = accelerators};
        double steps = 0, tokens = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const Replica& replica = replicas_[i];
            metrics.utilisation += replica.busy() / duration / double(end - begin);
            metrics.queue_mean += replica.queue().waited() / duration;
            metrics.queue_most = std::max(metrics.queue_most, replica.queue().most());
            steps += double(replica.decode_steps());
            tokens += double(replica.decoded_tokens());
        }
        metrics.batch_mean = steps > 0 ? tokens / steps : 0;
        return metrics;
    }

    const ServingSpec& spec_;
    std::vector<Request> requests_;
    std::vector<RequestRecord> records_;
    GapHistogram gaps_;
    PrefixCache prefixes_;
    std::vector<Replica> replicas_;  // those that do prefill, then those of the decode pool
    std::size_t first_of_decode_ = 0;
    std::vector<int> steps_;            // of each replica: how many ended or were lost
    std::vector<Seconds> link_free_;    // of each prefill replica
    std::vector<std::size_t> sender_;   // of each request's KV
    std::vector<std::size_t> touched_;  // replicas that may have something to begin
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::size_t arrived_ = 0, finished_ = 0;
};

}  // namespace

ServingRun simulate_serving(const ServingSpec& spec, const std::vector<Request>& requests) {
    check(spec, requests);
    return ServingCluster(spec, requests).run();
}

}  // namespace strata
