#include "app/train/table.hpp"

#include <cmath>
#include <numeric>

#include "kernels/engram/engram_hash_reference.hpp"

namespace strata {

namespace {

constexpr int kOrders = 2;
constexpr int kVocabulary = 256, kPad = 0;  // no corpus writes byte 0

std::vector<std::int32_t> every_byte() {
    std::vector<std::int32_t> bytes(kVocabulary);
    std::iota(bytes.begin(), bytes.end(), 0);
    return bytes;
}

}  // namespace

EngramTable::EngramTable(std::int64_t buckets, int row_width, int hidden, int streams, int layer)
    : hash_(engram_hash_layers(
                {.layers = {layer}, .buckets = buckets, .compressed_vocab = kVocabulary, .orders = kOrders, .seed = 0})
                .front()),
      hidden_(hidden),
      streams_(streams) {
    const int read = kOrders * kEngramHeads * row_width;
    const double in = 1 / std::sqrt(read);
    table_ = drawn({hash_.rows, row_width}, 0.02);
    keys_ = drawn({read, streams * hidden}, in);
    value_ = drawn({read, hidden}, in);
    match_ = trainable(at::ones({streams, hidden}));
}

at::Tensor EngramTable::rows_of(const at::Tensor& bytes) const {
    static const std::vector<std::int32_t> same = every_byte();
    std::vector<at::Tensor> rows;
    for (const at::Tensor& sequence : bytes.to(at::kInt).contiguous().unbind(0)) {
        const std::int32_t* first = sequence.data_ptr<std::int32_t>();
        const std::vector<std::int32_t> tokens(first, first + sequence.numel());
        const std::vector<std::int32_t> ids = reference::engram_hash(tokens, same, kPad, hash_, kOrders);
        rows.push_back(at::tensor(at::ArrayRef<std::int32_t>(ids)).to(at::kLong).view({sequence.numel(), -1}));
    }
    return at::cat(rows);
}

at::Tensor EngramTable::read(const at::Tensor& streams, const at::Tensor& rows) const {
    const at::Tensor found = table_.index_select(0, rows.flatten()).view({rows.size(0), -1});
    const at::Tensor keys = at::mm(found, keys_).view({-1, streams_, hidden_});
    const at::Tensor match = (rms_norm(streams) * rms_norm(keys) * match_).sum(-1, true) / std::sqrt(hidden_);
    const at::Tensor gate = at::sigmoid(at::sign(match) * at::sqrt(match.abs().clamp_min(1e-6)));
    return gate * at::mm(found, value_).unsqueeze(1);
}

void EngramTable::list(const std::string& prefix, std::vector<Parameter>& parameters) const {
    parameters.push_back({prefix + ".rows", table_, ParameterKind::table});
    parameters.push_back({prefix + ".keys", keys_, ParameterKind::matrix});
    parameters.push_back({prefix + ".value", value_, ParameterKind::matrix});
    parameters.push_back({prefix + ".match", match_, ParameterKind::vector});
}

}  // namespace strata
