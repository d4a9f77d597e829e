#include "hwmodels/storage/nvme_drive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace strata {

namespace {

constexpr std::uint64_t kBlock = 512;

// splitmix64: where random addresses lie.
std::uint64_t scattered(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

std::uint32_t bits_of(Bytes power_of_two) {
    return static_cast<std::uint32_t>(std::countr_zero(static_cast<std::uint64_t>(power_of_two.si())));
}

double whole(double value) { return std::max(1.0, std::floor(value)); }

}  // namespace

NvmeDrive::NvmeDrive(const NvmeSpec& spec) : NvmeDrive(spec, static_cast<int>(spec.queue_depth.get())) {}

NvmeDrive::NvmeDrive(const NvmeSpec& spec, int queue_depth)
    : spec_(spec),
      dies_(static_cast<std::uint32_t>(spec.dies.get())),
      planes_(static_cast<std::uint32_t>(spec.planes.get())),
      channels_(static_cast<std::uint32_t>(spec.channels.get())),
      senses_(static_cast<std::uint32_t>(spec.reads_of_a_die.get())),
      page_bits_(bits_of(spec.page.get())),
      granularity_bits_(bits_of(spec.granularity.get())),
      capacity_(static_cast<std::uint64_t>(spec.capacity.get().si())),
      page_(spec.page.get().si()),
      granularity_(spec.granularity.get().si()),
      sense_(spec.sense_time.get().si()),
      suspend_(spec.suspend_time.get().si()),
      part_time_((spec.channel_time(2) - spec.channel_time(1)).si()),
      part_overhead_(spec.channel_overhead.get().si()),
      wire_rate_(spec.link.packet_rate(static_cast<int>(spec.lanes.get())).si()),
      controller_(spec.controller_time().si()),
      payload_(spec.link.max_payload.get().si()),
      write_header_(spec.link.write_header.get().si()),
      request_header_(spec.link.request_header.get().si()),
      completion_header_(spec.link.completion_header.get().si()),
      write_latency_(spec.write_latency.get().si()),
      amplification_(spec.write_amplification.get()),
      program_bytes_(spec.program_bytes().si()),
      program_time_(program_bytes_ / spec.program_rate.get().si()),
      buffered_programs_(
          static_cast<std::size_t>(std::min(whole(spec.write_buffer.get().si() / program_bytes_), spec.dies.get()))),
      die_(dies_),
      sense_free_(dies_ * senses_),
      channel_(channels_, SlotCalendar((part_time_ + part_overhead_) / 2)),
      up_(1e-6, 1 << 16),
      down_(1e-6, 1 << 16),
      queue_depth_(static_cast<std::size_t>(queue_depth)) {
    if (queue_depth < 1 || queue_depth > spec.queue_depth.get())
        throw InputError(spec.file + ": queue depth", fmt::format("1 to {}", spec.queue_depth.get()),
                         std::to_string(queue_depth));
    in_drive_.reserve(queue_depth_);
}

void NvmeDrive::forget_stats() {
    const Seconds last = stats_.last_admitted;
    stats_ = {};
    stats_.last_admitted = last;
}

void NvmeDrive::check(std::uint64_t address, Bytes bytes) const {
    const double count = bytes.si();
    const auto blocks = static_cast<std::uint64_t>(count > 0 && count <= double(capacity_) ? count / kBlock : 0);
    if (blocks > 0 && double(blocks * kBlock) == count && address % kBlock == 0 &&
        address <= capacity_ - blocks * kBlock)
        return;
    if (!(count >= 1)) throw InputError(spec_.name, "a request of at least one block", fmt::format("{} B", count));
    if (address % kBlock != 0 || std::fmod(count, double(kBlock)) != 0)
        throw InputError(spec_.name, "a request of whole blocks of 512 B",
                         fmt::format("{} B at address {}", count, address));
    throw InputError(spec_.name, fmt::format("a request within its {} B", capacity_),
                     fmt::format("{} B at address {}", count, address));
}

// The drive takes the command once it has fewer than its depth. Of a full one the next to be done makes place: it
// stays on top of the heap until leave() puts this command there.
double NvmeDrive::admitted(double arrival) {
    double now = std::max(arrival, stats_.last_admitted.si());
    if (in_drive_.size() >= queue_depth_) now = std::max(now, in_drive_.front());
    while (in_drive_.size() > 1 && in_drive_.front() <= arrival) {
        std::pop_heap(in_drive_.begin(), in_drive_.end(), std::greater<>());
        in_drive_.pop_back();
    }
    replace_first_ = !in_drive_.empty() && in_drive_.front() <= now;
    stats_.last_admitted = Seconds(now);
    return now;
}

void NvmeDrive::leave(double done) {
    if (!replace_first_) {
        in_drive_.push_back(done);
        std::push_heap(in_drive_.begin(), in_drive_.end(), std::greater<>());
        return;
    }
    const std::size_t size = in_drive_.size();
    std::size_t at = 0;
    for (std::size_t child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size) child += static_cast<std::size_t>(in_drive_[child + 1] < in_drive_[child]);
        if (in_drive_[child] >= done) break;
        in_drive_[at] = in_drive_[child];
        at = child;
    }
    in_drive_[at] = done;
}

// The page in its plane's register. A program of the die makes way, once for all reads that come while it rests, and
// ends that much later.
double NvmeDrive::sensed(double ready, std::uint32_t number, std::uint32_t plane) {
    Die& die = die_[number];
    double& free = sense_free_[number * senses_ + plane % senses_];
    double start = std::max(ready, free);
    if (start < die.program_until) {
        const bool resting = start < die.suspended_until;
        const double since = resting ? die.suspended_until : start;
        if (!resting) start += suspend_;
        if (start + sense_ > since) {
            die.program_until += start + sense_ - since;
            die.suspended_until = start + sense_;
        }
    }
    stats_.sensed += Bytes(page_);
    return free = start + sense_;
}

double NvmeDrive::moved(double ready, std::uint32_t number, double parts) {
    SlotCalendar& channel = channel_[number % channels_];
    channel.advance(stats_.last_admitted.si());
    return channel.reserve(ready, part_overhead_ + parts * part_time_);
}

Seconds NvmeDrive::read(Seconds arrival, std::uint64_t address, Bytes bytes) {
    check(address, bytes);
    const double now = admitted(arrival.si());
    const std::uint64_t end = address + static_cast<std::uint64_t>(bytes.si());
    double there = 0;
    for (std::uint64_t at = address; at < end;) {
        const std::uint64_t page = at >> page_bits_, stop = std::min(end, (page + 1) << page_bits_);
        const double parts = double(((stop - 1) >> granularity_bits_) - (at >> granularity_bits_) + 1);
        const auto die = static_cast<std::uint32_t>(page % dies_),
                   plane = static_cast<std::uint32_t>(page / dies_ % planes_);
        there = std::max(there, moved(sensed(now + controller_, die, plane), die, parts));
        at = stop;
    }
    const double packets = std::ceil(bytes.si() / payload_) + 1;
    const double on_wire = bytes.si() + 16 + packets * write_header_ + request_header_;
    up_.advance(now);
    const double done = up_.reserve(there, on_wire / wire_rate_);
    leave(done);
    ++stats_.reads;
    stats_.read += bytes;
    stats_.read_latency_ns.add(static_cast<std::int64_t>((done - now) * 1e9));
    return Seconds(done);
}

// Programs go to the dies in turn. Before a die programs what garbage collection adds, it senses as much, all planes at
// once. The buffer holds so many programs: with the next one, everything waits for the oldest.
void NvmeDrive::program(double now, double collected) {
    if (programs_ >= buffered_programs_)
        room_at_ = std::max(room_at_, die_[(programs_ - buffered_programs_) % dies_].program_until);
    Die& die = die_[programs_++ % dies_];
    const double senses = collected * spec_.bits_per_cell.get();
    die.program_until = std::max(now, die.program_until) + senses * sense_ + program_time_;
    stats_.sensed += Bytes(collected * program_bytes_);
    stats_.programmed += Bytes(program_bytes_);
}

Seconds NvmeDrive::write(Seconds arrival, std::uint64_t address, Bytes bytes) {
    check(address, bytes);
    const double now = admitted(arrival.si());
    const double packets = std::ceil(bytes.si() / payload_);
    const double on_wire = bytes.si() + packets * completion_header_ + 64 + completion_header_;
    down_.advance(now);
    const double there = down_.reserve(now, on_wire / wire_rate_);
    const bool in_sequence = address == sequential_at_ && address != 0;
    sequential_at_ = address + static_cast<std::uint64_t>(bytes.si());
    const double amplification = in_sequence ? 1 : amplification_;
    const double parts = std::ceil(bytes.si() / granularity_);
    moved(now, static_cast<std::uint32_t>(programs_ % dies_),
          parts * (2 * amplification - 1));  // to its die, and what is collected from one as well
    pending_ += parts * granularity_ * amplification;
    for (; pending_ >= program_bytes_; pending_ -= program_bytes_) program(now, (amplification - 1) / amplification);
    const double done = std::max({now + write_latency_, there, room_at_});
    leave(done);
    ++stats_.writes;
    stats_.written += bytes;
    stats_.write_latency_ns.add(static_cast<std::int64_t>((done - now) * 1e9));
    return Seconds(done);
}

AccessRate nvme_random_read(const NvmeSpec& spec, int queue_depth, Bytes bytes) {
    return nvme_random_mixed(spec, queue_depth, bytes, 1);
}

AccessRate nvme_random_mixed(const NvmeSpec& spec, int queue_depth, Bytes bytes, double read_share) {
    if (!(bytes.si() > 0))
        throw InputError(spec.name, "a request of at least one byte", fmt::format("{} B", bytes.si()));
    if (!(read_share >= 0 && read_share <= 1))
        throw InputError(spec.name, "a share of reads from 0 to 1", fmt::format("{}", read_share));
    const Bytes blocks(std::ceil(bytes.si() / double(kBlock)) * double(kBlock));
    const auto places = static_cast<std::uint64_t>(std::floor(spec.capacity.get() / blocks));
    if (places == 0) throw InputError(spec.name, "a request within the capacity", fmt::format("{} B", bytes.si()));
    NvmeDrive drive(spec, queue_depth);
    // Until every die has written several times over, or the reads have filled the queue several times.
    const double per_program = read_share < 1 ? spec.program_bytes().si() / spec.granularity.get().si() *
                                                    spec.dies.get() / spec.write_amplification.get() / (1 - read_share)
                                              : 0;
    const auto settle = static_cast<std::uint64_t>(20e3 + 4.0 * queue_depth + std::min(2e6, 3 * per_program));
    const std::uint64_t counted = std::max<std::uint64_t>(50000, settle);
    const auto reads_of_256 = static_cast<std::uint64_t>(std::lround(read_share * 256));
    Seconds begin;
    for (std::uint64_t i = 0; i < settle + counted; ++i) {
        if (i == settle) {
            drive.forget_stats();
            begin = drive.stats().last_admitted;
        }
        const std::uint64_t random = scattered(i);
        const std::uint64_t address = (random >> 8) % places * static_cast<std::uint64_t>(blocks.si());
        if ((random & 255) < reads_of_256)
            drive.read(Seconds(0), address, blocks);
        else
            drive.write(Seconds(0), address, blocks);
    }
    const NvmeDrive::Stats& stats = drive.stats();
    const double rate = stats.iops(stats.last_admitted - begin);
    const LatencyHistogram& latency = read_share > 0 ? stats.read_latency_ns : stats.write_latency_ns;
    return {rate, bytes * rate / Seconds(1), 1.0_ns * latency.mean(), 1.0_ns * latency.quantile(0.99)};
}

}  // namespace strata
