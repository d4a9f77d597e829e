#include "sim/workload/stage_program.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "sim/model/step_ops.hpp"
#include "sim/placement/cache_hits.hpp"
#include "sim/workload/exchange_tasks.hpp"
#include "sim/workload/op_of_rank.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

constexpr std::uint32_t kNone = 0xffffffff;

// A row read over PCIe travels in completions of at most 256 B, each with 24 B around it (framing, 4-dword header,
// LCRC: Intel AN 708). The measured large-copy rate already pays that for full completions; short ones pay more.
double row_efficiency(double row_bytes) {
    constexpr double kCompletion = 256, kOverhead = 24;
    const double completions = std::ceil(row_bytes / kCompletion);
    const double own = row_bytes / (row_bytes + completions * kOverhead);
    return std::min(1.0, own * (kCompletion + kOverhead) / kCompletion);
}

// Sorts edges that are nearly sorted already: most go from one task to the next.
void settle(std::vector<Edge>& edges) {
    for (std::size_t i = 1; i < edges.size(); ++i)
        for (std::size_t j = i; j > 0 && edges[j] < edges[j - 1]; --j) std::swap(edges[j], edges[j - 1]);
}

class StageBuilder {
public:
    StageBuilder(const Scenario& scenario, const StepShape& shape, const Platform& platform, const CostBook& costs,
                 const ProgramInputs& more)
        : scenario_(scenario),
          placement_(scenario.placement),
          platform_(platform),
          costs_(costs),
          shares_(more.shares),
          exchanges_(scenario, platform, shape.tokens(), more),
          tokens_(shape.tokens()),
          step_(step_layers(scenario.model, shape)),
          task_of_op_(step_.ops.size(), kNone),
          prices_(platform, costs, placement_.ranks()) {
        if (placement_.experts == Tier::hbm || scenario.model.ffn.experts <= 0) return;
        const double meeting = tokens_ * std::max(1.0, double(placement_.ep) / placement_.tp);
        hits_ = expert_hits(placement_, scenario.model.ffn, meeting);
    }

    Program build(bool sends_on) {
        std::size_t computations = 0;
        for (const StepLayers::Layer& layer : step_.layers) computations += layer.end - layer.first;
        const std::size_t others = 6 * step_.layers.size();
        program_.tasks.reserve(computations + others, step_.ops.size() + others);
        program_.edges.reserve(computations + 2 * others);
        for (const StepLayers::Layer& layer : step_.layers) add_layer(layer);
        if (sends_on) send_on();
        settle(program_.edges);
        if (shares_) {
            program_.differing_ranks = std::max(placement_.ep, placement_.tp);
            program_.balance = {.load_max_over_mean = shares_->load_max_over_mean(),
                                .ranks_of_a_token = shares_->ranks_of_a_token(),
                                .nodes_of_a_token = shares_->nodes_of_a_token()};
        }
        return std::move(program_);
    }

private:
    // The tasks of a layer, as they can be had again: in all they wait for, only `entry` lies before them.
    struct Block {
        std::size_t op;  // the layer's first
        std::size_t task, tasks, edge, edges;
        std::uint32_t entry, exit;  // the last task before, the last of its own
    };

    // A layer like an earlier one has the same tasks, where tokens spread evenly.
    void add_layer(const StepLayers::Layer& layer) {
        layer_ = layer.number;
        const auto known =
            std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& b) { return b.op == layer.first; });
        if (known != blocks_.end() && awaited_.empty() && gathered_ == kNone) return copy(*known);
        Block block{layer.first, program_.tasks.size(), 0, program_.edges.size(), 0, last_, kNone};
        for (std::size_t i = layer.first; i < layer.end; ++i) add(i, layer);
        block.tasks = program_.tasks.size() - block.task;
        block.edges = program_.edges.size() - block.edge;
        block.exit = last_;
        if (!shares_ && is_whole(block)) blocks_.push_back(block);
    }

    // It waits for something, and leaves nothing to wait for.
    bool is_whole(const Block& block) const {
        const auto edges = program_.edges.begin() + static_cast<std::ptrdiff_t>(block.edge);
        return block.entry != kNone && awaited_.empty() && gathered_ == kNone &&
               std::all_of(edges, program_.edges.end(),
                           [&](const Edge& edge) { return edge.before >= block.task || edge.before == block.entry; });
    }

    void copy(const Block& block) {
        const auto shift = static_cast<std::uint32_t>(program_.tasks.size() - block.task);
        for (std::size_t i = 0; i < block.tasks; ++i) again(block.task + i);
        for (std::size_t i = 0; i < block.edges; ++i) {
            const Edge edge = program_.edges[block.edge + i];
            program_.edges.push_back({edge.before >= block.task ? edge.before + shift : last_, edge.after + shift});
        }
        last_ = block.exit + shift;
    }

    // What is done there, in the layer at work.
    void again(std::size_t task) {
        TaskList::Place place = program_.tasks.place(task);
        place.layer = layer_;
        program_.tasks.push_back(place);
    }

    void add(std::size_t i, const StepLayers::Layer& layer) {
        const Op& op = step_.ops[i];
        const auto* fetch = std::get_if<EngramFetch>(&op.shape);
        if (fetch && placement_.engram != Tier::hbm && fetch->tokens > 0) return fetch_engram(op, *fetch);
        const bool first_of_slot = i == layer.first || step_.ops[i - 1].slot != op.slot;
        const bool last_of_slot = i + 1 == layer.end || step_.ops[i + 1].slot != op.slot;
        if (op.slot == Slot::experts && placement_.host_computes()) {
            if (first_of_slot) on_host_ = experts_on_host(op);
            if (hits_.of_pairs <= 0) {
                if (last_of_slot) results_from_host(op);
                return;
            }
        } else if (op.slot == Slot::experts) {
            if (scenario_.kernels.experts == ExpertKernel::mega && placement_.ep > 1) {
                if (last_of_slot) mega(i);
                return;
            }
            if (first_of_slot) before_experts(op);
        }
        if (placement_.kv != Tier::hbm) fetch_kv(op);
        if (gathered_ != kNone && (op.name == "kv_up" || op.name == "indexer_logits" || op.name == "attention"))
            awaited_.push_back(std::exchange(gathered_, kNone));
        const std::uint32_t like = task_of_op_[op.twin >= 0 ? static_cast<std::size_t>(op.twin) : i];
        last_ = shares_ && op.slot == Slot::experts && shares_->has(layer_) ? append_uneven(op)
                : like != kNone                                             ? append_like(like)
                                                                            : append(computation(op), {last_});
        task_of_op_[i] = last_;
        if (op.name == "router") router_ = last_;
        if (op.name == "qkv_down" && placement_.cp > 1) gather_context(op);
        if (!last_of_slot) return;
        if (op.slot == Slot::vision) gather_pages(op);
        if (op.slot == Slot::experts && placement_.host_computes())
            results_from_host(op);
        else if (op.slot == Slot::experts)
            if (const auto combine = exchange(op, false)) last_ = append_exchange(*combine, false, last_);
        // Tensor ranks hold partial sums after attention and after the feed-forward layer.
        const bool routed_follow = i + 1 < layer.end && step_.ops[i + 1].slot == Slot::experts;
        if (op.slot == Slot::attention || op.slot == Slot::experts || (op.slot == Slot::ffn && !routed_follow))
            all_reduce(op);
    }

    Task computation(const Op& op) const {
        const KernelWork kernel = kernel_work(here(op));
        Task task = named(op, op.name, Lane::compute, Pricing::kernel);
        task.family = kernel.family;
        task.fp8 = kernel.fp8;
        task.flops = kernel.work.flops;
        task.moved = kernel.work.bytes();
        task.point = kernel.point;
        task.spared = kernel.spared;
        task.issued = scenario_.kernels.launch;
        if (const auto* gather = std::get_if<EngramFetch>(&op.shape)) task.row = Bytes(gather->row_bytes);
        return task;
    }

    // What the accelerator computes: of experts that the host computes too, the cached ones.
    KernelShape here(const Op& op) const {
        KernelShape shape = op.shape;
        if (op.slot != Slot::experts || !placement_.host_computes()) return shape;
        if (auto* product = std::get_if<GroupedGemm>(&shape)) {
            product->rows *= hits_.of_pairs;
            product->groups = std::min(product->rows, hits_.cached / placement_.expert_shards());
        } else if (auto* quantise = std::get_if<SwigluQuantise>(&shape)) {
            quantise->rows *= hits_.of_pairs;
        } else if (auto* experts = whole_experts(shape)) {
            const double share = placement_.cached_experts / experts->experts;
            experts->local_experts *= share;
            experts->tokens *= hits_.of_pairs / share;
        }
        return shape;
    }

    // The same computation as task `known`, without pricing it again.
    std::uint32_t append_like(std::uint32_t known) {
        const std::uint32_t index = link({last_}, Lane::compute);
        again(known);
        return index;
    }

    // The next task waits for `before`, and a computation for every fetch that its layer asked for.
    std::uint32_t link(std::initializer_list<std::uint32_t> before, Lane lane) {
        const auto index = static_cast<std::uint32_t>(program_.tasks.size());
        for (const std::uint32_t one : before)
            if (one != kNone) program_.edges.push_back({one, index});
        if (lane != Lane::compute) return index;
        for (const std::uint32_t fetch : awaited_) program_.edges.push_back({fetch, index});
        awaited_.clear();
        return index;
    }

    std::uint32_t append(const Task& asked, std::initializer_list<std::uint32_t> before) {
        const Price cost = prices_.of(asked);
        const std::uint32_t index = link(before, asked.lane);
        Task& task = program_.tasks.push_back(asked, layer_);
        task.duration = cost.duration;
        task.latency = cost.latency;
        task.origin = cost.origin;
        task.overhead = cost.overhead;
        task.memory_bound = cost.memory_bound;
        task.low = cost.low;
        task.high = cost.high;
        task.outside = cost.outside;
        if (task.lane == Lane::scale_up || task.lane == Lane::scale_out) {
            const Machine& machine = platform_.machine;
            const Seconds occupied = task.duration - task.latency;
            task.on_link = occupied * (task.lane == Lane::scale_up ? machine.scale_up : machine.scale_out);
        }
        return index;
    }

    // Tokens leave when the router has decided, beside the shared experts; weights kept below HBM are fetched then too.
    void before_experts(const Op& op) {
        if (placement_.experts != Tier::hbm) fetch_experts(op);
        const auto dispatch = exchange(op, true);
        if (dispatch) awaited_.push_back(append_exchange(*dispatch, true, router_));
    }

    // The share of the rank at this place of the group; neighbours that split experts have the same.
    template <class Of>
    std::vector<double> by_rank(const std::vector<RankShare>& shares, Of of) const {
        const auto group = static_cast<std::size_t>(std::max(placement_.ep, placement_.tp));
        std::vector<double> values(group);
        for (std::size_t rank = 0; rank < group; ++rank) values[rank] = of(shares[rank * shares.size() / group]);
        return values;
    }

    // A group of one rank has nobody to differ from.
    void vary(std::uint32_t task, Variation variation) {
        if (std::max(placement_.ep, placement_.tp) == 1) return;
        program_.tasks.distinct(task).variation = static_cast<int>(program_.variations.size());
        program_.variations.push_back(std::move(variation));
    }

    // The busiest rank's computation, and how long the others take for it.
    std::uint32_t append_uneven(const Op& op) {
        const std::vector<RankShare>& shares = shares_->of_layer(layer_);
        const auto time_of = [&](const RankShare& share) {
            const auto [known, is_new] = uneven_times_.try_emplace({op.name, share.pairs, share.touched});
            if (is_new && share.pairs > 0)
                known->second =
                    price(computation(with_share(op, share)), platform_, costs_, placement_.ranks()).duration;
            return known->second;
        };
        const auto busiest = std::max_element(shares.begin(), shares.end(),
                                              [&](const auto& a, const auto& b) { return time_of(a) < time_of(b); });
        const std::uint32_t task = append(computation(with_share(op, *busiest)), {last_});
        const Seconds longest = program_.tasks[task].duration;
        if (longest > Seconds(0))
            vary(task, {.done = by_rank(shares, [&](const RankShare& share) { return time_of(share) / longest; }),
                        .received = {}});
        return task;
    }

    // What the busiest rank receives of a dispatch, or sends of a combine, takes longest; its peers wait for it.
    std::uint32_t append_exchange(const Task& asked, bool dispatch, std::uint32_t before) {
        const std::uint32_t index = append(asked, {before});
        if (!shares_ || !shares_->has(layer_)) return index;
        Task& task = program_.tasks.distinct(index);
        const std::vector<RankShare>& shares = shares_->of_layer(layer_);
        double RankShare::*const moved = exchanges_.moved_by(task);
        double most = 0;
        for (const RankShare& share : shares) most = std::max(most, share.*moved);
        const double most_over_mean = busiest_over_mean(shares, moved),
                     stretch = exchanges_.stretch(task, layer_, dispatch);
        std::vector<double> uneven = by_rank(shares, [&](const RankShare& share) { return share.*moved / most; });
        std::vector<double> even(uneven.size(), 1 / most_over_mean);
        task.duration = task.latency + (task.duration - task.latency) * stretch;
        task.moved = task.moved * most_over_mean;
        task.on_link = task.on_link * stretch;
        if (dispatch)
            vary(index, {.done = std::move(even), .received = std::move(uneven)});
        else
            vary(index, {.done = std::move(uneven), .received = std::move(even)});
        return index;
    }

    // DeepGEMM's MegaMoE: expert waves are dispatched, computed and combined in one kernel (arXiv 2606.19348, section
    // 3). What cannot overlap is the dispatch of the first wave and the combine of the last. The number of waves is
    // assumed.
    void mega(std::size_t last) {
        constexpr double kWaves = 4;
        if (shares_)
            throw InputError("kernels.experts", "grouped or fused where tokens spread unevenly (workload.routing)",
                             "mega, which is priced as a whole");
        const Op& op = step_.ops[last];
        if (placement_.experts != Tier::hbm) fetch_experts(step_.ops[last - 2]);
        Task kernel = computation(step_.ops[last - 2]);  // gate_up, swiglu, down
        const Task down = computation(op);
        kernel.name = "experts_mega";
        kernel.flops += down.flops;
        kernel.moved += down.moved;
        const auto part = [&](bool dispatch, double share) {
            Task task = *exchange(op, dispatch);
            if (task.pricing == Pricing::exchange) task.pricing = Pricing::overlapped;
            task.moved = task.moved * share;
            if (task.pricing == Pricing::fabric) {
                task.duration = (task.duration - task.latency) * share;
                task.latency = {};
            }
            return task;
        };
        const std::uint32_t sent = append(part(true, 1 / kWaves), {router_});
        const std::uint32_t computed = append(kernel, {last_, sent});
        append(part(true, 1 - 1 / kWaves), {sent});
        const std::uint32_t early = append(part(false, 1 - 1 / kWaves), {sent});
        last_ = append(part(false, 1 / kWaves), {computed, early});
    }

    // Hash addresses are known with the step's tokens, so a prefetch waits for nothing but its lane; a synchronous
    // fetch waits for what stands before it. Either way the next task of the layer waits for the rows.
    void fetch_engram(const Op& op, const EngramFetch& engram) {
        const double hits =
            zipf_hit_rate(placement_.hot_rows, scenario_.model.engram->rows_per_layer(), placement_.zipf_exponent);
        fetch(op, "engram_fetch", placement_.engram, engram.rows() * (1 - hits), engram.row_bytes,
              placement_.prefetch ? kNone : last_);
    }

    // Which experts are needed is known when the router has decided. A matrix is read as a whole.
    void fetch_experts(const Op& op) {
        fetch(op, "expert_fetch", placement_.experts, missed_experts(op), expert_bytes(), router_);
    }

    double expert_width() const {
        return scenario_.model.ffn.width / std::max(1.0, double(placement_.tp) / placement_.ep);
    }
    double expert_bytes() const {
        return 3 * scenario_.model.hidden * expert_width() * bytes_per_element(scenario_.model.experts);
    }

    // Pairs of a token and an expert on this rank.
    static double pairs(const Op& op) {
        KernelShape shape = op.shape;
        const auto* product = std::get_if<GroupedGemm>(&shape);
        return product ? product->rows : whole_experts(shape)->pairs();
    }
    // Experts of this rank with a token and no copy in its memory; not more than it has pairs.
    double missed_experts(const Op& op) const {
        return std::min(hits_.missed / std::max(1, placement_.ep), pairs(op) * (1 - hits_.of_pairs));
    }

    // The router's choice and the tokens cross to the host, whose cores read the experts where they lie.
    std::uint32_t experts_on_host(const Op& op) {
        const std::uint32_t sent = append(to_or_from_host(op, "tokens_to_host"), {router_});
        Task products = named(op, "host_experts", Lane::host_compute, Pricing::host_kernel);
        products.flops = Flops(6 * pairs(op) * (1 - hits_.of_pairs) * scenario_.model.hidden * expert_width());
        products.moved = Bytes(missed_experts(op) * expert_bytes());
        return append(products, {sent});
    }
    void results_from_host(const Op& op) {
        last_ = append(to_or_from_host(op, "results_from_host"), {on_host_, last_});
    }
    Task to_or_from_host(const Op& op, std::string_view name) const {
        Task task = named(op, name, Lane::host_fetch, Pricing::fetch);
        task.moved = task.on_link = Bytes(tokens_ * scenario_.model.hidden * 2);  // in BF16, either way
        task.row = Bytes(scenario_.model.hidden * 2);
        return task;
    }

    // Selected entries are known after the selection (or with that of an earlier layer); all others beforehand. New
    // entries are where they were made, and so are those of a sliding window: of what else is attended only the part
    // that was cached before the step is fetched. That they are written back, beside the step, is not modelled.
    void fetch_kv(const Op& op) {
        const AttentionConfig& attention = scenario_.model.attention;
        const auto [kind, ratio] =
            scenario_.model
                .attention_of[std::min(static_cast<std::size_t>(layer_), scenario_.model.attention_of.size() - 1)];
        const bool selected = kind == AttentionKind::dsa || kind == AttentionKind::csa;
        const double cached = scenario_.workload.cached();
        double entries = 0;
        if (const auto* latent = std::get_if<LatentAttention>(&op.shape))
            entries = latent->sequences * latent->queries / latent->shared_reads *
                      std::max(0.0, latent->attended - attention.window) * cached /
                      (cached + scenario_.workload.queries() / 2);
        else if (const auto* context = std::get_if<ContextAttention>(&op.shape))
            entries = context->sequences * cached;
        constexpr double kPage = 64;  // entries that stand together when all are read
        const double together = selected || kind == AttentionKind::reuse ? 1 : kPage;
        entries *= 1 - kv_hits(placement_, kind, cached / ratio);
        if (entries > 0)
            fetch(op, "kv_fetch", placement_.kv, entries / together, together * attention.entry_bytes,
                  selected ? last_ : kNone);
    }

    // Ranks that share prompts have each other's entries and index keys before they attend; of a window, the one that
    // ends where their own tokens begin.
    void gather_context(const Op& op) {
        const Model& model = scenario_.model;
        const AttentionConfig& attention = model.attention;
        const LayerAttention& layer =
            model.attention_of[std::min(static_cast<std::size_t>(layer_), model.attention_of.size() - 1)];
        if (layer.kind == AttentionKind::reuse) return;  // reads those of an earlier layer
        const bool indexed = layer.kind == AttentionKind::dsa || layer.kind == AttentionKind::csa;
        const double each = attention.entry_bytes + (indexed ? attention.indexer_key_bytes : 0);
        const double others = tokens_ * (placement_.cp - 1) / layer.ratio;
        const double window = scenario_.workload.batch / placement_.dp / placement_.batches() * attention.window;
        Task task = named(op, "gather_context", Lane::scale_up, Pricing::wire);
        task.peers = placement_.tp * placement_.cp;
        if (task.peers > platform_.scale_up_domain) task.lane = Lane::scale_out;
        task.joins = true;
        task.moved = Bytes((layer.kind == AttentionKind::swa ? 0 : others * each) + window * attention.entry_bytes);
        gathered_ = append(task, {last_});
    }

    // Tensor ranks have encoded different pages, and each needs the tokens of all.
    void gather_pages(const Op& op) {
        const Workload& work = scenario_.workload;
        if (placement_.tp <= 1) return;
        const double sequences = work.batch / placement_.dp / placement_.batches() / placement_.cp;
        const double tokens = sequences * vision_tokens(work.optical->prompt_pages()) * (1 - work.prefix_hits);
        const bool inside = placement_.tp <= platform_.scale_up_domain;
        Task task = named(op, "gather_pages", inside ? Lane::scale_up : Lane::scale_out, Pricing::wire);
        task.peers = placement_.tp;
        task.joins = true;
        task.moved = Bytes(tokens * scenario_.model.hidden * 2 * (placement_.tp - 1) / placement_.tp);  // BF16
        last_ = append(task, {last_});
    }

    // `pieces` of `piece_bytes` each from a tier below the accelerator's memory.
    void fetch(const Op& op, std::string_view name, Tier tier, double pieces, double piece_bytes, std::uint32_t after) {
        const bool nvme = tier == Tier::nvme;
        const Lane lane = nvme ? Lane::nvme_fetch : tier == Tier::cxl ? Lane::cxl_fetch : Lane::host_fetch;
        Task task = named(op, name, lane, Pricing::fetch);
        task.moved = Bytes(pieces * piece_bytes);
        task.row = Bytes(piece_bytes);
        task.on_link = task.moved / row_efficiency(piece_bytes);
        if (nvme) {
            task.requests = pieces * std::ceil(piece_bytes / platform_.nvme_granularity);
            task.moved = task.on_link = Bytes(task.requests * platform_.nvme_granularity);
        }
        awaited_.push_back(append(task, {after}));
    }

    std::optional<Task> exchange(const Op& op, bool dispatch) const { return exchanges_.experts(op, dispatch); }

    void all_reduce(const Op& op) {
        if (placement_.tp > 1) last_ = append(exchanges_.all_reduce(op), {last_});
    }

    // All residual streams go to the next stage; tensor ranks hold the same and send a slice each.
    void send_on() {
        const bool inside = placement_.ranks() <= platform_.scale_up_domain;
        const Op& last = step_.ops[step_.layers.back().end - 1];
        Task task = named(last, "to_next_stage", inside ? Lane::scale_up : Lane::scale_out, Pricing::wire);
        task.moved = Bytes(tokens_ * scenario_.model.hidden * scenario_.model.streams * 2 / placement_.tp);
        task.peers = 2;  // a rank of this stage and its counterpart in the next
        last_ = append(task, {last_});
    }

    const Scenario& scenario_;
    const Placement& placement_;
    const Platform& platform_;
    const CostBook& costs_;
    const RankShares* shares_;
    ExchangeTasks exchanges_;
    std::map<std::tuple<std::string_view, double, double>, Seconds> uneven_times_;  // by op, pairs, experts touched
    double tokens_ = 0;                                                             // of this rank
    StepLayers step_;
    std::vector<std::uint32_t> task_of_op_;
    Program program_;
    std::vector<Block> blocks_;
    KnownPrices prices_;
    int layer_ = 0;    // at work
    ExpertHits hits_;  // of a layer's routed experts, where they live below the accelerator's memory
    std::uint32_t last_ = kNone, router_ = kNone, on_host_ = kNone, gathered_ = kNone;
    std::vector<std::uint32_t> awaited_;  // by the next computation
};

}  // namespace

Program stage_program(const Scenario& scenario, const StepShape& shape, bool sends_on, const Platform& platform,
                      const CostBook& costs, const ProgramInputs& more) {
    return StageBuilder(scenario, shape, platform, costs, more).build(sends_on);
}

}  // namespace strata
