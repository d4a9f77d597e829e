// Rows of one Engram layer from a table in HBM, from pinned memory of the host by the same kernel, and the latter
// behind a cache of hot rows. Tables are as large as a run can have beside everything else, far beyond what L2 holds;
// the released ones have 384 M rows (102 GB here). Their filling is preparation.
#include <algorithm>

#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/engram.hpp"
#include "kernels/engram/engram_gather_launch.hpp"
#include "kernels/engram/host_pages.hpp"
#include "kernels/engram/table_rows.hpp"

namespace strata {

namespace {

constexpr std::int64_t kRowsInHbm = 60'000'000;   // 16.3 GB
constexpr std::int64_t kRowsOnHost = 30'000'000;  // 8.2 GB

struct Operands {
    Operands(std::shared_ptr<Buffer<std::uint8_t>> of, const Shape& shape, int most_blocks, std::uint64_t seed)
        : table(std::move(of)),
          ids(random_row_ids(std::size_t(shape["tokens"]) * kEngramRowsPerToken, shape["table_rows"],
                             shape["zipf"] != 0, seed)),
          ids_on_gpu(ids),
          codes(ids.size() * kEngramRowWidth),
          scales(ids.size() * kEngramRowScales) {
        task = {.table = table->data(),
                .ids = ids_on_gpu.data(),
                .codes = codes.data(),
                .scales = scales.data(),
                .table_rows = shape["table_rows"],
                .rows = long(ids.size()),
                .most_blocks = most_blocks};
    }
    void poison() { codes.poison(), scales.poison(); }
    Verdict verify() const { return same_rows(*table, ids, codes, scales); }

    std::shared_ptr<Buffer<std::uint8_t>> table;
    std::vector<std::int32_t> ids;
    Buffer<std::int32_t> ids_on_gpu;
    Buffer<std::uint8_t> codes, scales;
    EngramGatherTask task;
};

EngramFetch fetch_of(const Shape& shape) {
    return {.tokens = double(shape["tokens"]), .rows_per_token = kEngramRowsPerToken, .row_bytes = kEngramRowBytes};
}

// From the host: only what crosses the bus counts, as it is the bus's rate that it is held against.
Work bus_work(const Shape& shape) {
    return {.flops = Flops(0), .read = fetch_of(shape).fetched(), .written = Bytes(0)};
}

// The same rows by fewer SMs and by more; in the order of the table, which translates neighbouring rows together; and
// from pages of 2 MB, one translation of which reaches 7,700 rows.
std::vector<Baseline> what_bounds_the_bus(const Shape& shape, const std::shared_ptr<std::vector<Operands>>& operands,
                                          std::uint64_t seed) {
    const auto task_of = [operands](int set) { return (*operands)[std::size_t(set)].task; };
    const auto with_blocks = [task_of](int blocks) {
        return [=](int set, cudaStream_t stream) {
            EngramGatherTask task = task_of(set);
            task.most_blocks = blocks;
            engram_gather(task, stream);
        };
    };
    auto in_order = std::make_shared<std::vector<Buffer<std::int32_t>>>();
    for (const Operands& of : *operands) {
        std::vector<std::int32_t> ids = of.ids;
        std::sort(ids.begin(), ids.end());
        in_order->emplace_back(ids);
    }
    std::vector<Baseline> all{
        {"by 8 SMs", with_blocks(8)}, {"by 132 SMs", with_blocks(132)}, {"by 264 blocks", with_blocks(264)}};
    all.push_back({"in the table's order", [=](int set, cudaStream_t stream) {
                       EngramGatherTask task = task_of(set);
                       task.ids = (*in_order)[std::size_t(set)].data();
                       engram_gather(task, stream);
                   }});
    const auto large = table_in_large_pages(std::size_t(shape["table_rows"]) * kEngramRowStride, seed);
    if (!large) return all;
    all.push_back({"from pages of 2 MB", [=](int set, cudaStream_t stream) {
                       EngramGatherTask task = task_of(set);
                       task.table = *large;
                       engram_gather(task, stream);
                   }});
    all.push_back({"from pages of 2 MB in the table's order", [=](int set, cudaStream_t stream) {
                       EngramGatherTask task = task_of(set);
                       task.table = *large, task.ids = (*in_order)[std::size_t(set)].data();
                       engram_gather(task, stream);
                   }});
    return all;
}

Prepared prepare(const Shape& shape, Where where, int sets, std::uint64_t seed) {
    const auto table = random_table(shape["table_rows"], where, seed);
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set)
        operands->emplace_back(table, shape, where == Where::pinned ? kEngramBusBlocks : 0,
                               seed + 1 + std::uint64_t(set));
    return {.work = where == Where::pinned ? bus_work(shape) : fetch_of(shape).work(),
            .launch = [operands](int set,
                                 cudaStream_t stream) { engram_gather((*operands)[std::size_t(set)].task, stream); },
            .poison = [operands] { operands->front().poison(); },
            .verify = [operands] { return operands->front().verify(); },
            .baselines = where == Where::pinned ? what_bounds_the_bus(shape, operands, seed) : std::vector<Baseline>{}};
}

// Codes on the host, scales in HBM; only the codes cross the bus and count.
Prepared prepare_split(const Shape& shape, int sets, std::uint64_t seed) {
    const std::int64_t rows = shape["table_rows"];
    const auto codes = random_bytes(std::size_t(rows) * kEngramRowWidth, Where::pinned, seed);
    const auto scales = random_bytes(std::size_t(rows) * kEngramRowScales, Where::device, seed + 1);
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set)
        operands->emplace_back(codes, shape, kEngramBusBlocks, seed + 2 + std::uint64_t(set));
    const auto stored_row = [codes, scales](std::int64_t id) {
        auto row = codes->read(std::size_t(id) * kEngramRowWidth, kEngramRowWidth);
        const auto row_scales = scales->read(std::size_t(id) * kEngramRowScales, kEngramRowScales);
        row.insert(row.end(), row_scales.begin(), row_scales.end());
        row.resize(kEngramRowStride);
        return row;
    };
    return {.work = {.flops = Flops(0), .read = Bytes(fetch_of(shape).rows() * kEngramRowWidth), .written = Bytes(0)},
            .launch =
                [operands, scales](int set, cudaStream_t stream) {
                    engram_split_gather({.gather = (*operands)[std::size_t(set)].task, .table_scales = scales->data()},
                                        stream);
                },
            .poison = [operands] { operands->front().poison(); },
            .verify =
                [operands, stored_row, rows] {
                    const Operands& first = operands->front();
                    return same_rows(rows, stored_row, first.ids, first.codes, first.scales);
                }};
}

// A cache planned from earlier tokens of the same distribution, so that the hits are what a service would see.
struct Cache {
    Cache(const EngramGatherTask& gather, const Shape& shape, std::uint64_t seed)
        : log2_sets(int(shape["log2_sets"])),
          tags_on_host(plan_row_cache(random_row_ids(std::size_t(shape["planned_tokens"]) * kEngramRowsPerToken,
                                                     shape["table_rows"], shape["zipf"] != 0, seed),
                                      log2_sets)),
          tags(tags_on_host),
          rows(tags.size() * kEngramRowStride),
          hits(std::vector<std::int32_t>{0}) {
        engram_cache_fill({.table = gather.table,
                           .tags = tags.data(),
                           .cached = rows.data(),
                           .table_rows = gather.table_rows,
                           .slots = long(tags.size())},
                          nullptr);
        check_cuda(cudaDeviceSynchronize(), "filling a cache");
    }
    EngramCachedGatherTask before(const EngramGatherTask& gather) const {
        return {
            .gather = gather, .cached = rows.data(), .tags = tags.data(), .hits = hits.data(), .log2_sets = log2_sets};
    }
    Verdict counted(const std::vector<std::int32_t>& ids) const {
        std::int32_t should = 0;
        for (const std::int32_t id : ids) {
            const auto set = tags_on_host.begin() + std::ptrdiff_t(cache_set(id, log2_sets)) * kCacheWays;
            should += std::find(set, set + kCacheWays, id) != set + kCacheWays;
        }
        return same_bits(hits.read(), {should});
    }
    int log2_sets;
    std::vector<std::int32_t> tags_on_host;
    Buffer<std::int32_t> tags;
    Buffer<std::uint8_t> rows;
    Buffer<std::int32_t> hits;
};

Prepared prepare_cached(const Shape& shape, int sets, std::uint64_t seed) {
    const auto table = random_table(shape["table_rows"], Where::pinned, seed);
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set)
        operands->emplace_back(table, shape, 2 * kEngramBusBlocks, seed + 1 + std::uint64_t(set));
    const auto cache = std::make_shared<Cache>(operands->front().task, shape, seed + 10'000);
    const auto uncached = [operands](int set, cudaStream_t stream) {
        EngramGatherTask task = (*operands)[std::size_t(set)].task;
        task.most_blocks = kEngramBusBlocks;
        engram_gather(task, stream);
    };
    return {.work = bus_work(shape),
            .launch =
                [operands, cache](int set, cudaStream_t stream) {
                    engram_cached_gather(cache->before((*operands)[std::size_t(set)].task), stream);
                },
            .poison = [operands, cache] { operands->front().poison(), cache->hits.write({0}); },
            .verify =
                [operands, cache] {
                    const Operands& first = operands->front();
                    return all_of({cache->counted(first.ids), first.verify()});
                },
            .baselines = {{"without the cache", uncached}}};
}

Kernel gather(const std::string& name, const std::string& what) {
    return {.name = name,
            .what = what,
            .source = "kernels/engram/engram_gather.cu",
            .set_bytes = [](const Shape& shape) {  // the table is one for all sets
                return fetch_of(shape).work().bytes() + Bytes(fetch_of(shape).rows() * 4);
            }};
}

std::vector<ProductionShape> shapes(std::int64_t table_rows, std::int64_t zipf) {
    std::vector<ProductionShape> all;
    for (const std::int64_t tokens : {8192, 2048, 128, 1})
        all.push_back({{{"tokens", tokens}, {"table_rows", table_rows}, {"zipf", zipf}}, "v4.1-flash"});
    return all;
}

// Frequent rows are found in L2, so that no rate of memory or bus is a ceiling.
Kernel with_frequent_rows(Kernel kernel, std::int64_t table_rows) {
    kernel.name += "-zipf";
    kernel.what += ", some far more often than others";
    kernel.ceiling = Ceiling::none;
    kernel.goal = {};
    kernel.shapes = shapes(table_rows, 1);
    kernel.check_shapes = {{{"tokens", 67}, {"table_rows", 1000}, {"zipf", 1}}};
    return kernel;
}

const std::vector<Shape> kSmall = {{{"tokens", 0}, {"table_rows", 10}, {"zipf", 0}},
                                   {{"tokens", 1}, {"table_rows", 1}, {"zipf", 0}},
                                   {{"tokens", 67}, {"table_rows", 1000}, {"zipf", 0}}};

}  // namespace

std::vector<Kernel> engram_gather_kernels() {
    Kernel hbm = gather("engram/gather-hbm", "rows of 264 B from a table in HBM");
    hbm.goal = {.share = 0.60, .text = "facts A8: 2.5 TB/s of useful bytes on an H200"};
    hbm.shapes = shapes(kRowsInHbm, 0);
    hbm.check_shapes = kSmall;
    hbm.prepare = [](const Shape& shape, int sets, std::uint64_t seed) {
        return prepare(shape, Where::device, sets, seed);
    };
    Kernel bus = gather("engram/gather-pinned", "rows of 264 B over the bus from a table on the host");
    bus.ceiling = Ceiling::pinned_to_device;
    bus.goal = {
        .share = 0.90,
        .text = "facts A8: of pinned host to device; rows at random places are bound by addresses to be translated"};
    bus.shapes = shapes(kRowsOnHost, 0);
    bus.check_shapes = kSmall;
    bus.prepare = [](const Shape& shape, int sets, std::uint64_t seed) {
        return prepare(shape, Where::pinned, sets, seed);
    };
    Kernel cached = gather("engram/gather-cached", "rows from a cache of hot rows in HBM, the others over the bus");
    // 2^17 sets of 8 rows of 272 B: 285 MB.
    cached.ceiling = Ceiling::none;  // what a hit saves depends on the distribution
    cached.shapes = {
        {{{"tokens", 8192}, {"table_rows", kRowsOnHost}, {"zipf", 1}, {"planned_tokens", 65536}, {"log2_sets", 17}},
         "v4.1-flash"},
        {{{"tokens", 128}, {"table_rows", kRowsOnHost}, {"zipf", 1}, {"planned_tokens", 65536}, {"log2_sets", 17}},
         "v4.1-flash"}};
    cached.check_shapes = {
        {{"tokens", 1}, {"table_rows", 5}, {"zipf", 0}, {"planned_tokens", 0}, {"log2_sets", 3}},
        {{"tokens", 67}, {"table_rows", 1000}, {"zipf", 1}, {"planned_tokens", 10}, {"log2_sets", 6}}};
    cached.prepare = prepare_cached;
    Kernel split = bus;
    split.name = "engram/gather-pinned-split";
    split.what = "codes of 256 B over the bus from a table on the host, scales from HBM";
    split.prepare = prepare_split;
    return {hbm, with_frequent_rows(hbm, kRowsInHbm), bus, with_frequent_rows(bus, kRowsOnHost), split, cached};
}

}  // namespace strata
