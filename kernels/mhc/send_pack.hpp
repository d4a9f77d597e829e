// Four numbers in one message between the blocks of a cluster: a quarter of the messages, each of which a mailbox
// counts when it comes (assumed: sixteen bytes take no longer than four).
#pragma once

#include "kernels/simt/packed_bf16.hpp"

namespace strata {

// As Thread::send, to where `at`, at a multiple of 16, and `box` are in the memory of block `rank`.
template <class Thread>
STRATA_BODY void send_pack(Thread& t, int rank, float* at, const Pack<float>& four, typename Thread::Mailbox* box) {
#ifdef __CUDACC__
    std::uint32_t to, to_box;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(to) : "r"(t.shared_address(at)), "r"(rank));
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(to_box) : "r"(t.shared_address(box)), "r"(rank));
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(to),
                 "f"(four.at[0]), "f"(four.at[1]), "f"(four.at[2]), "f"(four.at[3]), "r"(to_box)
                 : "memory");
#else
    for (int k = 0; k < 4; ++k) t.send(rank, at + k, four.at[k], box);
#endif
}

}  // namespace strata
