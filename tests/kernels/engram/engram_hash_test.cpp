#include "kernels/engram/engram_hash_body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kernels/engram/engram_hash.hpp"
#include "kernels/engram/engram_hash_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::int32_t kVocab = 500, kCompressed = 300, kPad = 2;

Ids token_map() {
    Ids map(kVocab);
    for (std::int32_t i = 0; i < kVocab; ++i) map[std::size_t(i)] = i * 7 % kCompressed;
    return map;
}

std::vector<EngramHashLayer> small_layers(int orders = 3) {
    return engram_hash_layers({.buckets = 1000, .compressed_vocab = kCompressed, .orders = orders});
}

// One launch: pieces of sequences with the tokens before them.
struct Piece {
    Ids tokens;
    Ids history;  // `orders` of them
};

struct Hashed {
    Ids rows;  // [layer][token][orders * 8]
    int error = 0;
};

struct Launch {
    std::vector<EngramHashLayer> layers = small_layers();
    Ids map = token_map();
    std::vector<std::uint8_t> live{};
    int orders = 3;
    ThreadOrder order = ThreadOrder::forward;

    Hashed operator()(const std::vector<Piece>& pieces) const {
        Ids tokens, sequence_of, starts{0}, history;
        for (const Piece& piece : pieces) {
            tokens.insert(tokens.end(), piece.tokens.begin(), piece.tokens.end());
            sequence_of.insert(sequence_of.end(), piece.tokens.size(), std::int32_t(starts.size() - 1));
            history.insert(history.end(), piece.history.begin(), piece.history.end());
            starts.push_back(std::int32_t(tokens.size()));
        }
        return on(tokens, sequence_of, starts, history);
    }

    Hashed on(const Ids& tokens, const Ids& sequence_of, const Ids& starts, const Ids& history) const {
        std::vector<Pack<std::int32_t>> rows(layers.size() * tokens.size() * std::size_t(orders) * 2);
        std::fill_n(reinterpret_cast<std::int32_t*>(rows.data()), rows.size() * 4, -7);
        Hashed out;
        const EngramHashTask task{.tokens = tokens.data(),
                                  .live = live.empty() ? nullptr : live.data(),
                                  .sequence_of = sequence_of.data(),
                                  .starts = starts.data(),
                                  .history = history.data(),
                                  .compressed = map.data(),
                                  .layers = layers.data(),
                                  .rows = reinterpret_cast<std::int32_t*>(rows.data()),
                                  .error = &out.error,
                                  .token_count = long(tokens.size()),
                                  .sequences = int(starts.size()) - 1,
                                  .layer_count = int(layers.size()),
                                  .orders = orders,
                                  .vocab = kVocab,
                                  .compressed_vocab = kCompressed,
                                  .pad = kPad};
        require_valid(task);
        emulate(grid_of(task), order, [&](EmulatedThread& t) { engram_hash(t, task); });
        const auto* first = reinterpret_cast<const std::int32_t*>(rows.data());
        out.rows.assign(first, first + rows.size() * 4);
        return out;
    }
};

Ids random_tokens(int count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Ids tokens(static_cast<std::size_t>(count));
    for (std::int32_t& token : tokens) token = std::int32_t(3 + random() % (kVocab - 3));
    return tokens;
}

const Ids kNothingBefore{-1, -1, -1};

// Multipliers 1, 3, 5, 7, every prime 101, tokens kept as they are: (9 * 1) ^ (4 * 3) = 9 ^ 12 = 5 for the 2-gram,
// ^ (6 * 5 = 30) = 27 for the 3-gram, ^ (8 * 7 = 56) = 35 for the 4-gram. Slot j's rows begin at 1000 j.
TEST(EngramHash, by_hand) {
    EngramHashLayer layer{.multipliers = {1, 3, 5, 7}, .moduli = {}, .offsets = {}, .rows = 24'000};
    for (int slot = 0; slot < 24; ++slot) layer.moduli[slot] = prime_modulus(101), layer.offsets[slot] = 1000 * slot;
    Launch launch{.layers = {layer}};
    for (std::int32_t i = 0; i < kVocab; ++i) launch.map[std::size_t(i)] = i % kCompressed;
    const Hashed is = launch({{.tokens = {8, 6, 4, 9}, .history = kNothingBefore}});
    EXPECT_EQ(is.rows[3 * 24 + 0], 5);
    EXPECT_EQ(is.rows[3 * 24 + 1], 1005);
    EXPECT_EQ(is.rows[3 * 24 + 8], 8027);
    EXPECT_EQ(is.rows[3 * 24 + 23], 23035);
    // The first token has pads (2) before it: 8 ^ 6 = 14, ^ 10 = 4, ^ 14 = 10.
    EXPECT_EQ(is.rows[0], 14);
    EXPECT_EQ(is.rows[8], 8004);
    EXPECT_EQ(is.rows[16], 16010);
    EXPECT_EQ(is.error, 0);
}

TEST(EngramHash, matches_the_reference_in_every_thread_order) {
    Ids tokens = random_tokens(101, 3);
    tokens[10] = kDeadToken, tokens[20] = kPad, tokens[21] = kDeadToken;  // and the 3 after each see less
    for (const int orders : {3, 2, 1})
        for (const ThreadOrder order : kThreadOrders) {
            const auto layers = small_layers(orders);
            const Hashed is = Launch{
                .layers = layers, .orders = orders, .order = order}({{.tokens = tokens, .history = kNothingBefore}});
            Ids should;
            for (const EngramHashLayer& layer : layers) {
                const Ids one = reference::engram_hash(tokens, token_map(), kPad, layer, orders);
                should.insert(should.end(), one.begin(), one.end());
            }
            EXPECT_EQ(is.rows, should);
            EXPECT_EQ(is.error, 0);
        }
}

// The released primes and multipliers: 63-bit mixes, 31-bit rows.
TEST(EngramHash, matches_the_reference_at_the_released_size) {
    const auto layers = engram_hash_layers({});
    const Ids tokens = random_tokens(40, 5);
    const Hashed is = Launch{.layers = layers}({{.tokens = tokens, .history = kNothingBefore}});
    Ids should = reference::engram_hash(tokens, token_map(), kPad, layers[0], 3);
    const Ids second = reference::engram_hash(tokens, token_map(), kPad, layers[1], 3);
    should.insert(should.end(), second.begin(), second.end());
    EXPECT_EQ(is.rows, should);
    EXPECT_GT(*std::max_element(is.rows.begin(), is.rows.end()), 300'000'000);
}

// The rows of one layer, as [token] groups of 24.
Ids layer_rows(const Hashed& is, std::size_t layer, std::size_t tokens) {
    return {is.rows.begin() + std::ptrdiff_t(layer * tokens * 24),
            is.rows.begin() + std::ptrdiff_t((layer + 1) * tokens * 24)};
}

TEST(EngramHash, replay_chunks_and_decode_give_the_same_rows) {
    Ids tokens = random_tokens(23, 9);
    tokens[5] = kDeadToken;
    const Hashed whole = Launch{}({{.tokens = tokens, .history = kNothingBefore}});
    for (const std::size_t chunk : {std::size_t(1), std::size_t(2), std::size_t(7)})
        for (std::size_t layer = 0; layer < 2; ++layer) {
            Ids joined;
            for (std::size_t at = 0; at < tokens.size(); at += chunk) {
                Piece piece;
                for (std::size_t i = at; i < std::min(at + chunk, tokens.size()); ++i)
                    piece.tokens.push_back(tokens[i]);
                for (std::size_t back = 3; back > 0; --back)
                    piece.history.push_back(at >= back ? tokens[at - back] : kDeadToken);
                const Piece other{.tokens = random_tokens(3, at), .history = {5, 6, 7}};  // a neighbour in the batch
                const Hashed is = Launch{}({other, piece});
                const Ids rows = layer_rows(is, layer, 3 + piece.tokens.size());
                joined.insert(joined.end(), rows.begin() + 3 * 24, rows.end());
            }
            EXPECT_EQ(joined, layer_rows(whole, layer, tokens.size()));
        }
}

TEST(EngramHash, a_mask_kills_a_token_like_the_dead_id) {
    Ids tokens = random_tokens(9, 2);
    Launch masked;
    masked.live.assign(9, 1), masked.live[4] = 0;
    const Hashed is = masked({{.tokens = tokens, .history = kNothingBefore}});
    tokens[4] = kDeadToken;
    EXPECT_EQ(is.rows, Launch{}({{.tokens = tokens, .history = kNothingBefore}}).rows);
    EXPECT_EQ(is.rows[4 * 24], kNoRow);
}

TEST(EngramHash, an_unknown_token_has_no_rows_and_raises_the_flag) {
    for (const std::int32_t wrong : {kVocab, std::int32_t(-2), INT32_MAX, INT32_MIN}) {
        Ids tokens = random_tokens(6, 4);
        tokens[2] = wrong;
        const Hashed is = Launch{}({{.tokens = tokens, .history = kNothingBefore}});
        EXPECT_EQ(is.error, 1);
        EXPECT_EQ(Ids(is.rows.begin() + 48, is.rows.begin() + 72), Ids(24, kNoRow));
        tokens[2] = kDeadToken;  // for its neighbours it is dead
        EXPECT_EQ(is.rows, Launch{}({{.tokens = tokens, .history = kNothingBefore}}).rows);
    }
    Launch bad_map;
    bad_map.map[7] = kCompressed;
    EXPECT_EQ(bad_map({{.tokens = {7}, .history = kNothingBefore}}).error, 1);
}

TEST(EngramHash, a_token_without_a_sequence_raises_the_flag) {
    for (const Ids& sequence_of : {Ids{0, 9}, Ids{0, -1}, Ids{0, 1}}) {
        const Hashed is = Launch{}.on({5, 6}, sequence_of, {0, 2, 2}, Ids(6, -1));
        EXPECT_EQ(is.error, 1);
        EXPECT_EQ(is.rows[24], kNoRow);
        EXPECT_NE(is.rows[0], kNoRow);
    }
}

// A token's id is read and 24 row ids a layer are written.
TEST(EngramHash, work_is_196_bytes_a_token) {
    EXPECT_DOUBLE_EQ(strata::EngramHash{.tokens = 1}.work().bytes().si(), 4 + 2 * 24 * 4);
}

TEST(EngramHash, refuses_what_it_does_not_take) {
    EngramHashTask task{.layer_count = 1, .vocab = 10, .compressed_vocab = 10};
    EXPECT_NO_THROW(require_valid(task));
    task.token_count = 1;
    EXPECT_THROW(require_valid(task), std::invalid_argument);  // no buffers
    task = {.layer_count = 1, .orders = 4, .vocab = 10, .compressed_vocab = 10};
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    task = {.layer_count = 1, .vocab = 2, .compressed_vocab = 10};  // the pad is no token
    EXPECT_THROW(require_valid(task), std::invalid_argument);
}

}  // namespace
}  // namespace strata
