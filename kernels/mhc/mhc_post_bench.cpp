// mHC's `post`, and plain hyper-connections of the static form beside it: what mixing costs over constant gates is the
// difference between mhc/pre and hc/static-pre.
#include "kernels/mhc/kernels.hpp"
#include "kernels/mhc/mhc.hpp"
#include "kernels/mhc/site.hpp"

namespace strata {

namespace {

enum class Op { post, static_post, static_pre };

Work work_of(const Shape& shape, Op op) {
    const double tokens = double(shape["tokens"]), hidden = double(shape["hidden"]);
    return op == Op::static_pre ? HyperConnectionPre{tokens, hidden}.work() : MhcPost{tokens, hidden}.work();
}

Verdict verify(const Site& site, Op op) {
    Pair compared;
    for (const std::int64_t t : rows_to_compare(site.tokens, 64, 1)) {
        const std::int64_t gates = op == Op::post ? t : 0;
        const auto streams = row_of(site.residual, t, 4 * site.hidden);
        if (op == Op::static_pre)
            compared.add(row_of(site.layer_in, t, site.hidden),
                         reference::layer_in(streams.data(), site.hidden, numbers_of<4>(site.last_pre, gates)));
        else
            compared.add(
                row_of(site.new_residual, t, 4 * site.hidden),
                reference::spread(row_of(site.layer_out, t, site.hidden).data(), streams.data(), site.hidden,
                                  numbers_of<4>(site.last_post, gates), numbers_of<16>(site.last_comb, gates)));
    }
    return compared.rounded();
}

Prepared prepare(const Shape& shape, Op op, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Site>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 16 * std::uint64_t(set));
    return {.work = work_of(shape, op),
            .launch =
                [operands, op](int set, cudaStream_t stream) {
                    const Site& site = (*operands)[set];
                    if (op == Op::static_pre)
                        mhc_gather(site.gather_task(true), stream);
                    else
                        mhc_post(site.post_task(op == Op::static_post), stream);
                },
            .poison = [operands] { operands->front().poison(); },
            .verify = [operands, op] { return verify(operands->front(), op); }};
}

Kernel streaming(const std::string& name, const std::string& what, Op op, Goal goal,
                 std::vector<ProductionShape> shapes) {
    const bool timed = goal.time.has_value();
    return {
        .name = name,
        .what = what,
        .source = "kernels/mhc/mhc_post.cu",
        .ceiling = timed ? Ceiling::none : Ceiling::copy,
        .goal = std::move(goal),
        .shapes = std::move(shapes),
        .check_shapes = {{{"tokens", 0}, {"hidden", 4096}},
                         {{"tokens", 1}, {"hidden", 7168}},
                         {{"tokens", 13}, {"hidden", 344}},
                         {{"tokens", 137}, {"hidden", 5120}}},
        .prepare = [op](const Shape& shape, int sets, std::uint64_t seed) { return prepare(shape, op, sets, seed); },
        .set_bytes = [op](const Shape& shape) { return work_of(shape, op).bytes(); }};
}

std::vector<ProductionShape> prefill() {
    return {{{{"tokens", 8192}, {"hidden", 7168}}, "v4-pro"},
            {{{"tokens", 8192}, {"hidden", 4096}}, "v4-flash"},
            {{{"tokens", 4096}, {"hidden", 7168}}, "v4-pro"}};
}

}  // namespace

std::vector<Kernel> mhc_post_kernels() {
    const Goal stream{.share = 0.93, .text = "4.0 TB/s of 4.3 on an H200"};
    return {
        streaming("mhc/post", "a layer's output spread over the streams, which are mixed", Op::post, stream, prefill()),
        streaming("mhc/post-decode", "post with few tokens", Op::post,
                  {.time = 3.0_us, .text = "4.3 us are published for 64 tokens"},
                  {{{{"tokens", 64}, {"hidden", 7168}}, "v4-pro"}, {{{"tokens", 1}, {"hidden", 7168}}, "v4-pro"}}),
        streaming("hc/static-pre", "hyper-connections with constant gates: the layer's input", Op::static_pre, stream,
                  prefill()),
        streaming("hc/static-post", "hyper-connections with constant gates: the layer's output spread", Op::static_post,
                  stream, prefill())};
}

}  // namespace strata
