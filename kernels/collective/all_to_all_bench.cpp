// NCCL's all-to-all between the GPUs of this process: what the fabric gives to dispatch and combine. NCCL is loaded
// when a case is prepared, so that the program starts without it; with one GPU there is nobody to talk to.
#include <dlfcn.h>

#include <memory>
#include <stdexcept>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/collective/collective.hpp"
#include "kernels/collective/kernels.hpp"

namespace strata {

namespace {

// The few calls that are needed, as nccl.h declares them (version 2).
struct Nccl {
    using Communicator = void*;
    static constexpr int kUint8 = 1;

    Nccl() {
        void* library = dlopen("libnccl.so.2", RTLD_NOW);
        if (!library) throw NotApplicable("NCCL is not installed (libnccl.so.2)");
        find(library, "ncclCommInitAll", init_all);
        find(library, "ncclCommDestroy", destroy);
        find(library, "ncclGroupStart", group_start);
        find(library, "ncclGroupEnd", group_end);
        find(library, "ncclSend", send);
        find(library, "ncclRecv", receive);
        find(library, "ncclGetErrorString", error_string);
    }

    template <class Function>
    static void find(void* library, const char* name, Function& function) {
        function = reinterpret_cast<Function>(dlsym(library, name));
        if (!function) throw std::runtime_error(std::string("libnccl.so.2 has no ") + name);
    }

    void check(int result) const {
        if (result != 0) throw std::runtime_error(std::string("NCCL: ") + error_string(result));
    }

    int (*init_all)(Communicator*, int, const int*) = nullptr;
    int (*destroy)(Communicator) = nullptr;
    int (*group_start)() = nullptr;
    int (*group_end)() = nullptr;
    int (*send)(const void*, std::size_t, int type, int peer, Communicator, cudaStream_t) = nullptr;
    int (*receive)(void*, std::size_t, int type, int peer, Communicator, cudaStream_t) = nullptr;
    const char* (*error_string)(int) = nullptr;
};

// Sets the current GPU for a scope.
class OnDevice {
public:
    explicit OnDevice(int device) {
        check_cuda(cudaGetDevice(&before_), "asking for the GPU");
        check_cuda(cudaSetDevice(device), "choosing a GPU");
    }
    ~OnDevice() { cudaSetDevice(before_); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

private:
    int before_ = 0;
};

// One GPU's stream, its buffers of each set, and the event that says it is done.
struct Rank {
    Rank(int on, int sets, std::size_t bytes, std::uint64_t seed) : device(on) {
        const OnDevice here(device);
        check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
        check_cuda(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), "making an event");
        for (int set = 0; set < sets; ++set) {
            out.emplace_back(bytes), in.emplace_back(bytes);
            fill_bytes(out.back().data(), bytes, seed + std::uint64_t(set) * 64 + std::uint64_t(device));
        }
        check_cuda(cudaDeviceSynchronize(), "filling send buffers");
    }
    int device;
    cudaStream_t stream = nullptr;
    cudaEvent_t done = nullptr;
    std::vector<Buffer<std::uint8_t>> out, in;
};

// All GPUs of the process. Streams, events and communicators live as long as the program: a bench makes few.
class Ranks {
public:
    Ranks(int count, int sets, std::size_t bytes_a_peer, std::uint64_t seed)
        : bytes_a_peer_(bytes_a_peer), communicators_(std::size_t(count)) {
        for (int device = 0; device < count; ++device)
            ranks_.emplace_back(device, sets, bytes_a_peer * std::size_t(count), seed);
        nccl_.check(nccl_.init_all(communicators_.data(), count, nullptr));
        check_cuda(cudaEventCreateWithFlags(&start_, cudaEventDisableTiming), "making an event");
    }

    // Every GPU sends a part of its buffer to every other; `stream`, of the first GPU, waits for all of them.
    void exchange(int set, cudaStream_t stream) {
        check_cuda(cudaEventRecord(start_, stream), "starting an all-to-all");
        for (const Rank& rank : ranks_) check_cuda(cudaStreamWaitEvent(rank.stream, start_), "starting an all-to-all");
        nccl_.check(nccl_.group_start());
        for (std::size_t from = 0; from < ranks_.size(); ++from)
            for (std::size_t peer = 0; peer < ranks_.size(); ++peer) {
                const Rank& rank = ranks_[from];
                std::uint8_t* out = rank.out[std::size_t(set)].data() + peer * bytes_a_peer_;
                std::uint8_t* in = rank.in[std::size_t(set)].data() + peer * bytes_a_peer_;
                nccl_.check(nccl_.send(out, bytes_a_peer_, Nccl::kUint8, int(peer), communicators_[from], rank.stream));
                nccl_.check(
                    nccl_.receive(in, bytes_a_peer_, Nccl::kUint8, int(peer), communicators_[from], rank.stream));
            }
        nccl_.check(nccl_.group_end());
        for (const Rank& rank : ranks_) {
            const OnDevice here(rank.device);
            check_cuda(cudaEventRecord(rank.done, rank.stream), "ending an all-to-all");
            check_cuda(cudaStreamWaitEvent(stream, rank.done), "ending an all-to-all");
        }
    }

    void poison() {
        for (Rank& rank : ranks_) {
            const OnDevice here(rank.device);
            rank.in.front().poison();
        }
    }

    // Part p of what rank r received is part r of what rank p sent.
    Verdict verify() const {
        Verdict verdict{.pass = true, .metric = "wrong elements"};
        for (std::size_t to = 0; to < ranks_.size(); ++to)
            for (std::size_t from = 0; from < ranks_.size(); ++from) {
                verdict = same_bits(ranks_[to].in.front().read(from * bytes_a_peer_, bytes_a_peer_),
                                    ranks_[from].out.front().read(to * bytes_a_peer_, bytes_a_peer_));
                if (!verdict.pass) return verdict;
            }
        return verdict;
    }

private:
    Nccl nccl_;
    std::size_t bytes_a_peer_;
    std::vector<Nccl::Communicator> communicators_;
    std::vector<Rank> ranks_;
    cudaEvent_t start_ = nullptr;
};

int gpus() {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess) cudaGetLastError();
    return count;
}

// Tokens' rows spread evenly over the peers, in whole 16 bytes.
std::size_t bytes_a_peer(const Shape& shape, int ranks) {
    const double copies = copies_per_rank(double(shape["top_k"]), ranks);
    const double bytes =
        double(shape["tokens"] * shape["hidden"]) * copies * (shape["fp8"] ? kDispatchBytes : kCombineBytes);
    return std::size_t(bytes / ranks) / 16 * 16;
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    const int count = gpus();
    if (count < 2) throw NotApplicable("one GPU");
    const std::size_t bytes = bytes_a_peer(shape, count);
    auto ranks = std::make_shared<Ranks>(count, sets, bytes, seed);
    const Bytes through(double(bytes) * count);  // a GPU reads what it sends and writes what it receives
    return {.work = {.flops = Flops(0), .read = through, .written = through},
            .launch = [ranks](int set, cudaStream_t stream) { ranks->exchange(set, stream); },
            .poison = [ranks] { ranks->poison(); },
            .verify = [ranks] { return ranks->verify(); }};
}

Shape shape_of(std::int64_t tokens, std::int64_t hidden, std::int64_t k, bool fp8) {
    return {{"tokens", tokens}, {"hidden", hidden}, {"top_k", k}, {"fp8", fp8}};
}

}  // namespace

std::vector<Kernel> all_to_all_kernels() {
    return {{.name = "collective/all-to-all",
             .what = "dispatch (fp8) and combine between the GPUs of this process by NCCL",
             .source = "kernels/collective/all_to_all_bench.cpp",
             .ceiling = Ceiling::none,
             .goal = {},
             .shapes = {{shape_of(4096, 7168, 8, true), "v3 v3.2"},
                        {shape_of(4096, 7168, 8, false), "v3 v3.2"},
                        {shape_of(128, 7168, 8, true), "v3 v3.2"},
                        {shape_of(128, 7168, 8, false), "v3 v3.2"},
                        {shape_of(4096, 4096, 6, true), "v4-flash"}},
             .check_shapes = {shape_of(16, 128, 2, false)},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) {
                 return Bytes(2.0 * double(bytes_a_peer(shape, std::max(gpus(), 1))) * std::max(gpus(), 1));
             }}};
}

}  // namespace strata
