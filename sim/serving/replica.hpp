// One copy of the model that serves: a queue, the sequences in its batch, and its steps. It knows nothing of time but
// what it is told, so a cluster of them is driven by one event loop (serving.cpp).
//
// A decode step costs the same work here whether it has one sequence or a thousand: what a step does to every sequence
// alike is kept as a sum over the batch, and a sequence is looked at only when it joins, ends or leaves. With drafts
// (MTP) each sequence goes its own way and is looked at in each step.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "sim/serving/draft_acceptance.hpp"
#include "sim/serving/gap_histogram.hpp"
#include "sim/serving/kv_link.hpp"
#include "sim/serving/prefix_cache.hpp"
#include "sim/serving/queue_length.hpp"
#include "sim/serving/request.hpp"
#include "sim/serving/request_record.hpp"
#include "sim/serving/step_times.hpp"

namespace strata {

enum class Batching {
    continuous,  // sequences join and leave at every step (Orca, OSDI'22)
    fixed        // a batch runs until its longest sequence ends; those that ended before compute padding
};
enum class PrefillOrder {
    chunked,  // prompts fill up the token budget of steps that also decode (Sarathi-Serve, arXiv 2403.02310)
    first     // whole prompts in steps of their own, while decodes wait
};
enum class Preemption {
    recompute,  // KV is dropped and computed again
    swap        // KV goes to host memory and comes back, while the batch waits
};

struct ReplicaSpec {
    int accelerators = 1;
    int groups = 1;          // data-parallel: each sequence belongs to one, and a step lasts as long as the fullest's
    int wait_steps = 0;      // at most, of prompts while others decode, until every group has one to compute
    int max_batch = 1;       // sequences
    int step_tokens = 8192;  // token budget of a step: one for each decoded and drafted token, the rest for prompts
    double kv_tokens = 0;    // KV capacity
    // Of these, each sequence takes so many beside its own tokens: sliding windows, in units of what a token takes.
    double window_tokens = 0;
    Batching batching = Batching::continuous;
    PrefillOrder prefill_order = PrefillOrder::chunked;
    Preemption preemption = Preemption::recompute;
    KvLink host_link{};  // for swapping
    DraftAcceptance drafts{};
    KvLink prefix_link{};       // from the store of cached prefixes; of no size: they lie where they are used
    Seconds host_time{};        // of each step, for scheduling and sampling on the host
    bool host_overlaps = true;  // asynchronous scheduling: the host prepares a step while the one before runs
    Seconds launch_time{};      // of the kernels of a step with prompts, one by one: it takes no less
    Seconds first_step{};       // more that the first step with prompts takes: what is compiled and set up once
    StepTimes times{};
};

// Throws InputError that begins with `field`.
void check(const ReplicaSpec& spec, const std::string& field);

class Replica {
public:
    // What all replicas of a run share; must outlive them.
    struct Shared {
        const std::vector<Request>& requests;
        std::vector<RequestRecord>& records;
        GapHistogram& gaps;
        PrefixCache* prefixes = nullptr;
        std::size_t* finished = nullptr;  // requests, counted over all replicas
    };
    // A replica that `hands_over` computes prompts only: what follows the first token happens elsewhere.
    Replica(const ReplicaSpec& spec, const Shared& shared, bool hands_over);

    // A request that has `context` tokens of KV with it, all that it needs, or none of them.
    void enqueue(int request, int context, Seconds now);
    // Starts the next step, if there is one to do and none under way; when it will end. Of steps that nobody joins or
    // leaves, those that end before `undisturbed_until` are gone through at once.
    std::optional<Seconds> begin_step(Seconds now, Seconds undisturbed_until);
    // Ends it. Requests to be handed over: their KV stays until `release`.
    const std::vector<int>& end_step(Seconds now);
    void release(int request);

    // The step under way is lost, and the KV of the sequences on `rank`; steps go on at `resumes` with what is left.
    void lose_rank(int rank, Seconds now, Seconds resumes);
    void regain_rank() { ++ranks_; }

    bool serves() const { return ranks_ > 0; }
    int outstanding() const { return int(waiting_.size() + prefilling_.size() + running_.size()); }
    int kv_of(int request) const;  // tokens that it holds after its prefill
    std::int64_t kv_used() const { return kv_used_; }
    Seconds busy() const { return busy_; }
    const QueueLength& queue() const { return queue_; }
    std::int64_t decode_steps() const { return steps_; }
    std::int64_t decoded_tokens() const { return decoded_; }
    std::int64_t recomputed_tokens() const { return recomputed_; }  // of prompts whose KV was lost or made room

private:
    struct Prefilling {
        int request;
        int done, left;     // tokens of its context
        int reserved;       // KV tokens
        Seconds delivered;  // its last token, if it decoded before
    };
    struct Running {
        int request;
        int context;          // KV tokens and
        int left;             // output tokens to come when it joined, or with drafts: now
        std::int64_t joined;  // after so many decode steps of the replica
        int reserved;         // KV tokens, of a fixed batch
        Seconds delivered;    // its last token before it joined
    };
    struct Waiting {
        int request;
        int context;        // tokens of KV that are at hand ...
        bool in_host;       // ... there
        Seconds delivered;  // its last token so far
    };

    std::int64_t capacity(int more = 0) const;
    bool is_fixed() const { return spec_.batching == Batching::fixed; }
    bool separate() const { return is_fixed() || spec_.prefill_order == PrefillOrder::first; }
    int tokens_of_a_decode() const { return 1 + spec_.drafts.drafts(); }
    int made_by(const Running& sequence) const;

    bool make_room(Seconds now);
    bool holds_back();
    void admit(Seconds now);
    void take_up(const Waiting& waiting, int need, Seconds now);
    void compose();
    bool is_quiet() const;
    double filled(double sequences) const;
    Seconds next_step_time();
    Seconds step_time() const;
    void decode(Seconds now);
    void prefill(Seconds now);
    void join(const Running& sequence);
    void finish(const Running& sequence, Seconds now);
    std::int64_t sampled_tokens();
    void drop_finished(Seconds now);
    void count_gaps(Seconds now);
    Waiting stopped(const Running& sequence);
    void put_back(const Waiting& waiting, Seconds now);
    void preempt_last(Seconds now);

    const ReplicaSpec& spec_;
    Shared shared_;
    bool hands_over_;
    int ranks_;

    std::deque<Waiting> waiting_;
    std::vector<Prefilling> prefilling_;  // in order of admission
    std::vector<Running> running_;        // in order of joining
    std::vector<int> handed_over_;
    QueueLength queue_;

    std::int64_t kv_used_ = 0;                        // tokens held or reserved
    std::int64_t context_ = 0;                        // KV tokens of all that run
    std::int64_t padding_ = 0, padding_context_ = 0;  // sequences of a fixed batch that have ended
    std::int64_t steps_ = 0, decoded_ = 0, recomputed_ = 0;
    std::int64_t timed_ = 0;        // steps whose time was asked, those that were lost too
    std::int64_t next_finish_ = 0;  // the decode step that is the last of some sequence; without drafts

    // The step under way.
    bool in_step_ = false, decodes_ = false;
    std::vector<int> chunks_;  // tokens of the first so many of `prefilling_`
    int held_back_ = 0;        // steps for which prompts have waited for those of other groups
    bool warm_ = false;        // a step with prompts was begun before
    Seconds begun_, moved_, fetched_, last_decode_, paused_until_, busy_;
};

}  // namespace strata
