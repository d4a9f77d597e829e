#include "sim/cost/op_point.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

struct Dictionary {
    std::mutex mutex;
    std::map<std::string, Label, std::less<>> numbers;
    std::deque<std::string> words{""};
};

Dictionary& words() {
    static Dictionary all;
    return all;
}

std::string expected_of(const OpForm& form) {
    std::string text;
    for (const std::string_view side : form.sides) text += fmt::format("{}{}=N", text.empty() ? "" : ",", side);
    for (const OpForm::Word& word : form.words) text += fmt::format("[,{}=WORD]", word.name);
    return text;
}

[[noreturn]] void refuse(Family family, const std::string& what) {
    throw InputError(fmt::format("{}: {}; expected {}", to_string(family), what, expected_of(form_of(family))));
}

}  // namespace

Label label_of(std::string_view word) {
    if (word.empty()) return 0;
    Dictionary& all = words();
    const std::lock_guard lock(all.mutex);
    const auto found = all.numbers.find(word);
    if (found != all.numbers.end()) return found->second;
    const auto number = static_cast<Label>(all.words.size());
    all.words.emplace_back(word);
    all.numbers.emplace(word, number);
    return number;
}

std::string word_of(Label label) {
    Dictionary& all = words();
    const std::lock_guard lock(all.mutex);
    return all.words.at(label);
}

std::string text_of(const OpPoint& point) {
    const OpForm& form = form_of(point.family);
    std::string text;
    for (std::size_t i = 0; i < form.sides.size(); ++i)
        text += fmt::format("{}{}={}", i ? " " : "", form.sides[i], point.sides[i]);
    for (std::size_t i = 0; i < form.words.size(); ++i)
        if (point.labels[i]) text += fmt::format(" {}={}", form.words[i].name, word_of(point.labels[i]));
    return text;
}

OpPoint point_from(Family family, std::string_view text) {
    const OpForm& form = form_of(family);
    OpPoint point{.family = family};
    std::array<bool, kMaxSides> given{};
    for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
        end = std::min(text.find_first_of(", ", begin), text.size());
        const std::string_view item = text.substr(begin, end - begin);
        if (item.empty()) continue;
        const std::size_t equals = std::min(item.find('='), item.size());
        const std::string_view name = item.substr(0, equals), value = item.substr(std::min(equals + 1, item.size()));
        bool known = false;
        for (std::size_t i = 0; i < form.sides.size(); ++i)
            if (form.sides[i] == name) {
                const auto read = std::from_chars(value.data(), value.data() + value.size(), point.sides[i]);
                if (read.ec != std::errc{} || read.ptr != value.data() + value.size() || !(point.sides[i] >= 0) ||
                    point.sides[i] >= 1e15 || (point.sides[i] <= 0 && !may_be_zero(form.sides[i])))
                    refuse(family, fmt::format("'{}' is no length", item));
                known = given[i] = true;
            }
        for (std::size_t i = 0; i < form.words.size(); ++i)
            if (form.words[i].name == name) {
                point.labels[i] = label_of(value);
                known = true;
            }
        if (!known) refuse(family, fmt::format("it has no '{}'", name));
    }
    for (std::size_t i = 0; i < form.sides.size(); ++i)
        if (!given[i]) refuse(family, fmt::format("'{}' is missing", form.sides[i]));
    return point;
}

std::size_t OpPointHash::operator()(const OpPoint& point) const noexcept {
    std::uint64_t hash = static_cast<std::uint64_t>(point.family) + 0x9E3779B97F4A7C15ULL;
    const auto mix = [&hash](std::uint64_t value) {
        hash = (hash ^ value) * 0xFF51AFD7ED558CCDULL;
        hash ^= hash >> 32;
    };
    for (const double side : point.sides) mix(std::bit_cast<std::uint64_t>(side));
    std::uint64_t packed = point.labels[4];
    for (std::size_t i = 0; i < 4; ++i) packed = packed * 31 + (std::uint64_t(point.labels[i]) << (16 * i));
    mix(packed);
    return hash;
}

}  // namespace strata
