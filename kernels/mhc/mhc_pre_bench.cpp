// mHC's mixing forms at prefill and decode sizes of V4, against the copy of this run; the fused ones also against
// `post` and `pre` one after the other.
#include "kernels/mhc/kernels.hpp"
#include "kernels/mhc/mhc.hpp"
#include "kernels/mhc/site.hpp"

namespace strata {

namespace {

reference::MhcSite reference_of(const Site& site, const MhcGates& gates) {
    reference::MhcSite exact;
    exact.norm_eps = gates.norm_eps, exact.eps = gates.eps;
    exact.post_mult = gates.post_mult, exact.iterations = gates.iterations;
    exact.fn = row_of(site.fn, 0, std::int64_t(site.fn.size()));
    exact.scale = numbers_of<3>(site.scale, 0);
    exact.base = numbers_of<24>(site.base, 0);
    return exact;
}

// Of sixteen tokens: the new streams against the old; then the mixes, the gates and the layer's input against those
// very streams, so that roundings to BF16 are not counted twice.
Verdict verify(const Site& site, const MhcPreTask& task) {
    const reference::MhcSite exact = reference_of(site, task.gates);
    Pair residual, mixes, pre, post, comb, layer_in;
    for (const std::int64_t t : rows_to_compare(site.tokens, 16, 1)) {
        const bool spreads = task.form != MhcForm::pre;
        const auto streams = row_of(spreads ? site.new_residual : site.residual, t, 4 * site.hidden);
        if (spreads)
            residual.add(streams,
                         reference::spread(row_of(site.layer_out, t, site.hidden).data(),
                                           row_of(site.residual, t, 4 * site.hidden).data(), site.hidden,
                                           numbers_of<4>(site.last_post, t), numbers_of<16>(site.last_comb, t)));
        const reference::MhcMixed should = reference::mixed(streams.data(), site.hidden, exact);
        mixes.add(numbers_of<24>(site.mixes, t), should.mixes);
        pre.add(numbers_of<4>(site.pre, t), should.pre);
        post.add(numbers_of<4>(site.post, t), should.post);
        comb.add(numbers_of<16>(site.comb, t), should.comb);
        const auto gathered_with =
            task.form == MhcForm::single_pass ? numbers_of<4>(site.last_pre, t) : numbers_of<4>(site.pre, t);
        layer_in.add(row_of(site.layer_in, t, site.hidden),
                     reference::layer_in(streams.data(), site.hidden, gathered_with));
    }
    return all_of({residual.rounded(), alike(mixes.is, mixes.should, 1e-8),  // DeepGEMM's tolerance
                   close_to(pre.is, pre.should, 2e-5, 0), close_to(post.is, post.should, 4e-5, 0),
                   close_to(comb.is, comb.should, 1e-8, 5e-5), layer_in.rounded()});
}

Work work_of(const Shape& shape, MhcForm form) {
    const double tokens = double(shape["tokens"]), hidden = double(shape["hidden"]);
    switch (form) {
        case MhcForm::pre: return MhcPre{tokens, hidden}.work();
        case MhcForm::fused: return MhcFused{tokens, hidden}.work();
        default: return MhcSinglePass{tokens, hidden}.work();
    }
}

Prepared prepare(const Shape& shape, MhcForm form, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Site>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 16 * std::uint64_t(set));
    Prepared prepared{
        .work = work_of(shape, form),
        .launch = [operands, form](int set, cudaStream_t stream) { mhc_pre((*operands)[set].pre_task(form), stream); },
        .poison = [operands] { operands->front().poison(); },
        .verify = [operands, form] { return verify(operands->front(), operands->front().pre_task(form)); }};
    if (form != MhcForm::pre)
        prepared.baselines.push_back({"post, then pre", [operands](int set, cudaStream_t stream) {
                                          const Site& site = (*operands)[set];
                                          mhc_post(site.post_task(false), stream);
                                          MhcPreTask pre = site.pre_task(MhcForm::pre);
                                          pre.residual = site.new_residual.data();
                                          mhc_pre(pre, stream);
                                      }});
    return prepared;
}

Kernel mixing(const std::string& name, const std::string& what, MhcForm form, Goal goal,
              std::vector<ProductionShape> shapes) {
    const bool timed = goal.time.has_value();
    return {.name = name,
            .what = what,
            .source = "kernels/mhc/mhc_pre.cu",
            .ceiling = timed ? Ceiling::none : Ceiling::copy,
            .goal = std::move(goal),
            .shapes = std::move(shapes),
            .check_shapes = {{{"tokens", 0}, {"hidden", 4096}},
                             {{"tokens", 1}, {"hidden", 7168}},
                             {{"tokens", 13}, {"hidden", 1024}},
                             {{"tokens", 137}, {"hidden", 7168}},
                             {{"tokens", 137}, {"hidden", 5120}},
                             {{"tokens", 1000}, {"hidden", 4096}}},
            .prepare = [form](const Shape& shape, int sets,
                              std::uint64_t seed) { return prepare(shape, form, sets, seed); },
            .set_bytes = [form](const Shape& shape) { return work_of(shape, form).bytes(); }};
}

std::vector<ProductionShape> prefill() {
    return {{{{"tokens", 8192}, {"hidden", 7168}}, "v4-pro"},
            {{{"tokens", 8192}, {"hidden", 4096}}, "v4-flash"},
            {{{"tokens", 4096}, {"hidden", 7168}}, "v4-pro"}};
}

std::vector<ProductionShape> decode() {
    return {{{{"tokens", 64}, {"hidden", 7168}}, "v4-pro"},
            {{{"tokens", 1}, {"hidden", 7168}}, "v4-pro"},
            {{{"tokens", 64}, {"hidden", 4096}}, "v4-flash"}};
}

std::vector<ProductionShape> of_v41() {
    return {{{{"tokens", 8192}, {"hidden", 5120}}, "v4.1-flash"}, {{{"tokens", 4096}, {"hidden", 5120}}, "v4.1-flash"}};
}

}  // namespace

std::vector<Kernel> mhc_pre_kernels() {
    return {mixing("mhc/pre", "gates of the streams and the layer's input, streams read once", MhcForm::pre,
                   {.share = 0.80, .text = "1.6 times the published 2.16 TB/s, on an H200"}, prefill()),
            mixing("mhc/pre-decode", "pre with few tokens", MhcForm::pre,
                   {.time = 7.0_us, .text = "9.6 us are published for one token"}, decode()),
            mixing("mhc/fused", "post of one site and pre of the next, streams written once and not read back",
                   MhcForm::fused, {.share = 0.85, .text = "3.8 TB/s of 20 B an element on an H200"}, prefill()),
            mixing("mhc/single-pass", "V4.1: as fused, the input gathered with the gates of the site before",
                   MhcForm::single_pass, {.share = 0.85, .text = "3.8 TB/s of 20 B an element on an H200"}, of_v41())};
}

std::vector<Kernel> mhc_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {mhc_pre_kernels, mhc_post_kernels})
        for (Kernel& kernel : part()) all.push_back(std::move(kernel));
    return all;
}

}  // namespace strata
