// What copy engines do for Engram, against pinned host to device: a batch's rows prefetched in one copy, and a table
// exchanged in chunks. Timed is what is on the GPU's side; the checks run the host's side too, steps and copies at
// once.
#include <thread>

#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/engram.hpp"
#include "kernels/engram/engram_gather_launch.hpp"
#include "kernels/engram/engram_prefetch.hpp"
#include "kernels/engram/stream_copies.hpp"
#include "kernels/engram/table_rows.hpp"

namespace strata {

namespace {

constexpr int kHostThreads = 4;
constexpr std::int64_t kRowsAChunk = 16'384;  // 4.5 MB: 80 us of the bus

class SideStream {
public:
    SideStream() { check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream"); }
    ~SideStream() { cudaStreamDestroy(stream_); }
    SideStream(const SideStream&) = delete;
    SideStream& operator=(const SideStream&) = delete;
    operator cudaStream_t() const { return stream_; }
    void wait() const { check_cuda(cudaStreamSynchronize(stream_), "waiting for a stream"); }

private:
    cudaStream_t stream_ = nullptr;
};

// The streams above do not wait for what the default stream has begun: fills, poison, small copies.
void finish_preparation() { check_cuda(cudaDeviceSynchronize(), "waiting for preparation"); }

// ---- prefetch

struct Batch {
    Batch(const Buffer<std::uint8_t>& table, const Shape& shape, std::uint64_t seed)
        : ids(random_row_ids(std::size_t(shape["tokens"]) * kEngramRowsPerToken, shape["table_rows"], false, seed)),
          staging(ids.size() * kEngramRowBytes, Where::pinned),
          rows(staging.size()) {
        gather_on_host({table.data(), shape["table_rows"]}, ids, staging.data(),
                       staging.data() + ids.size() * kEngramRowWidth, kHostThreads);
    }
    std::vector<std::int32_t> ids;
    Buffer<std::uint8_t> staging, rows;
};

// Three batches through the prefetcher, each copied while the one before is read: what a reader found of each.
Verdict verify_prefetch(const Buffer<std::uint8_t>& table, const std::vector<std::int32_t>& ids,
                        std::int64_t table_rows) {
    const SideStream copies, compute;
    EngramPrefetcher prefetcher({table.data(), table_rows}, std::int64_t(ids.size()), kHostThreads);
    std::vector<std::vector<std::int32_t>> batches(3, ids);
    std::reverse(batches[1].begin(), batches[1].end());
    batches[2].resize(ids.size() / 2);
    std::vector<Buffer<std::uint8_t>> codes, scales;
    finish_preparation();
    prefetcher.start(batches[0], copies);
    for (std::size_t i = 0; i < batches.size(); ++i) {
        if (i + 1 < batches.size()) prefetcher.start(batches[i + 1], copies);
        const EngramPrefetcher::Rows rows = prefetcher.take(compute);
        codes.emplace_back(std::size_t(rows.count) * kEngramRowWidth);
        scales.emplace_back(std::size_t(rows.count) * kEngramRowScales);
        check_cuda(cudaMemcpyAsync(codes.back().data(), rows.codes, codes.back().bytes(), cudaMemcpyDefault, compute),
                   "reading prefetched rows");
        check_cuda(
            cudaMemcpyAsync(scales.back().data(), rows.scales, scales.back().bytes(), cudaMemcpyDefault, compute),
            "reading prefetched rows");
        prefetcher.release(compute);
    }
    compute.wait();
    std::vector<Verdict> verdicts;
    for (std::size_t i = 0; i < batches.size(); ++i)
        verdicts.push_back(same_rows(table, batches[i], codes[i], scales[i]));
    return all_of(verdicts);
}

EngramFetch fetch_of(const Shape& shape) {
    return {.tokens = double(shape["tokens"]), .rows_per_token = kEngramRowsPerToken, .row_bytes = kEngramRowBytes};
}

Prepared prepare_prefetch(const Shape& shape, int sets, std::uint64_t seed) {
    const auto table = random_table(shape["table_rows"], Where::pinned, seed);
    auto batches = std::make_shared<std::vector<Batch>>();
    for (int set = 0; set < sets; ++set) batches->emplace_back(*table, shape, seed + 1 + std::uint64_t(set));
    const std::int64_t table_rows = shape["table_rows"];
    return {.work = {.flops = Flops(0), .read = fetch_of(shape).fetched(), .written = strata::Bytes(0)},
            .launch =
                [batches](int set, cudaStream_t stream) {
                    const Batch& batch = (*batches)[std::size_t(set)];
                    check_cuda(cudaMemcpyAsync(batch.rows.data(), batch.staging.data(), batch.rows.bytes(),
                                               cudaMemcpyHostToDevice, stream),
                               "copying gathered rows");
                },
            .poison = [batches] { batches->front().rows.poison(); },
            .verify =
                [table, batches, table_rows] {
                    const Batch& first = batches->front();
                    return all_of({same_bits(first.rows.read(), first.staging.read()),
                                   verify_prefetch(*table, first.ids, table_rows)});
                }};
}

// ---- exchange of tables

struct TwoTables {
    TwoTables(const Shape& shape, std::uint64_t seed)
        : rows(shape["table_rows"]),
          first(random_table(rows, Where::pinned, seed)),
          second(random_table(rows, Where::pinned, seed + 1)),
          active(first->size()),
          spare(first->size()) {
        renew();
    }
    void renew() {
        check_cuda(cudaMemcpy(active.data(), first->data(), active.bytes(), cudaMemcpyDefault), "filling a table");
        spare.poison();
    }
    std::int64_t rows;
    std::shared_ptr<Buffer<std::uint8_t>> first, second;  // on the host
    Buffer<std::uint8_t> active, spare;
};

// Steps that gather while the second table comes in a chunk a step; each must have found the rows of the table it was
// given, and the last ones those of the second.
Verdict verify_swap(const TwoTables& of) {
    const SideStream steps, side;
    StreamCopies copies(steps, side);
    TableSwap swap(of.active.data(), of.rows, of.spare.data(), of.rows, copies, kRowsAChunk);
    const auto ids = random_row_ids(240, std::max<std::int64_t>(of.rows, 1), false, 7);
    const Buffer<std::int32_t> ids_on_gpu(ids);
    finish_preparation();
    swap.load({of.second->data(), of.rows});
    std::vector<Verdict> verdicts;
    for (int after = 0; after < 3; after += !swap.loading()) {
        const TableView table = swap.begin_step(1);
        const Buffer<std::uint8_t> codes(ids.size() * kEngramRowWidth), scales(ids.size() * kEngramRowScales);
        engram_gather({.table = table.rows,
                       .ids = ids_on_gpu.data(),
                       .codes = codes.data(),
                       .scales = scales.data(),
                       .table_rows = table.count,
                       .rows = long(ids.size())},
                      steps);
        steps.wait();
        const bool exchanged = table.rows == of.spare.data();
        verdicts.push_back(same_rows(exchanged ? *of.second : *of.first, ids, codes, scales));
        if (!verdicts.back().pass) break;
    }
    side.wait();
    verdicts.push_back({.pass = !swap.loading(), .metric = "the table was exchanged"});
    return all_of(verdicts);
}

Prepared prepare_swap(const Shape& shape, int, std::uint64_t seed) {  // a table is far larger than L2: one set
    const auto tables = std::make_shared<TwoTables>(shape, seed);
    return {
        .work = {.flops = Flops(0), .read = strata::Bytes(double(tables->active.bytes())), .written = strata::Bytes(0)},
        .launch =
            [tables](int, cudaStream_t stream) {
                StreamCopies copies(stream, stream);
                TableSwap swap(tables->active.data(), tables->rows, tables->spare.data(), tables->rows, copies,
                               kRowsAChunk);
                swap.load({tables->second->data(), tables->rows});
                swap.begin_step(int(ceil_div(tables->rows, kRowsAChunk)));
            },
        .poison = [tables] { tables->renew(); },
        .verify =
            [tables] {
                const Verdict arrived = same_bits(tables->spare.read(), tables->second->read());
                tables->renew();
                return all_of({arrived, verify_swap(*tables)});
            }};
}

}  // namespace

std::vector<Kernel> engram_copies_kernels() {
    return {{.name = "engram/prefetch",
             .what = "rows gathered by the host, one copy a batch by a copy engine",
             .source = "kernels/engram/engram_prefetch.hpp",
             .ceiling = Ceiling::pinned_to_device,
             .goal = {.share = 0.90, .text = "facts A8: of pinned host to device"},
             .shapes = {{{{"tokens", 8192}, {"table_rows", 8'000'000}}, "v4.1-flash"},
                        {{{"tokens", 128}, {"table_rows", 8'000'000}}, "v4.1-flash"}},
             .check_shapes = {{{"tokens", 1}, {"table_rows", 1}}, {{"tokens", 67}, {"table_rows", 1000}}},
             .prepare = prepare_prefetch,
             .set_bytes = [](const Shape& shape) { return fetch_of(shape).fetched(); }},
            {.name = "engram/table-swap",
             .what = "a table brought in chunks into the second buffer",
             .source = "kernels/engram/table_swap.hpp",
             .ceiling = Ceiling::pinned_to_device,
             .goal = {.share = 0.90, .text = "facts A8: of pinned host to device"},
             .shapes = {{{{"table_rows", 2'000'000}}, "v4.1-flash"}},
             .check_shapes = {{{"table_rows", 1}}, {{"table_rows", 40'000}}},
             .prepare = prepare_swap,
             .set_bytes = [](const Shape& shape) {
                 return strata::Bytes(2.0 * double(shape["table_rows"]) * kEngramRowStride);
             }}};
}

}  // namespace strata
