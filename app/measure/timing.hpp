// How anything here is timed: threads that start together run for a while and count what they did; that is repeated
// after a warm-up. For a while and not a fixed amount: one thread that lost its core would otherwise hold up the clock
// of all.
#pragma once

#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "hwmodels/measurement.hpp"
#include "hwmodels/units.hpp"

namespace strata {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Effort {
    int repeats = 5;
    Seconds sample;  // of one repeat, and of the warm-up
};

// Calls `chunk`, which says how much it did, until `time` has gone by. Returns how much that is in a second.
template <class Chunk>
double rate_over(Seconds time, Chunk chunk) {
    double done = 0, spent = 0;
    const Clock::time_point begin = Clock::now();
    do {
        done += chunk();
        spent = seconds_since(begin);
    } while (spent < time.si());
    return done / spent;
}

// The sum of what `threads` threads reach at the same time; `rate` is given the thread's number.
template <class Rate>
double rate_together(int threads, Rate rate) {
    std::vector<double> reached(static_cast<std::size_t>(threads));
    std::barrier start(threads);
    {
        std::vector<std::jthread> running;
        for (int thread = 0; thread < threads; ++thread) try {
                running.emplace_back([&, thread] {
                    start.arrive_and_wait();
                    reached[static_cast<std::size_t>(thread)] = rate(thread);
                });
            } catch (...) {  // no more threads to be had: those that wait must not wait for ever
                for (int missing = thread; missing < threads; ++missing) start.arrive_and_drop();
                throw;
            }
    }
    double sum = 0;
    for (const double one : reached) sum += one;
    return sum;
}

template <class Sample>
Repeats repeated(const Effort& effort, Sample sample) {
    sample();
    std::vector<double> samples;
    for (int i = 0; i < effort.repeats; ++i) samples.push_back(sample());
    return repeats_of(samples);
}

// Makes the compiler believe that the value is used.
inline void keep(std::uint64_t value) { __asm__ volatile("" : : "r"(value)); }

// SplitMix64 (Steele, Lea and Flood 2014): a good bit mixer at a nanosecond a number.
class FastRandom {
public:
    explicit FastRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    // In [0, bound), for bounds below 2^32.
    std::uint64_t below(std::uint64_t bound) { return ((operator()() >> 32) * bound) >> 32; }

private:
    std::uint64_t state_;
};

}  // namespace strata
