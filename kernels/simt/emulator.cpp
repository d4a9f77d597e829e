#include "kernels/simt/emulator.hpp"

#include <ucontext.h>

#include <algorithm>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/simt/emulated_cluster.hpp"

namespace strata {

thread_local EmulatedCluster* EmulatedCluster::current = nullptr;

void EmulatedCluster::enter(unsigned high, unsigned low) {
    auto* self = reinterpret_cast<EmulatedCluster*>((std::uintptr_t(high) << 32) | low);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(nullptr, &self->scheduler_stack_, &self->scheduler_stack_bytes_);
#endif
    const int fibre = self->running_, rank = self->rank_of(fibre);
    Barrier& block = self->blocks_[std::size_t(rank)];
    if (!block.begun) self->spoil(rank);
    block.begun = true;
    try {
        EmulatedThread thread(*self, fibre);
        self->body_(thread);
    } catch (...) {
        self->thrown_ = std::current_exception();
    }
    self->fibres_[std::size_t(fibre)].waiting = Waiting::over;
    if (++block.over == self->grid_.threads) self->spoil(rank);
    ++self->whole_.over;
    self->release(Waiting::block, rank * self->grid_.threads, self->grid_.threads);
    self->release(Waiting::cluster, 0, int(self->fibres_.size()));
    self->leave();
}

void EmulatedCluster::leave() {
    Fibre& fibre = fibres_[std::size_t(running_)];
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(fibre.waiting == Waiting::over ? nullptr : &fibre.fake_stack, scheduler_stack_,
                                   scheduler_stack_bytes_);
#endif
    swapcontext(&fibre.context, &scheduler_);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fibre.fake_stack, nullptr, nullptr);
#endif
}

void EmulatedCluster::switch_to(int index) {
    Fibre& fibre = fibres_[std::size_t(index)];
    running_ = index;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&scheduler_fake_, fibre.stack->base(), Stack::kBytes);
#endif
    swapcontext(&scheduler_, &fibre.context);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(scheduler_fake_, nullptr, nullptr);
#endif
}

void EmulatedCluster::run(int first_block, int row) {
    current = this;
    first_block_ = first_block;
    row_ = row;
    warps_.assign(fibres_.size() / 32, {});
    held_.assign(warps_.size(), false);
    blocks_.assign(std::size_t(grid_.cluster), {});
    groups_.assign(std::size_t(grid_.cluster) * 16, {});
    copies_.clear();
    whole_ = {};
    shared_.resize(std::size_t(grid_.cluster));
    for (std::vector<Kibibyte>& block : shared_) block.resize(grid_.shared_bytes / sizeof(Kibibyte) + 1);
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    for (Fibre& fibre : fibres_) {
        fibre.waiting = Waiting::nothing;
        fibre.meetings = 0;
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack->base();
        fibre.context.uc_stack.ss_size = Stack::kBytes;
        fibre.context.uc_link = nullptr;
        makecontext(&fibre.context, reinterpret_cast<void (*)()>(&EmulatedCluster::enter), 2, unsigned(self >> 32),
                    unsigned(self));
    }
    order_of_fibres_.resize(fibres_.size());
    for (std::size_t i = 0; i < fibres_.size(); ++i) order_of_fibres_[i] = int(i);
    if (order_ == ThreadOrder::reversed) std::reverse(order_of_fibres_.begin(), order_of_fibres_.end());
    while (whole_.over < int(fibres_.size())) {
        const bool moved = order_ == ThreadOrder::shuffled ? advance_shuffled() : advance_far();
        if (!moved && std::ranges::find(held_, true) == held_.end()) report_deadlock();
        if (!moved) held_.assign(held_.size(), false);
    }
    if (!copies_.empty()) throw std::logic_error("emulator: a block ends before a copy that nobody has waited for");
}

// Runs those of `count` fibres, from place `first` of the order on, that wait for nothing.
bool EmulatedCluster::run_some(int first, int count) {
    bool moved = false;
    for (int i = first; i < first + count; ++i) {
        const int fibre = order_of_fibres_[std::size_t(i)];
        if (fibres_[std::size_t(fibre)].waiting != Waiting::nothing || held_[std::size_t(fibre) / 32]) continue;
        moved = true;
        switch_to(fibre);
        if (thrown_) std::rethrow_exception(thrown_);
    }
    return moved;
}

// A little of everyone, now and then with some warps or blocks held back.
bool EmulatedCluster::advance_shuffled() {
    std::shuffle(order_of_fibres_.begin(), order_of_fibres_.end(), random_);
    if (random_() % 4 == 0) hold_some();
    return run_some(0, int(fibres_.size()));
}

// A warp goes as far as it can without the other warps, and a block without the other blocks: what is read too late, or
// written too early, for want of a barrier comes out wrong.
bool EmulatedCluster::advance_far() {
    bool moved = false;
    for (int block = 0; block < int(fibres_.size()); block += grid_.threads)
        for (bool again = true; again;) {
            again = false;
            for (int warp = block; warp < block + grid_.threads; warp += 32)
                while (run_some(warp, 32)) again = moved = true;
        }
    return moved;
}

// Lets some warps, or all warps of some blocks, run ahead of the others: as far as barriers let them.
void EmulatedCluster::hold_some() {
    const bool whole_blocks = random_() % 2 == 0;
    std::vector<bool> draw(held_.size());
    for (std::size_t i = 0; i < draw.size(); ++i) draw[i] = random_() % 2 == 0;
    for (std::size_t warp = 0; warp < held_.size(); ++warp)
        held_[warp] = draw[whole_blocks ? std::size_t(rank_of(int(warp) * 32)) : warp];
}

// Lets a barrier's threads go once all that have not ended are there.
void EmulatedCluster::release(Waiting barrier, int first, int count) {
    Barrier& at = barrier == Waiting::block ? blocks_[std::size_t(first / grid_.threads)] : whole_;
    if (at.arrived == 0 || at.arrived + at.over < count) return;
    at.arrived = 0;
    for (int fibre = first; fibre < first + count; ++fibre)
        if (fibres_[std::size_t(fibre)].waiting == barrier) fibres_[std::size_t(fibre)].waiting = Waiting::nothing;
}

void EmulatedCluster::wait_at(int fibre, Waiting barrier) {
    const bool of_block = barrier == Waiting::block;
    fibres_[std::size_t(fibre)].waiting = barrier;
    fibres_[std::size_t(fibre)].operation = of_block ? "sync" : "sync_cluster";
    const int rank = rank_of(fibre);
    ++(of_block ? blocks_[std::size_t(rank)] : whole_).arrived;
    release(barrier, of_block ? rank * grid_.threads : 0, of_block ? grid_.threads : int(fibres_.size()));
    if (fibres_[std::size_t(fibre)].waiting != Waiting::nothing) leave();
}

// Ends the phase of a mailbox if all that is expected has come.
void EmulatedCluster::deliver(EmulatedMailbox& box) {
    if (!box.expected || box.missing != 0) return;
    box = {.missing = 0, .expected = 0, .parity = std::int16_t(1 - box.parity)};
    for (Fibre& fibre : fibres_)
        if (fibre.waiting == Waiting::mail && fibre.mailbox == &box) fibre.waiting = Waiting::nothing;
}

// Until the phase of that parity has ended.
void EmulatedCluster::wait_for_mail(int fibre, const EmulatedMailbox& box, int parity) {
    if (box.parity != parity) return;
    Fibre& own = fibres_[std::size_t(fibre)];
    own.waiting = Waiting::mail;
    own.mailbox = &box;
    own.operation = "wait_for_mail";
    leave();
}

// A lane lays down its value and waits for the other 31.
void EmulatedCluster::meet(int fibre, std::uint64_t value, const char* operation) {
    WarpTable& table = warps_[std::size_t(fibre) / 32];
    Fibre& own = fibres_[std::size_t(fibre)];
    if (table.arrived > 0 && std::strcmp(table.operation, operation) != 0)
        throw std::logic_error("emulator: lane " + std::to_string(fibre % 32) + " of warp " +
                               std::to_string(fibre % grid_.threads / 32) + " comes to " + operation +
                               " while others of its warp wait in " + table.operation);
    table.operation = operation;
    table.values[own.meetings++ % 2][fibre % 32] = value;
    if (++table.arrived == 32) {
        table.arrived = 0;
        for (int lane = fibre / 32 * 32; lane < fibre / 32 * 32 + 32; ++lane)
            fibres_[std::size_t(lane)].waiting = Waiting::nothing;
        return;
    }
    own.waiting = Waiting::warp;
    own.operation = operation;
    leave();
}

std::uint64_t EmulatedCluster::exchange(int fibre, std::uint64_t value, int from_lane, const char* operation) {
    meet(fibre, value, operation);
    return values_of(fibre)[from_lane];
}

unsigned EmulatedCluster::ballot(int fibre, bool predicate) {
    meet(fibre, predicate, "ballot");
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane)
        if (values_of(fibre)[lane]) bits |= 1u << lane;
    return bits;
}

unsigned EmulatedCluster::match_any(int fibre, unsigned value) {
    meet(fibre, value, "match_any");
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane)
        if (values_of(fibre)[lane] == value) bits |= 1u << lane;
    return bits;
}

unsigned EmulatedCluster::largest(int fibre, unsigned value) {
    meet(fibre, value, "largest");
    return unsigned(*std::ranges::max_element(values_of(fibre)));
}

// The values of all lanes; they stay until the next meeting but one.
const std::uint64_t* EmulatedCluster::lay_down(int fibre, std::uint64_t value, const char* operation) {
    meet(fibre, value, operation);
    return values_of(fibre);
}

void EmulatedCluster::report_deadlock() const {
    std::string waiting;
    int named = 0;
    for (std::size_t i = 0; i < fibres_.size() && named < 4; ++i)
        if (fibres_[i].waiting != Waiting::over) {
            waiting += (named++ ? ", " : "") + std::string("thread ") + std::to_string(int(i) % grid_.threads) +
                       " of block " + std::to_string(first_block_ + rank_of(int(i))) + " in " + fibres_[i].operation;
        }
    throw std::logic_error("emulator: threads wait for others that never come: " + waiting + "; " +
                           std::to_string(whole_.over) + " of " + std::to_string(fibres_.size()) + " have ended");
}

EmulatedThread EmulatedThread::running() {
    if (!EmulatedCluster::current) throw std::logic_error("emulator: no fibre is running");
    return {*EmulatedCluster::current, EmulatedCluster::current->fibre_that_runs()};
}
int EmulatedThread::thread() const { return fibre_ % cluster_.grid().threads; }
int EmulatedThread::threads() const { return cluster_.grid().threads; }
int EmulatedThread::block() const { return cluster_.first_block() + cluster_.rank_of(fibre_); }
int EmulatedThread::blocks() const { return cluster_.grid().blocks; }
int EmulatedThread::row() const { return cluster_.row(); }
int EmulatedThread::rows() const { return cluster_.grid().rows; }
void EmulatedThread::sync() { cluster_.wait_at(fibre_, EmulatedCluster::Waiting::block); }
void EmulatedThread::sync_warp() { exchange(0, 0, "sync_warp"); }
unsigned EmulatedThread::ballot(bool predicate) { return cluster_.ballot(fibre_, predicate); }
unsigned EmulatedThread::match_any(unsigned value) { return cluster_.match_any(fibre_, value); }
unsigned EmulatedThread::largest(unsigned value) { return cluster_.largest(fibre_, value); }
unsigned char* EmulatedThread::shared() const { return cluster_.shared(cluster_.rank_of(fibre_)); }
int EmulatedThread::cluster_rank() const { return cluster_.rank_of(fibre_); }
int EmulatedThread::cluster_size() const { return cluster_.grid().cluster; }
void EmulatedThread::sync_cluster() { cluster_.wait_at(fibre_, EmulatedCluster::Waiting::cluster); }
std::uint64_t EmulatedThread::exchange(std::uint64_t value, int from_lane, const char* operation) {
    return cluster_.exchange(fibre_, value, from_lane, operation);
}
void EmulatedThread::deliver(EmulatedMailbox* box) { cluster_.deliver(*box); }
void EmulatedThread::wait_for_mail(EmulatedMailbox* mine, int parity) { cluster_.wait_for_mail(fibre_, *mine, parity); }
const std::uint64_t* EmulatedThread::lay_down(std::uint64_t value, const char* operation) {
    return cluster_.lay_down(fibre_, value, operation);
}
unsigned char* EmulatedThread::shared_at(int rank, unsigned char* mine) const {
    return cluster_.shared(rank) + (mine - shared());
}

void emulate(const Grid& grid, ThreadOrder order, const std::function<void(EmulatedThread&)>& body,
             std::uint64_t seed) {
    if (grid.threads < 32 || grid.threads > 1024 || grid.threads % 32 != 0)
        throw std::logic_error("emulator: a block of " + std::to_string(grid.threads) +
                               " threads; expected a multiple of 32 up to 1024");
    if (grid.blocks < 1 || grid.rows < 1 || grid.rows > 65535 || grid.cluster < 1 || grid.cluster > 16 ||
        grid.blocks % grid.cluster != 0 || grid.shared_bytes > 227 * 1024)
        throw std::logic_error("emulator: a grid that no GPU takes: " + std::to_string(grid.blocks) + " x " +
                               std::to_string(grid.rows) + " blocks in clusters of " + std::to_string(grid.cluster) +
                               ", " + std::to_string(grid.shared_bytes) + " B of shared memory");
    const int across = grid.blocks / grid.cluster;
    std::vector<int> clusters;
    for (int one = 0; one < across * grid.rows; ++one) clusters.push_back(one);
    if (order == ThreadOrder::reversed) std::reverse(clusters.begin(), clusters.end());
    if (order == ThreadOrder::shuffled) std::shuffle(clusters.begin(), clusters.end(), std::mt19937_64(seed));
    EmulatedCluster running(grid, order, body, seed);
    for (const int one : clusters) running.run(one % across * grid.cluster, one / across);
}

}  // namespace strata
