// How many requests a second the bank-accurate DRAM takes through its TLM socket on one core. SystemC elaborates once a
// process, so each iteration is a forked child that times itself.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <unistd.h>

#include <chrono>

#include "hwmodels/memory/dram_module.hpp"

namespace strata {
namespace {

const std::string kStandards = std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/dram/";
constexpr std::int64_t kRequests = 1 << 20;

struct Sender : sc_core::sc_module {
    explicit Sender(const sc_core::sc_module_name& module_name) : sc_module(module_name) {
        payload.set_extension(new Posted);  // owned by the payload
        payload.set_command(tlm::TLM_READ_COMMAND);
    }
    tlm_utils::simple_initiator_socket<Sender> socket{"socket"};
    tlm::tlm_generic_payload payload;
};

// `address` of the i-th request. Returns the seconds that all took.
template <class Address>
double seconds_of(const DramSpec& spec, int units, unsigned bytes, Address address) {
    DramModule memory("memory", spec, units);
    Sender sender("sender");
    sender.socket.bind(memory.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    const std::uint64_t capacity = memory.memory().mapping().capacity();
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < kRequests; ++i) {
        sc_core::sc_time delay;
        sender.payload.set_address(address(static_cast<std::uint64_t>(i), capacity));
        sender.payload.set_data_length(bytes);
        sender.socket->b_transport(sender.payload, delay);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class Address>
void requests(benchmark::State& state, const std::string& standard, int units, unsigned bytes, Address address) {
    const DramSpec spec = read_dram_spec(kStandards + standard + ".yaml");
    for (auto _ : state) {
        int ends[2];
        if (pipe(ends) != 0) return state.SkipWithError("no pipe");
        if (fork() == 0) {
            const double seconds = seconds_of(spec, units, bytes, address);
            _exit(write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
        }
        close(ends[1]);
        double seconds = 0;
        const bool ok = read(ends[0], &seconds, sizeof seconds) == sizeof seconds;
        close(ends[0]);
        wait(nullptr);
        if (!ok) return state.SkipWithError("the simulation failed");
        state.SetIterationTime(seconds);
    }
    state.SetItemsProcessed(state.iterations() * kRequests);
}

std::uint64_t scattered(std::uint64_t i) {  // splitmix64
    std::uint64_t z = (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void sequential(benchmark::State& state) {
    requests(state, "HBM3E", 6, 32, [](std::uint64_t i, std::uint64_t) { return i * 32; });
}
// Six stacks are an H200's; one and eight show what a request costs the more of them there are.
template <int stacks>
void uniform_random(benchmark::State& state) {
    requests(state, "HBM3E", stacks, 32,
             [](std::uint64_t i, std::uint64_t capacity) { return scattered(i) % (capacity / 32) * 32; });
}
// A row of 264 B at a multiple of 264 B touches five or six accesses of 64 B.
void random_rows(benchmark::State& state) {
    requests(state, "DDR5_4800", 16, 320, [](std::uint64_t i, std::uint64_t capacity) {
        return scattered(i) % (capacity / 264 - 2) * 264 / 64 * 64;
    });
}
BENCHMARK(sequential)->Name("hbm3e/sequential")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(uniform_random<6>)->Name("hbm3e/random")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(uniform_random<1>)->Name("hbm3e/random/1-stack")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(uniform_random<8>)->Name("hbm3e/random/8-stacks")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(random_rows)->Name("ddr5/random-rows-264")->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
