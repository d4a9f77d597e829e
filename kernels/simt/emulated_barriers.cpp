// The emulator's barriers in shared memory (mbarrier), those of a group of threads (bar.sync), and the copies that
// complete on a barrier. A copy is brought as late as it may be: when somebody waits for it.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/simt/emulated_cluster.hpp"

namespace strata {

namespace {

constexpr int kGroupBarriers = 16;  // a block's, PTX ISA section bar; number 0 is __syncthreads'
constexpr unsigned kOpened = 0x2D;

void check_opened(const EmulatedBarrier& at, const char* doing) {
    if (at.opened != kOpened)
        throw std::logic_error(std::string("emulator: ") + doing + " a barrier that nobody has opened");
}

}  // namespace

void EmulatedThread::open_barrier(Barrier* mine, int arrivals) {
    if (arrivals < 1 || arrivals > 1024)
        throw std::logic_error("emulator: a barrier of " + std::to_string(arrivals) + " arrivals; expected 1 to 1024");
    shared_address(mine);
    *mine = {.arrivals = std::uint16_t(arrivals),
             .missing = std::uint16_t(arrivals),
             .bytes = 0,
             .parity = 0,
             .opened = kOpened};
}
void EmulatedThread::arrive(Barrier* mine) { cluster_.arrive(*mine, 0); }
void EmulatedThread::arrive_expecting(Barrier* mine, int bytes) { cluster_.arrive(*mine, bytes); }
void EmulatedThread::wait(Barrier* mine, int parity) { cluster_.wait(fibre_, *mine, parity); }
void EmulatedThread::sync_group(int barrier, int threads) { cluster_.wait_for_group(fibre_, barrier, threads); }
void EmulatedThread::copy_later(Barrier* mine, int bytes, std::function<void()> copy) {
    cluster_.copy_later(*mine, bytes, std::move(copy));
}

std::uint32_t EmulatedThread::shared_address(const void* mine) const {
    const auto offset = static_cast<const unsigned char*>(mine) - shared();
    if (offset < 0 || offset >= std::ptrdiff_t(cluster_.grid().shared_bytes))
        throw std::logic_error("emulator: an address that is not in the block's shared memory, " +
                               std::to_string(offset) + " bytes from its begin");
    return std::uint32_t(offset) + kSharedWindow;
}

unsigned char* EmulatedThread::at_shared_address(std::uint32_t address, int bytes) const {
    if (address < kSharedWindow || address - kSharedWindow + std::size_t(bytes) > cluster_.grid().shared_bytes)
        throw std::logic_error("emulator: " + std::to_string(bytes) + " bytes at " +
                               std::to_string(std::int64_t(address) - kSharedWindow) + " of shared memory that has " +
                               std::to_string(cluster_.grid().shared_bytes));
    return shared() + (address - kSharedWindow);
}

void EmulatedCluster::arrive(EmulatedBarrier& at, int bytes_expected) {
    check_opened(at, "arriving at");
    if (at.missing == 0)
        throw std::logic_error("emulator: more arrivals at a barrier than the " + std::to_string(at.arrivals) +
                               " that it was opened for");
    --at.missing;
    at.bytes += bytes_expected;
    if (awaited(at)) bring_copies(at);
    end_phase_if_complete(at);
}

void EmulatedCluster::wait(int fibre, EmulatedBarrier& at, int parity) {
    check_opened(at, "waiting for");
    bring_copies(at);
    if (int(at.parity) != parity) return;
    Fibre& own = fibres_[std::size_t(fibre)];
    own.waiting = Waiting::mail;
    own.mailbox = &at;
    own.operation = "wait for a barrier";
    leave();
}

void EmulatedCluster::copy_later(EmulatedBarrier& at, int bytes, std::function<void()> copy) {
    check_opened(at, "copying to");
    copies_.push_back({&at, bytes, std::move(copy)});
    if (awaited(at)) bring_copies(at);
}

bool EmulatedCluster::awaited(const EmulatedBarrier& at) const {
    return std::ranges::any_of(
        fibres_, [&](const Fibre& fibre) { return fibre.waiting == Waiting::mail && fibre.mailbox == &at; });
}

void EmulatedCluster::bring_copies(EmulatedBarrier& at) {
    std::vector<Copy> others, coming;
    for (Copy& copy : copies_) (copy.at == &at ? coming : others).push_back(std::move(copy));
    copies_ = std::move(others);
    for (const Copy& copy : coming) {
        copy.copy();
        at.bytes -= copy.bytes;
    }
    end_phase_if_complete(at);
}

void EmulatedCluster::end_phase_if_complete(EmulatedBarrier& at) {
    if (at.missing != 0 || at.bytes != 0) return;
    at.missing = at.arrivals;
    at.parity = 1 - at.parity;
    for (Fibre& fibre : fibres_)
        if (fibre.waiting == Waiting::mail && fibre.mailbox == &at) fibre.waiting = Waiting::nothing;
}

void EmulatedCluster::wait_for_group(int fibre, int barrier, int threads) {
    if (barrier < 1 || barrier >= kGroupBarriers || threads < 32 || threads % 32 != 0 || threads > grid_.threads)
        throw std::logic_error("emulator: group barrier " + std::to_string(barrier) + " of " + std::to_string(threads) +
                               " threads; expected a number from 1 to 15 and whole warps");
    GroupBarrier& at = groups_[std::size_t(rank_of(fibre) * kGroupBarriers + barrier)];
    if (at.arrived > 0 && at.threads != threads)
        throw std::logic_error("emulator: group barrier " + std::to_string(barrier) + " is met by " +
                               std::to_string(threads) + " threads and by " + std::to_string(at.threads));
    at.threads = threads;
    Fibre& own = fibres_[std::size_t(fibre)];
    if (++at.arrived == threads) {
        at.arrived = 0;
        const int first = rank_of(fibre) * grid_.threads;
        for (int one = first; one < first + grid_.threads; ++one) {
            Fibre& other = fibres_[std::size_t(one)];
            if (other.waiting == Waiting::group && other.group == barrier) other.waiting = Waiting::nothing;
        }
        return;
    }
    own.waiting = Waiting::group;
    own.group = barrier;
    own.operation = "sync_group";
    leave();
}

}  // namespace strata
