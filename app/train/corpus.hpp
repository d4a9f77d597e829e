// What the small language models learn: a made-up language whose tokens are the 256 bytes, written by a seeded program,
// so that its amount of each kind of knowledge is known. Two kinds of sentence:
//   fact    ! a b r v          a name of two syllables, a relation, the value. A book of facts, drawn once, says v:
//   what
//                              the last three bytes determine, which is what a table of n-grams can hold.
//   rule    # k : s i s i s .. machine k is in state s, reads input i, is in state s .. A book of transitions, drawn
//   once,
//                              says each next state. The last three bytes never hold k and s and i together: the
//                              machine has to be attended to and its transition computed.
// How much there is of each is our choice, so the best allocation on this language says nothing of another one; that
// there is one, and how it moves with the budget, can be looked for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "app/measure/timing.hpp"

namespace strata {

enum class ByteKind : std::uint8_t { other, fact, rule };  // of bytes that a book determines
std::string_view to_string(ByteKind kind);

struct CorpusDials {
    std::uint64_t seed = 1;  // of both books
    int facts = 3000;
    int machines = 16;
    double fact_share = 0.7;  // of sentences, which are 5 bytes of facts and 16 of machines
    double popularity = 0.6;  // the n-th fact is told in proportion to n to the power of minus this
};

struct Text {
    std::vector<std::uint8_t> bytes;
    std::vector<ByteKind> kinds;  // of each byte
};

class Corpus {
public:
    static constexpr int kVocabulary = 256;

    explicit Corpus(const CorpusDials& dials);

    // The same text for the same stream; streams are independent of each other and share the books.
    Text text(std::uint64_t stream, std::size_t bytes) const;

private:
    static constexpr int kStates = 8, kInputs = 8;
    struct Fact {
        std::uint8_t first = 0, second = 0, relation = 0, value = 0;
    };

    void tell_fact(Text& text, FastRandom& random) const;
    void run_machine(Text& text, FastRandom& random) const;

    CorpusDials dials_;
    std::vector<Fact> facts_;         // the most popular first
    std::vector<double> told_until_;  // cumulative popularity of facts
    std::vector<std::uint8_t> next_;  // [machine][state][input]
};

}  // namespace strata
