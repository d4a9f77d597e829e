#include "app/measure/host.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <system_error>

#include "app/measure/direct_reads.hpp"
#include "app/measure/machine.hpp"
#include "app/measure/random_gather.hpp"
#include "app/measure/read_latency.hpp"
#include "app/measure/stream_read.hpp"
#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

constexpr double kMiB = 1 << 20, kGiB = 1 << 30;
constexpr double kTimesTheCaches = 8;  // one row in eight is then found there at most
constexpr double kStreamOfATie = 1.1;  // a gather above that share of the stream was not answered by memory

std::vector<int> powers_of_two_up_to(int most) {
    std::vector<int> all;
    for (int one = 1; one < most; one *= 2) all.push_back(one);
    all.push_back(most);
    return all;
}

Bytes table_bytes(const HostMeasuring& asked) {
    const double available = available_memory().si();
    // The slice of a thread is a few looks at the clock long.
    const double least = std::max(kTimesTheCaches * last_level_cache(), 4 * kMiB * asked.threads);
    if (asked.table_size.si() > 0) {
        if (asked.table_size.si() < least)
            throw InputError("--table-size",
                             fmt::format("at least {:.2f} GB, {:.0f} times the caches", least / 1e9, kTimesTheCaches),
                             fmt::format("{:.2f} GB", asked.table_size.si() / 1e9));
        if (asked.table_size.si() > 0.9 * available)
            throw InputError("--table-size", fmt::format("at most {:.2f} GB of free memory", 0.9 * available / 1e9),
                             fmt::format("{:.2f} GB", asked.table_size.si() / 1e9));
        return asked.table_size;
    }
    const double bytes = std::max(least, std::min(asked.quick ? 256 * kMiB : 4 * kGiB, available / 4));
    if (bytes > 0.9 * available)
        throw InputError(
            fmt::format("a table far larger than the caches takes {:.2f} GB, and only {:.2f} GB of memory "
                        "are free",
                        bytes / 1e9, available / 1e9));
    return Bytes(bytes);
}

Bytes file_bytes(const HostMeasuring& asked) {
    std::error_code error;
    const double available = double(fs::space(asked.scratch, error).available);
    if (error) throw InputError(asked.scratch.string(), "a folder to write a scratch file into", error.message());
    const double block = kBlockBytes.back(), least = 16 * kMiB;
    const double wanted = asked.file_size.si() > 0
                              ? asked.file_size.si()
                              : std::max(least, std::min(asked.quick ? 64 * kMiB : 4 * kGiB, available / 4));
    if (wanted < block)
        throw InputError("--file-size", fmt::format("at least {:.0f} bytes", block), fmt::format("{:.0f}", wanted));
    if (wanted > 0.9 * available)  // the last tenth belongs to others
        throw InputError(asked.scratch.string(), fmt::format("room for a scratch file of {:.2f} GB", wanted / 1e9),
                         fmt::format("{:.2f} GB free. --scratch and --file-size choose another", available / 1e9));
    return Bytes(wanted);
}

std::string number_text(double value) { return fmt::format("{:.0f}", value); }

class HostMeasurer {
public:
    explicit HostMeasurer(const HostMeasuring& asked)
        : asked_(asked), threads_(powers_of_two_up_to(asked.threads)), machine_(this_machine()) {
        const double busy = busy_cores();
        if (busy > 0.25)
            notes_.push_back(
                fmt::format("other programs kept {:.1f} of {} cores busy when it began", busy, machine_.cores));
        if (asked.quick) notes_.push_back("a quick look: small tables and short samples");
    }

    std::vector<Measurement> all() {
        const bool memory = wants("stream_read") || wants("random_gather") || wants("read_latency");
        const Bytes table = memory ? table_bytes(asked_) : Bytes(0);
        const Bytes file = wants("direct_reads") ? file_bytes(asked_) : Bytes(0);
        // Opened first: a folder that cannot be written to is said before a minute has gone by.
        std::optional<ScratchFile> scratch;
        if (wants("direct_reads")) {
            say("writing a scratch file");
            scratch.emplace(asked_.scratch, file, Seconds(20));
        }
        if (memory)
            for (const Pages pages : {Pages::huge, Pages::small}) of_memory(table, pages);
        if (scratch) of_drive(*scratch);
        const auto turn = [](const Measurement& one) {
            return std::find(host_measurements().begin(), host_measurements().end(), one.what.substr(5));
        };
        std::stable_sort(done_.begin(), done_.end(),
                         [&](const Measurement& one, const Measurement& other) { return turn(one) < turn(other); });
        return std::move(done_);
    }

private:
    bool wants(const std::string& name) const {
        return asked_.only.empty() || std::find(asked_.only.begin(), asked_.only.end(), name) != asked_.only.end();
    }

    void say(const std::string& what) const {
        if (asked_.progress) asked_.progress(what);
    }

    void add(Measurement measurement, const std::vector<std::string>& notes = {}) {
        measurement.machine = machine_;
        measurement.when = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
        measurement.strata = STRATA_VERSION;
        measurement.notes = notes_;
        measurement.notes.insert(measurement.notes.end(), notes.begin(), notes.end());
        done_.push_back(std::move(measurement));
    }

    void of_memory(Bytes bytes, Pages pages) {
        say(fmt::format("filling a table in {} pages", to_string(pages)));
        const MappedTable table(std::size_t(bytes.si()) / 4096 * 4096, pages, asked_.threads);
        std::vector<std::string> notes;
        if (const double huge = table.huge_share(); pages == Pages::huge && huge < 0.9)
            notes.push_back(fmt::format("only {:.0f} % of the table rest in huge pages", 100 * huge));
        if (bytes.si() < kTimesTheCaches * last_level_cache())
            notes.push_back("the table is not far larger than the caches");
        std::map<int, double> streams;
        if (wants("stream_read"))
            for (const int threads : threads_) {
                say(fmt::format("stream_read, {} pages, {} threads", to_string(pages), threads));
                const Measurement stream = stream_read(table, threads, effort(2 * threads_.size()));
                streams[threads] = stream.metrics.at("bandwidth_GBps").max;
                add(stream, notes);
            }
        if (wants("random_gather")) gathers(table, streams, notes);
        if (wants("read_latency")) {
            say(fmt::format("read_latency, {} pages", to_string(pages)));
            add(read_latency(table, effort(2)), notes);
        }
    }

    void gathers(const MappedTable& table, const std::map<int, double>& streams,
                 const std::vector<std::string>& notes) {
        for (const int threads : threads_)
            for (const int row : kRowBytes)
                for (const int ahead : {0, prefetch_distance(row)}) {
                    say(fmt::format("random_gather, {} pages, {} threads, rows of {} B", to_string(table.pages()),
                                    threads, row));
                    const Measurement gather =
                        random_gather(table, row, threads, ahead, effort(4 * kRowBytes.size() * threads_.size()));
                    std::vector<std::string> of_this = notes;
                    if (const auto stream = streams.find(threads);
                        stream != streams.end() &&
                        gather.metrics.at("bandwidth_GBps").median > kStreamOfATie * stream->second)
                        of_this.push_back("faster than the stream: caches answered, or another program disturbed that");
                    add(gather, of_this);
                }
    }

    void of_drive(const ScratchFile& scratch) {
        if (!scratch.obstacle().empty()) {
            add({.what = "host/direct_reads", .unavailable = scratch.obstacle()});
            return;
        }
        const std::string refused = asked_.io_uring ? io_uring_obstacle() : "io_uring was not asked for";
        std::vector<std::string> notes;
        if (!refused.empty()) notes.push_back(refused + ": reads by threads of pread");
        const Effort each{.repeats = asked_.quick ? 3 : 5, .sample = Seconds(asked_.quick ? 0.02 : 0.25)};
        for (const int block : kBlockBytes)
            for (const int depth : kDepths) {
                say(fmt::format("direct_reads of {} B, depth {}", number_text(block), depth));
                add(direct_reads(scratch, block, depth, refused.empty(), each), notes);
            }
    }

    // So that all of one kind take at most 30 s, however many threads there are to try.
    Effort effort(std::size_t measurements) const {
        const int repeats = asked_.quick ? 3 : 5;
        const double share = (asked_.quick ? 2.0 : 30.0) / (double(measurements) * (repeats + 1));
        return {.repeats = repeats, .sample = Seconds(std::min(asked_.quick ? 0.005 : 0.1, share))};
    }

    HostMeasuring asked_;
    std::vector<int> threads_;
    MeasuredMachine machine_;
    std::vector<std::string> notes_;
    std::vector<Measurement> done_;
};

}  // namespace

const std::vector<std::string>& host_measurements() {
    static const std::vector<std::string> all{"stream_read", "random_gather", "read_latency", "direct_reads"};
    return all;
}

std::vector<Measurement> measure_host(const HostMeasuring& asked) { return HostMeasurer(asked).all(); }

}  // namespace strata
