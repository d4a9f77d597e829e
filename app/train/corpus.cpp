#include "app/train/corpus.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// Each kind of word has bytes of its own.
constexpr int kSyllables = 64, kRelations = 16, kValues = 64, kMostMachines = 32;
constexpr std::uint8_t kFactMark = 1, kRuleMark = 2, kMachineEnds = 3;
constexpr std::uint8_t kFirstSyllable = 16, kFirstRelation = 80, kFirstValue = 96, kFirstMachine = 160,
                       kFirstState = 192, kFirstInput = 208;
constexpr int kSteps = 6;  // of a machine in a sentence

std::uint8_t word(std::uint8_t first, std::uint64_t number) { return static_cast<std::uint8_t>(first + number); }

double unit(FastRandom& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

void append(Text& text, std::uint8_t byte, ByteKind kind = ByteKind::other) {
    text.bytes.push_back(byte);
    text.kinds.push_back(kind);
}

}  // namespace

std::string_view to_string(ByteKind kind) {
    constexpr std::array<std::string_view, 3> kNames{"other", "fact", "rule"};
    return kNames[static_cast<std::size_t>(kind)];
}

Corpus::Corpus(const CorpusDials& dials) : dials_(dials) {
    constexpr int kMostFacts = kSyllables * kSyllables * kRelations / 2;
    if (dials.facts < 1 || dials.facts > kMostFacts)
        throw InputError("corpus.facts", "1 to " + std::to_string(kMostFacts), std::to_string(dials.facts));
    if (dials.machines < 1 || dials.machines > kMostMachines)
        throw InputError("corpus.machines", "1 to " + std::to_string(kMostMachines), std::to_string(dials.machines));
    FastRandom random(dials.seed);
    std::set<std::array<std::uint8_t, 3>> taken;
    double told = 0;
    while (facts_.size() < static_cast<std::size_t>(dials.facts)) {
        const Fact fact{word(kFirstSyllable, random.below(kSyllables)), word(kFirstSyllable, random.below(kSyllables)),
                        word(kFirstRelation, random.below(kRelations)), word(kFirstValue, random.below(kValues))};
        if (!taken.insert({fact.first, fact.second, fact.relation}).second) continue;
        facts_.push_back(fact);
        told += std::pow(static_cast<double>(facts_.size()), -dials.popularity);
        told_until_.push_back(told);
    }
    next_.resize(static_cast<std::size_t>(dials.machines * kStates * kInputs));
    for (std::uint8_t& state : next_) state = static_cast<std::uint8_t>(random.below(kStates));
}

void Corpus::tell_fact(Text& text, FastRandom& random) const {
    const double at = unit(random) * told_until_.back();
    const auto found = std::upper_bound(told_until_.begin(), told_until_.end(), at);
    const Fact& fact = facts_[static_cast<std::size_t>(std::min(found, told_until_.end() - 1) - told_until_.begin())];
    for (const std::uint8_t byte : {kFactMark, fact.first, fact.second, fact.relation}) append(text, byte);
    append(text, fact.value, ByteKind::fact);
}

void Corpus::run_machine(Text& text, FastRandom& random) const {
    const std::uint64_t machine = random.below(static_cast<std::uint64_t>(dials_.machines));
    std::uint64_t state = random.below(kStates);
    for (const std::uint8_t byte : {kRuleMark, word(kFirstMachine, machine), kMachineEnds, word(kFirstState, state)})
        append(text, byte);
    for (int step = 0; step < kSteps; ++step) {
        const std::uint64_t input = random.below(kInputs);
        state = next_[(machine * kStates + state) * kInputs + input];
        append(text, word(kFirstInput, input));
        append(text, word(kFirstState, state), ByteKind::rule);
    }
}

Text Corpus::text(std::uint64_t stream, std::size_t bytes) const {
    FastRandom random(FastRandom(dials_.seed ^ FastRandom(stream)())());
    Text text;
    while (text.bytes.size() < bytes) {
        if (unit(random) < dials_.fact_share)
            tell_fact(text, random);
        else
            run_machine(text, random);
    }
    text.bytes.resize(bytes);
    text.kinds.resize(bytes);
    return text;
}

}  // namespace strata
