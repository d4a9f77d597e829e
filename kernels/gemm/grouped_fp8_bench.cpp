// The products of routed experts: many rows an expert in prefill and training (contiguous), few in decode (masked).
// V4's experts are stored in FP4 and widened to FP8 for these products, so their shapes are here too.
#include <random>

#include "kernels/bench/kernel.hpp"
#include "kernels/gemm/grouped_fp8_launch.hpp"
#include "kernels/gemm/kernels.hpp"
#include "kernels/gemm/library_baseline.hpp"
#include "kernels/gemm/scaled_operands.hpp"
#include "kernels/moe/grouped_gemm.hpp"

namespace strata {

namespace {

// Rows of each group: `rows`, or, where ragged, anything from none to that.
std::vector<std::int32_t> sizes_of(const Shape& shape) {
    const auto rows = std::int32_t(shape["rows"]);
    std::vector<std::int32_t> sizes(static_cast<std::size_t>(shape["groups"]), rows);
    if (!shape["ragged"]) return sizes;
    std::mt19937_64 random(11);
    for (std::int32_t& size : sizes) size = std::int32_t(random() % std::uint64_t(rows + 1));
    sizes.front() = 0, sizes.back() = rows;
    return sizes;
}

struct Groups {
    std::vector<std::int32_t> sizes{};
    std::vector<long> first{};  // row of each group in a contiguous a
    std::vector<std::int32_t> group_of_block{};
    long rows = 0;    // of a contiguous a, padding and all
    long wanted = 0;  // without
};

Groups groups_of(const Shape& shape) {
    Groups groups{.sizes = sizes_of(shape)};
    for (std::size_t group = 0; group < groups.sizes.size(); ++group) {
        groups.first.push_back(groups.rows);
        const long blocks = ceil_div(groups.sizes[group], kGroupAlignment);
        groups.group_of_block.insert(groups.group_of_block.end(), std::size_t(blocks), std::int32_t(group));
        groups.rows += blocks * kGroupAlignment;
        groups.wanted += groups.sizes[group];
    }
    return groups;
}

struct Operands {
    Operands(const Shape& shape, bool masked_, std::uint64_t seed)
        : groups(groups_of(shape)),
          masked(masked_),
          scaled(masked ? shape["rows"] : groups.rows, masked ? shape["groups"] : 1, int(shape["n"]), int(shape["k"]),
                 int(shape["groups"]), scale_rows(masked ? shape["rows"] : groups.rows), seed),
          indices(masked ? groups.sizes : groups.group_of_block),
          task(scaled.task(int(shape["groups"]))) {
        (masked ? task.counts : task.group_of_block) = indices.data();
        task.rows_expected = shape["rows"];
    }
    long a_group(int group) const { return masked ? group : 0; }
    long first_row(int group) const { return masked ? 0 : groups.first[std::size_t(group)]; }

    Groups groups;
    bool masked;
    ScaledOperands scaled;
    Buffer<std::int32_t> indices;
    GroupedFp8Task task;
};

Verdict verify(const Operands& operands) {
    std::vector<double> is, should;
    const auto groups = rows_to_compare(std::int64_t(operands.groups.sizes.size()), 12, 1);
    for (const std::int64_t group : groups)
        for (const std::int64_t row : rows_to_compare(operands.groups.sizes[std::size_t(group)], 4, 2))
            operands.scaled.compare_row(operands.a_group(int(group)), operands.first_row(int(group)) + row, group, is,
                                        should);
    return same_product(is, should);
}

// A product of cuBLASLt for each group that has rows. Its scales of a stand closer than the whole's, so it reads
// others: nobody looks at its results.
std::vector<LibraryGemm> library_loop(const Operands& operands, const float* a_scales,
                                      const std::shared_ptr<LibraryContext>& context) {
    std::vector<LibraryGemm> products;
    const GroupedFp8Task& task = operands.task;
    const long weights = long(task.n) * task.k, bands = ceil_div(task.n, 128);
    for (int group = 0; group < task.groups; ++group) {
        const long row = operands.a_group(group) * task.rows + operands.first_row(group);
        if (const int rows = operands.groups.sizes[std::size_t(group)]; rows > 0)
            products.emplace_back(GemmType::fp8_block, rows, task.n, task.k,
                                  GemmOperands{.a = task.a + row * task.k,
                                               .a_scales = a_scales,
                                               .b = task.b + group * weights,
                                               .b_scales = task.b_scales + group * bands * scale_blocks(task.k),
                                               .out = task.out + row * task.n},
                                  context);
    }
    return products;
}

Work work_of(const Shape& shape) {
    double rows = 0, touched = 0;
    for (const std::int32_t size : sizes_of(shape)) rows += size, touched += size > 0;
    return GroupedGemm{.rows = rows, .groups = touched, .n = double(shape["n"]), .k = double(shape["k"])}.work();
}

Prepared prepare(const Shape& shape, bool masked, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands> >();
    operands->reserve(std::size_t(sets));
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, masked, seed + std::uint64_t(8 * set));
    auto scales = std::make_shared<Buffer<float> >(
        random_uniform(std::size_t(scale_rows(shape["rows"]) * (shape["k"] / 128)), seed + 5, 0.001f, 0.01f));
    std::vector<Baseline> baselines =
        library_baseline("a loop of cuBLASLt", sets, [=](int set, const std::shared_ptr<LibraryContext>& context) {
            return library_loop((*operands)[std::size_t(set)], scales->data(), context);
        });
    return {.work = work_of(shape),
            .launch = [operands, scales](
                          int set, cudaStream_t stream) { grouped_fp8((*operands)[std::size_t(set)].task, stream); },
            .poison = [operands] { operands->front().scaled.out.poison(); },
            .verify = [operands] { return verify(operands->front()); },
            .baselines = std::move(baselines)};
}

Shape grouped(std::int64_t rows, std::int64_t groups, std::int64_t n, std::int64_t k, std::int64_t ragged = 0) {
    return {{"rows", rows}, {"groups", groups}, {"n", n}, {"k", k}, {"ragged", ragged}};
}

Kernel kernel(const std::string& name, const std::string& what, bool masked) {
    return {.name = name,
            .what = what,
            .source = "kernels/gemm/grouped_fp8.cu",
            .ceiling = masked ? Ceiling::copy : Ceiling::fp8_block,
            .prepare = [masked](const Shape& shape, int sets,
                                std::uint64_t seed) { return prepare(shape, masked, sets, seed); },
            .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }};
}

Kernel contiguous() {
    Kernel one =
        kernel("gemm/grouped-fp8", "FP8 product of many experts, rows contiguous, promoted to FP32 each 128", false);
    one.shapes = {{grouped(8192, 4, 4096, 7168), "v3 v3.2"},    {grouped(8192, 4, 7168, 2048), "v3 v3.2"},
                  {grouped(4096, 8, 6144, 7168), "v4-pro"},     {grouped(4096, 8, 7168, 3072), "v4-pro"},
                  {grouped(4096, 8, 4096, 4096), "v4-flash"},   {grouped(4096, 8, 4096, 2048), "v4-flash"},
                  {grouped(4096, 8, 4608, 5120), "v4.1-flash"}, {grouped(4096, 8, 5120, 2304), "v4.1-flash"},
                  {grouped(1024, 32, 4096, 7168), "v3 v3.2"},   {grouped(1024, 32, 7168, 2048), "v3 v3.2"}};
    one.goal = {.time = work_of(one.shapes.front().shape).flops / 850.0_TFLOPS,
                .text = "facts A9: 850 TFLOP/s from 1024 rows a group; DeepGEMM published 1381 on an H800"};
    one.check_shapes = {grouped(0, 2, 128, 128), grouped(1, 1, 8, 128), grouped(200, 3, 136, 256, 1),
                        grouped(129, 2, 384, 128), grouped(1100, 6, 1160, 384, 1)};
    return one;
}

Kernel masked() {
    Kernel one = kernel("gemm/grouped-fp8-masked",
                        "FP8 product of many experts, a fixed place each, counts on the device", true);
    one.shapes = {{grouped(20, 32, 4096, 7168), "v3 v3.2"},  {grouped(20, 32, 7168, 2048), "v3 v3.2"},
                  {grouped(20, 6, 6144, 7168), "v4-pro"},    {grouped(20, 6, 7168, 3072), "v4-pro"},
                  {grouped(20, 32, 4096, 4096), "v4-flash"}, {grouped(20, 32, 4608, 5120), "v4.1-flash"},
                  {grouped(192, 32, 4096, 7168), "v3 v3.2"}, {grouped(192, 32, 7168, 2048), "v3 v3.2"},
                  {grouped(1024, 6, 6144, 7168), "v4-pro"},  {grouped(1024, 6, 7168, 3072), "v4-pro"}};
    // Of the weights alone, as the goal is put.
    one.goal = {.time = Bytes(32.0 * 4096 * 7168) / 3000.0_GBps, .text = "facts A9: 3.0 TB/s on the weights of decode"};
    one.check_shapes = {grouped(0, 2, 128, 128),  grouped(1, 1, 8, 128),        grouped(70, 4, 264, 256, 1),
                        grouped(64, 2, 128, 384), grouped(130, 3, 128, 128, 1), grouped(300, 12, 1160, 256, 1)};
    return one;
}

}  // namespace

std::vector<Kernel> grouped_fp8_kernels() { return {contiguous(), masked()}; }

}  // namespace strata
