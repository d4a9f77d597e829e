// Stages of shared memory that are used in turn: one thread loads them by bulk copies, warps read them. Each has two
// barriers: full, once what was expected has been copied, and empty, once every reading warp has left it - those of all
// blocks of a cluster where a copy goes to several of them. Loader and readers walk through the ring with an object
// each.
//
//   StageRing<4, Thread> ring(t, barriers);         // 2 * 4 barriers in shared memory
//   if (t.thread() == 0) ring.open(t, 8 * cluster), then a barrier of the block (or cluster)
//   loader:  ring.wait_empty(t);  t.arrive_expecting(ring.full(), bytes);  load_box(..., ring.full(), ...);
//   ring.advance(); reader:  ring.wait_full(t);  ... ring.index() ...;  t.sync_warp();  if (t.lane() == 0)
//   ring.leave(t, cluster);
//            ring.advance();
#pragma once

#include "kernels/simt/portable.hpp"

namespace strata {

template <int count, class Thread>
class StageRing {
public:
    using Barrier = typename Thread::Barrier;
    static constexpr int kBarrierBytes = 2 * count * 8;

    STRATA_BODY explicit StageRing(unsigned char* barriers) : full_(reinterpret_cast<Barrier*>(barriers)) {}

    STRATA_BODY void open(Thread& t, int readers) {
        for (int stage = 0; stage < count; ++stage) {
            t.open_barrier(full_ + stage, 1);
            t.open_barrier(full_ + count + stage, readers);
        }
        t.publish_barriers();
    }
    STRATA_BODY int index() const { return index_; }
    STRATA_BODY Barrier* full() const { return full_ + index_; }
    STRATA_BODY void wait_full(Thread& t) const { t.wait(full(), parity_); }
    STRATA_BODY void wait_empty(Thread& t) const { t.wait(empty(), parity_ ^ 1); }
    // One lane a warp, after all of its lanes have read.
    STRATA_BODY void leave(Thread& t, int cluster) const {
        STRATA_UNROLL
        for (int rank = 0; rank < cluster; ++rank) t.arrive_at(rank, empty());
    }
    STRATA_BODY void advance() {
        if (++index_ < count) return;
        index_ = 0;
        parity_ ^= 1;
    }

private:
    STRATA_BODY Barrier* empty() const { return full_ + count + index_; }
    Barrier* full_;
    int index_ = 0, parity_ = 0;
};

}  // namespace strata
