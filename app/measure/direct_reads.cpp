#include "app/measure/direct_reads.hpp"

#include <fmt/format.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "app/measure/aligned_buffer.hpp"

namespace strata {

namespace {

// Of one repeat: how long each answered read took.
struct Answers {
    std::vector<double> latency_us;
    double seconds = 0;
};

[[noreturn]] void fail(const char* what, int error) {
    throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(error)));
}

class Ring {
public:
    explicit Ring(int depth) {
        if (const int error = io_uring_queue_init(unsigned(depth), &ring_, 0); error < 0)
            fail("io_uring_setup", -error);
    }
    ~Ring() { io_uring_queue_exit(&ring_); }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    io_uring* get() { return &ring_; }

private:
    io_uring ring_{};
};

class RingReader {
public:
    RingReader(const ScratchFile& file, int block_bytes, int depth)
        : file_(file),
          block_(std::size_t(block_bytes)),
          buffer_(block_ * std::size_t(depth)),
          sent_(std::size_t(depth)),
          ring_(depth) {}

    // Keeps all slots in flight; what is still out when time is up is waited for and not counted.
    Answers read_for(Seconds time) {
        Answers answers;
        for (std::size_t slot = 0; slot < sent_.size(); ++slot) send(slot);
        std::size_t in_flight = sent_.size();
        const Clock::time_point begin = Clock::now();
        bool counting = true;
        while (in_flight > 0) {
            if (const int error = io_uring_submit_and_wait(ring_.get(), 1); error < 0) {
                if (error == -EINTR) continue;
                fail("io_uring_enter", -error);
            }
            const Clock::time_point now = Clock::now();
            if (const double spent = std::chrono::duration<double>(now - begin).count(); counting) {
                counting = spent < time.si();
                answers.seconds = spent;
            }
            for (io_uring_cqe* done = nullptr; io_uring_peek_cqe(ring_.get(), &done) == 0;) {
                const auto slot = std::size_t(io_uring_cqe_get_data64(done));
                const int result = done->res;
                io_uring_cqe_seen(ring_.get(), done);
                if (result != int(block_)) fail("read", result < 0 ? -result : EIO);
                answers.latency_us.push_back(std::chrono::duration<double, std::micro>(now - sent_[slot]).count());
                --in_flight;
                if (!counting) continue;
                send(slot);
                ++in_flight;
            }
            if (!counting) break;
        }
        drain(in_flight);
        return answers;
    }

private:
    void send(std::size_t slot) {
        io_uring_sqe* const entry = io_uring_get_sqe(ring_.get());
        if (!entry) throw std::logic_error("more reads than the ring holds");
        io_uring_prep_read(entry, file_.descriptor(), buffer_.data() + slot * block_, unsigned(block_),
                           random_.below(file_.bytes() / block_) * block_);
        io_uring_sqe_set_data64(entry, slot);
        sent_[slot] = Clock::now();
    }

    void drain(std::size_t in_flight) {
        for (io_uring_cqe* done = nullptr; in_flight > 0; --in_flight) {
            if (const int error = io_uring_wait_cqe(ring_.get(), &done); error < 0) fail("io_uring_enter", -error);
            io_uring_cqe_seen(ring_.get(), done);
        }
    }

    const ScratchFile& file_;
    std::size_t block_;
    AlignedBuffer buffer_;
    std::vector<Clock::time_point> sent_;
    FastRandom random_{1};
    Ring ring_;
};

Answers read_by_threads(const ScratchFile& file, int block_bytes, int depth, Seconds time, std::uint64_t seed) {
    const auto block = std::size_t(block_bytes);
    const auto threads = static_cast<std::size_t>(depth);
    std::vector<Answers> of_thread(threads);
    std::vector<int> errors(threads);  // an exception would not leave its thread
    std::barrier start(depth);
    {
        std::vector<std::jthread> reading;
        for (std::size_t thread = 0; thread < of_thread.size(); ++thread)
            reading.emplace_back([&, thread] {
                const AlignedBuffer buffer(block);
                FastRandom random(seed * 1000 + thread);
                Answers& answers = of_thread[thread];
                start.arrive_and_wait();
                const Clock::time_point begin = Clock::now();
                while (answers.seconds < time.si() && errors[thread] == 0) {
                    const Clock::time_point sent = Clock::now();
                    const ssize_t got = pread(file.descriptor(), buffer.data(), block,
                                              off_t(random.below(file.bytes() / block) * block));
                    if (got != ssize_t(block)) errors[thread] = got < 0 ? errno : EIO;
                    answers.latency_us.push_back(1e6 * seconds_since(sent));
                    answers.seconds = seconds_since(begin);
                }
            });
    }
    Answers all;
    for (std::size_t thread = 0; thread < of_thread.size(); ++thread) {
        if (errors[thread] != 0) fail("read", errors[thread]);
        const Answers& one = of_thread[thread];
        all.latency_us.insert(all.latency_us.end(), one.latency_us.begin(), one.latency_us.end());
        all.seconds = std::max(all.seconds, one.seconds);
    }
    return all;
}

double quantile(std::vector<double>& values, double share) {
    const auto at = values.begin() + std::ptrdiff_t(share * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace

std::string io_uring_obstacle() {
    io_uring ring{};
    if (const int error = io_uring_queue_init(1, &ring, 0); error < 0)
        return fmt::format("the kernel refuses io_uring ({})", std::strerror(-error));
    io_uring_queue_exit(&ring);
    return "";
}

Measurement direct_reads(const ScratchFile& file, int block_bytes, int depth, bool by_io_uring, const Effort& effort) {
    std::optional<RingReader> ring;
    if (by_io_uring) ring.emplace(file, block_bytes, depth);
    std::vector<double> iops, middle, late;
    for (int repeat = 0; repeat <= effort.repeats; ++repeat) {
        Answers answers = ring ? ring->read_for(effort.sample)
                               : read_by_threads(file, block_bytes, depth, effort.sample, std::uint64_t(repeat));
        if (repeat == 0) continue;  // the warm-up
        iops.push_back(double(answers.latency_us.size()) / answers.seconds);
        middle.push_back(quantile(answers.latency_us, 0.5));
        late.push_back(quantile(answers.latency_us, 0.99));
    }
    const Repeats rate = repeats_of(iops);
    const double gigabytes = block_bytes / 1e9;
    return {.what = "host/direct_reads",
            .parameters = {{"block_bytes", double(block_bytes)},
                           {"depth", double(depth)},
                           {"by", by_io_uring ? "io_uring" : "pread threads"},
                           {"file_bytes", double(file.bytes())}},
            .metrics = {{"iops", rate},
                        {"bandwidth_GBps", {rate.median * gigabytes, rate.min * gigabytes, rate.max * gigabytes}},
                        {"latency_p50_us", repeats_of(middle)},
                        {"latency_p99_us", repeats_of(late)}},
            .repeats = effort.repeats};
}

}  // namespace strata
