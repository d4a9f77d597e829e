// Products of a warpgroup on Hopper's tensor cores (wgmma): sum (64 x n, FP32 in registers) += a (64 x K) b (n x K)^T,
// K = 16 of BF16 or 32 of E4M3: 32 bytes. a lies in shared memory (a descriptor of swizzle.hpp) or in registers, b in
// shared memory, n or k running fastest. All four warps of the warpgroup call each of these together.
//
//   WarpgroupProducts products;                     // one object a thread
//   WgmmaSum<128> sum;
//   products.begin(t, sum);                         // before the first, and wherever sum (or a) was touched since
//   for (int step = 0; step < 4; ++step)            // 128 bytes along K; the first overwrites what was in sum
//       products.multiply<E4m3>(t, sum, advanced(a, 32 * step), advanced(b, 32 * step), step > 0);
//   products.commit();                              // closes a group
//   products.wait_for_all_but<0>(t, sum);           // sum may be read; a and b may be overwritten by this warp's leave
//   ... sum.at[i] is row wgmma_row(t.thread() % 128, i), column wgmma_column(t.thread() % 128, i)
//
// A wait gives the sums that the caller wants to read: the compiler must not read them earlier. Shared memory written
// by ordinary stores needs t.show_to_async_copies() and a barrier first. For b with n fastest (V of P V) say
// multiply<Bf16, Major::mn>.
//
// The emulator makes the sums rubbish when a product starts, and computes it from shared memory when it is waited for:
// reading too early and overwriting an operand too early both show. With LimitedFp8Accumulation it adds E4M3 products
// as Hopper does.
#pragma once

#include "kernels/elements.hpp"
#include "kernels/simt/swizzle.hpp"
#include "kernels/simt/wgmma_registers.hpp"

#ifdef __CUDACC__
#include "kernels/simt/wgmma_bf16.cuh"
#include "kernels/simt/wgmma_e4m3.cuh"
#else
#include "kernels/simt/emulated_wgmma.hpp"
#endif

namespace strata {

enum class Major { k, mn };

#ifdef __CUDACC__

class WarpgroupProducts {
public:
    template <class Thread, int... n>
    __device__ void begin(Thread&, WgmmaSum<n>&... sums) {
        (tie(sums), ...);
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    }
    template <class Element, Major b_major = Major::k, int n, class Thread, class A>
    __device__ void multiply(Thread&, WgmmaSum<n>& sum, const A& a, std::uint64_t b, bool add) {
        if constexpr (sizeof(Element) == 2)
            wgmma_bf16<n, int(b_major)>(sum.at, a, b, add);
        else {
            static_assert(b_major == Major::k, "only BF16 operands may have n or m fastest");
            wgmma_e4m3<n>(sum.at, a, b, add);
        }
    }
    __device__ void commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
    template <int newest, class Thread, int... n>
    __device__ void wait_for_all_but(Thread&, WgmmaSum<n>&... sums) {
        asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(newest) : "memory");
        (tie(sums), ...);
    }

private:
    // Keeps the compiler from moving uses of a sum over this point.
    template <int n>
    __device__ static void tie(WgmmaSum<n>& sum) {
        STRATA_UNROLL
        for (int i = 0; i < n / 2; ++i) asm volatile("" : "+f"(sum.at[i])::"memory");
    }
};

#else

class WarpgroupProducts {
public:
    template <class Thread, int... n>
    void begin(Thread& t, WgmmaSum<n>&...) {
        t.sync_warp();
        begun_ = true;
    }
    template <class Element, Major b_major = Major::k, int n, class Thread, class A>
    void multiply(Thread& t, WgmmaSum<n>& sum, const A& a, std::uint64_t b, bool add) {
        static_assert(b_major == Major::k || sizeof(Element) == 2, "only BF16 operands may have n or m fastest");
        static_assert(n % 8 == 0 && n >= 8 && n <= 256);
        if (!begun_) throw std::logic_error("emulator: a product of a warpgroup before begin()");
        products_.start(sum.at, n / 2, [=, operand = EmulatedOperandA<Element>(t, a)](float* out) mutable {
            multiply_emulated<Element>(t, out, n, operand, EmulatedOperandB(b, b_major == Major::mn), add);
        });
        check_same_in_warp(t, b);
    }
    void commit() { products_.close_group(); }
    template <int newest, class Thread, int... n>
    void wait_for_all_but(Thread& t, WgmmaSum<n>&... sums) {
        products_.finish_all_but(newest);
        (products_.check_free(sums.at), ...);
        begun_ = false;
        t.sync_warp();  // the operands are this warp's until all its lanes have read them
    }

private:
    EmulatedProducts products_;
    bool begun_ = false;
};

#endif

}  // namespace strata
