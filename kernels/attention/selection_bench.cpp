// Selection at the contexts of the models: rows of one query in decoding, many of them in prefill.
#include <memory>

#include "kernels/attention/coarse_selection_launch.hpp"
#include "kernels/attention/indexer.hpp"
#include "kernels/attention/selection_kernels.hpp"
#include "kernels/attention/top_k_launch.hpp"
#include "kernels/attention/top_k_reference.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"

namespace strata {

namespace {

// Rows of one length, or of any: bounds are drawn, some beyond the row and some empty.
struct Bounds {
    Bounds(std::int64_t rows, std::int64_t columns, bool ragged, std::uint64_t seed)
        : begin(ragged ? random_integers<std::int32_t>(std::size_t(rows), seed, columns / 8 + 4)
                       : Buffer<std::int32_t>(std::vector<std::int32_t>(std::size_t(rows), 0))),
          end(ragged ? random_integers<std::int32_t>(std::size_t(rows), seed + 1, columns + columns / 4 + 1)
                     : Buffer<std::int32_t>(std::vector<std::int32_t>(std::size_t(rows), std::int32_t(columns)))) {}
    Buffer<std::int32_t> begin, end;
};

std::int64_t padded(std::int64_t columns) { return (columns + 7) / 8 * 8; }

template <class T>
struct TopKOperands {
    TopKOperands(const Shape& shape, std::uint64_t seed)
        : logits(random_normal<T>(std::size_t(shape["rows"] * padded(shape["columns"])), seed)),
          bounds(shape["rows"], shape["columns"], shape["ragged"] != 0, seed + 1),
          indices(std::size_t(shape["rows"] * shape["k"])) {
        task.logits = logits.data(), task.indices = indices.data();
        task.begin = bounds.begin.data(), task.end = bounds.end.data();
        task.rows = shape["rows"], task.columns = shape["columns"], task.stride = padded(shape["columns"]);
        task.k = int(shape["k"]);
    }
    Buffer<T> logits;
    Bounds bounds;
    Buffer<std::int32_t> indices;
    TopKTask<T> task;
};

template <class T>
std::vector<double> row_of(const Buffer<T>& logits, long row, long stride, long columns) {
    std::vector<double> values;
    for (const T x : logits.read(std::size_t(row * stride), std::size_t(columns))) values.push_back(to_float(x));
    return values;
}

template <class T>
Verdict verify(const TopKOperands<T>& operands) {
    const TopKTask<T>& task = operands.task;
    const std::vector<std::int32_t> begins = operands.bounds.begin.read(), ends = operands.bounds.end.read();
    std::vector<std::int32_t> is, should;
    for (const std::int64_t row : rows_to_compare(task.rows, 8, 1)) {
        const long end = std::min<long>(ends[std::size_t(row)], task.columns);
        const auto expected = reference::top_k(row_of(operands.logits, row, task.stride, task.columns),
                                               std::min<long>(begins[std::size_t(row)], end), end, task.k);
        should.insert(should.end(), expected.begin(), expected.end());
        for (const std::int32_t index : operands.indices.read(std::size_t(row * task.k), std::size_t(task.k)))
            is.push_back(index);
    }
    return same_bits(is, should);
}

template <class T>
Work top_k_work(const Shape& shape) {
    return IndexerTopK{.rows = double(shape["rows"]),
                       .keys = double(shape["columns"]),
                       .k = double(shape["k"]),
                       .logit_bytes = sizeof(T)}
        .work();
}

// The plain alternative: nothing is held, and the row is read again, from L2 where it still is.
template <class T>
void read_again(TopKTask<T> task, cudaStream_t stream) {
    task.hold = TopKHold::nothing;
    top_k(task, stream);
}

template <class T>
Prepared prepare_top_k(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<TopKOperands<T>>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = top_k_work<T>(shape),
            .launch = [operands](int set, cudaStream_t stream) { top_k((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().indices.poison(); },
            .verify = [operands] { return verify(operands->front()); },
            .baselines = {{"read again",
                           [operands](int set, cudaStream_t stream) { read_again((*operands)[set].task, stream); }}}};
}

Shape shape_of(std::int64_t rows, std::int64_t columns, std::int64_t k, bool ragged = false) {
    return {{"rows", rows}, {"columns", columns}, {"k", k}, {"ragged", ragged}};
}

template <class T>
Kernel top_k_kernel(const std::string& name, const std::string& what, const std::vector<ProductionShape>& shapes) {
    return {.name = name,
            .what = what,
            .source = "kernels/attention/top_k.cu",
            .shapes = shapes,
            .check_shapes = {shape_of(0, 100, 4), shape_of(1, 1, 1), shape_of(9, 600, 512, true),
                             shape_of(33, 5003, 512, true), shape_of(7, 70001, 2048, true),
                             shape_of(3, 131072, 4096, true), shape_of(2, 1800000, 1024, true)},
            .prepare = prepare_top_k<T>,
            .set_bytes = [](const Shape& shape) { return top_k_work<T>(shape).bytes(); }};
}

Kernel top_k_decoding() {
    Kernel kernel = top_k_kernel<float>("attention/top-k-decode", "k largest of one long row of FP32, ascending",
                                        {{shape_of(1, 131072, 2048), "v3.2"},
                                         {shape_of(1, 32768, 512), "v4-flash"},
                                         {shape_of(1, 262144, 1024), "v4-pro"},
                                         {shape_of(1, 1048576, 2048), "v3.2"},
                                         {shape_of(4, 131072, 2048), "v3.2"}});
    kernel.ceiling = Ceiling::none;
    kernel.goal = {.time = Seconds(12e-6), .text = "facts A5, one row of 131072"};
    return kernel;
}

template <class T>
Kernel top_k_prefill(const std::string& name, const std::string& what) {
    Kernel kernel = top_k_kernel<T>(name, what,
                                    {{shape_of(1024, 32768, 2048), "v3.2"},
                                     {shape_of(256, 131072, 2048), "v3.2"},
                                     {shape_of(1024, 32768, 512), "v4-flash v4.1-flash"},
                                     {shape_of(512, 65536, 1024), "v4-pro"},
                                     {shape_of(4096, 8192, 512), "v4-flash"}});
    kernel.goal = {.share = 0.70, .text = "facts A5: 3.0 TB/s of 4.3 from 132 rows of 32 K"};
    return kernel;
}

struct CoarseOperands {
    CoarseOperands(const Shape& shape, std::uint64_t seed)
        : logits(random_normal<float>(std::size_t(shape["rows"] * padded(shape["columns"])), seed)),
          bounds(shape["rows"], shape["columns"], shape["ragged"] != 0, seed + 1),
          maxima(std::size_t(shape["rows"] * padded(padded(shape["columns"]) / 8))),
          counts(std::size_t(shape["rows"])),
          candidates(std::size_t(shape["rows"] * shape["k"])) {
        task.logits = logits.data(), task.end = bounds.end.data(), task.maxima = maxima.data();
        task.counts = counts.data(), task.candidates = candidates.data();
        task.rows = shape["rows"], task.columns = shape["columns"], task.stride = padded(shape["columns"]);
        task.maxima_stride = padded(padded(shape["columns"]) / 8), task.most_blocks = int(shape["k"]);
    }
    Buffer<float> logits;
    Bounds bounds;
    Buffer<float> maxima;
    Buffer<std::int32_t> counts, candidates;
    CoarseTask<float> task;
};

Verdict verify(const CoarseOperands& operands) {
    const CoarseTask<float>& task = operands.task;
    const std::vector<std::int32_t> ends = operands.bounds.end.read();
    std::vector<std::int32_t> is, should;
    for (const std::int64_t row : rows_to_compare(task.rows, 8, 1)) {
        const auto expected = reference::candidate_blocks(row_of(operands.logits, row, task.stride, task.columns),
                                                          std::min<long>(ends[std::size_t(row)], task.columns),
                                                          kCandidateBlock, task.most_blocks);
        should.insert(should.end(), expected.begin(), expected.end());
        for (const std::int32_t index :
             operands.candidates.read(std::size_t(row * task.most_blocks), std::size_t(task.most_blocks)))
            is.push_back(index);
    }
    return same_bits(is, should);
}

Work coarse_work(const Shape& shape) {
    return CoarseSelection{
        .rows = double(shape["rows"]), .keys = double(shape["columns"]), .blocks = double(shape["k"])}
        .work();
}

Prepared prepare_coarse(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<CoarseOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = coarse_work(shape),
            .launch = [operands](int set, cudaStream_t stream) { select_blocks((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().candidates.poison(), operands->front().maxima.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Kernel coarse_kernel() {
    return {.name = "attention/coarse-selection",
            .what = "largest logit of each 8 positions, newest block pinned, the best 2048 blocks ascending",
            .source = "kernels/attention/coarse_selection.cu",
            .goal = {.share = 0.81, .text = "facts A7: 3.5 TB/s of 4.3"},
            .shapes = {{shape_of(256, 262144, 2048), "v4.1-flash"},
                       {shape_of(1024, 65536, 2048), "v4.1-flash"},
                       {shape_of(1, 524288, 2048), "v4.1-flash"}},
            .check_shapes = {shape_of(0, 100, 4), shape_of(1, 1, 1), shape_of(19, 5003, 100, true),
                             shape_of(5, 40000, 2048, true)},
            .prepare = prepare_coarse,
            .set_bytes = [](const Shape& shape) { return coarse_work(shape).bytes(); }};
}

// What later layers do: the best 512 of the 16384 slots of their candidates.
struct CandidateOperands {
    CandidateOperands(const Shape& shape, std::uint64_t seed)
        : coarse({{"rows", shape["rows"]},
                  {"columns", shape["context"]},
                  {"k", shape["blocks"]},
                  {"ragged", shape["ragged"]}},
                 seed),
          logits(random_normal<float>(std::size_t(shape["rows"] * shape["blocks"] * kCandidateBlock), seed + 9)),
          positions(std::size_t(shape["rows"] * shape["k"])) {
        std::vector<std::int32_t> ends = coarse.bounds.end.read();  // a context ends within itself
        for (std::int32_t& end : ends) end = std::min(end, std::int32_t(shape["context"]));
        coarse.bounds.end.write(ends);
        select_blocks(coarse.task, nullptr);
        check_cuda(cudaDeviceSynchronize(), "choosing candidates");
        task.logits = logits.data(), task.end = coarse.task.end, task.blocks = coarse.task.candidates;
        task.indices = positions.data(), task.rows = shape["rows"], task.k = int(shape["k"]);
        task.columns = task.stride = shape["blocks"] * kCandidateBlock;
    }
    CoarseOperands coarse;
    Buffer<float> logits;
    Buffer<std::int32_t> positions;
    TopKTask<float> task;
};

Verdict verify(const CandidateOperands& operands) {
    const TopKTask<float>& task = operands.task;
    const std::vector<std::int32_t> ends = operands.coarse.bounds.end.read();
    const long most = task.columns / kCandidateBlock;
    std::vector<std::int32_t> is, should;
    for (const std::int64_t row : rows_to_compare(task.rows, 8, 1)) {
        const auto expected =
            reference::top_k_of_candidates(row_of(operands.logits, row, task.stride, task.columns),
                                           operands.coarse.candidates.read(std::size_t(row * most), std::size_t(most)),
                                           ends[std::size_t(row)], kCandidateBlock, task.k);
        should.insert(should.end(), expected.begin(), expected.end());
        for (const std::int32_t at : operands.positions.read(std::size_t(row * task.k), std::size_t(task.k)))
            is.push_back(at);
    }
    return same_bits(is, should);
}

Work candidate_work(const Shape& shape) {
    return IndexerTopK{
        .rows = double(shape["rows"]), .keys = double(shape["blocks"] * kCandidateBlock), .k = double(shape["k"])}
        .work();
}

Prepared prepare_candidates(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<CandidateOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = candidate_work(shape),
            .launch = [operands](int set, cudaStream_t stream) { top_k((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().positions.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Shape candidate_shape(std::int64_t rows, std::int64_t context, std::int64_t blocks, std::int64_t k,
                      bool ragged = false) {
    return {{"rows", rows}, {"context", context}, {"blocks", blocks}, {"k", k}, {"ragged", ragged}};
}

Kernel candidate_kernel() {
    return {.name = "attention/top-k-candidates",
            .what = "the best 512 positions within 2048 candidate blocks, ascending",
            .source = "kernels/attention/top_k.cu",
            .goal = {.share = 0.70, .text = "as top-k"},
            .shapes = {{candidate_shape(1024, 65536, 2048, 512), "v4.1-flash"},
                       {candidate_shape(1, 65536, 2048, 512), "v4.1-flash"}},
            .check_shapes = {candidate_shape(9, 3000, 128, 100, true), candidate_shape(9, 900, 128, 100, true)},
            .prepare = prepare_candidates,
            .set_bytes = [](const Shape& shape) {
                return candidate_work(shape).bytes() + Bytes(double(shape["rows"] * shape["context"]) * 4.5);
            }};
}

}  // namespace

std::vector<Kernel> selection_kernels() {
    return {top_k_decoding(), top_k_prefill<float>("attention/top-k", "k largest of each row of FP32, ascending"),
            top_k_prefill<Bf16>("attention/top-k-bf16", "k largest of each row of BF16, ascending"), coarse_kernel(),
            candidate_kernel()};
}

}  // namespace strata
