// What lets one source be compiled by nvcc for the GPU and by g++ for the emulator and the tests.
#pragma once

#ifdef __CUDACC__
#define STRATA_HD __host__ __device__ __forceinline__  // element arithmetic: the kernel's and the test's
#define STRATA_BODY __device__ __forceinline__         // a thread's body: takes a DeviceThread or an EmulatedThread
#define STRATA_UNROLL _Pragma("unroll")
#define STRATA_ROLLED _Pragma("unroll 1")  // a loop that would take too many registers unrolled
#else
#define STRATA_HD inline
#define STRATA_BODY inline
#define STRATA_UNROLL
#define STRATA_ROLLED
#endif

namespace strata {

// Sixteen bytes that one thread loads or stores at once.
template <class T>
struct alignas(16) Pack {
    static constexpr int kSize = 16 / sizeof(T);
    T at[kSize];
};

// The pack at element `index` of p; index must be a multiple of Pack<T>::kSize and p aligned to 16 bytes.
template <class T>
STRATA_HD Pack<T> load_pack(const T* p, long index) {
    return *reinterpret_cast<const Pack<T>*>(p + index);
}

template <class T>
STRATA_HD void store_pack(T* p, long index, const Pack<T>& pack) {
    *reinterpret_cast<Pack<T>*>(p + index) = pack;
}

STRATA_HD long ceil_div(long a, long b) { return (a + b - 1) / b; }

}  // namespace strata
