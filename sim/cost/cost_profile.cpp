#include "sim/cost/cost_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr std::string_view kProfileSchema = "strata.cost-profile.1";
constexpr std::uint64_t kHeldOutOneOf = 5;

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211ULL;
    return hash;
}

std::string whole(const std::string& file) {
    std::string text;
    if (!std::filesystem::is_regular_file(file)) throw InputError(fmt::format("{}: no such file", file));
    std::FILE* in = std::fopen(file.c_str(), "rb");
    if (!in) throw InputError(fmt::format("{}: cannot be read", file));
    std::error_code unknown_size;
    text.resize(std::filesystem::file_size(file, unknown_size));
    text.resize(std::fread(text.data(), 1, text.size(), in));
    std::fclose(in);
    return text;
}

std::string columns_of(Family family) {
    const OpForm& form = form_of(family);
    std::string columns;
    for (const std::string_view side : form.sides) columns += fmt::format("{},", side);
    for (const OpForm::Word& word : form.words) columns += fmt::format("{},", word.name);
    return columns + "us";
}

class Reader {
public:
    explicit Reader(const std::string& file) : text_(whole(file)) { profile_.file = file; }

    CostProfile read() {
        const std::size_t expected = header();
        profile_.first_line = number_ + 1;
        profile_.rows.reserve(expected);
        for (std::string_view line; next(line);) row(line);
        if (profile_.rows.size() != expected)
            problem(fmt::format("{} rows, as its header says", expected),
                    fmt::format("{}: the file is truncated", profile_.rows.size()));
        return std::move(profile_);
    }

private:
    bool next(std::string_view& line) {
        if (at_ >= text_.size()) return false;
        const std::size_t end = text_.find('\n', at_);
        if (end == std::string::npos) {  // whoever was cut off in a line wrote no end of it
            ++number_;
            problem("a line that ends", fmt::format("'{}'", std::string_view(text_).substr(at_)));
        }
        line = std::string_view(text_).substr(at_, end - at_);
        at_ = end + 1;
        ++number_;
        return true;
    }

    [[noreturn]] void problem(const std::string& expected, const std::string& found) const {
        throw InputError(fmt::format("{}:{}: expected {}, found {}", profile_.file, number_, expected, found));
    }

    std::size_t header() {
        std::map<std::string, std::string, std::less<>> said;
        std::string_view line;
        if (!next(line) || line != fmt::format("# {}", kProfileSchema))
            problem(fmt::format("'# {}'", kProfileSchema), fmt::format("'{}'", line));
        while (next(line) && line.starts_with("# ")) {
            const std::size_t colon = line.find(": ");
            if (colon == std::string_view::npos) problem("'# key: value'", fmt::format("'{}'", line));
            said.emplace(line.substr(2, colon - 2), line.substr(colon + 2));
        }
        for (const char* key : {"family", "device", "origin", "source", "band", "rows"})
            if (!said.contains(key)) problem(fmt::format("a header with '{}'", key), "none");
        const auto family = family_named(said["family"]);
        if (!family || form_of(*family).sides.empty())
            problem("a family that has tables", fmt::format("'{}'", said["family"]));
        profile_.family = *family;
        profile_.device = said["device"];
        profile_.origin = said["origin"];
        profile_.source = said["source"];
        profile_.band = number(said["band"]);
        if (line != columns_of(*family))
            problem(fmt::format("columns {}", columns_of(*family)), fmt::format("'{}'", line));
        const double rows = number(said["rows"]);
        if (!(rows >= 1 && rows < double(text_.size()))) problem("at least one row", fmt::format("{}", said["rows"]));
        return static_cast<std::size_t>(rows);
    }

    double number(std::string_view cell) const {
        // Nearly all cells are whole numbers, and from_chars is slow at those.
        std::uint64_t digits = 0;
        std::size_t i = 0;
        for (; i < cell.size() && i < 15 && cell[i] >= '0' && cell[i] <= '9'; ++i)
            digits = digits * 10 + static_cast<std::uint64_t>(cell[i] - '0');
        if (i > 0 && i == cell.size()) return static_cast<double>(digits);
        double value = 0;
        const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), value);
        if (read.ec != std::errc{} || read.ptr != cell.data() + cell.size() || !(value >= 0 && value < 1e15))
            problem("a number that is not negative", fmt::format("'{}'", cell));
        return value;
    }

    Label word(std::string_view cell) {
        for (const auto& [known, label] : words_)
            if (known == cell) return label;
        words_.emplace_back(cell, label_of(cell));
        return words_.back().second;
    }

    void row(std::string_view line) {
        const OpForm& form = form_of(profile_.family);
        CostProfile::Row row{
            .point = {.family = profile_.family}, .time = {}, .held_out = fnv1a(line) % kHeldOutOneOf == 0};
        std::size_t begin = 0;
        const auto cell = [&] {
            if (begin > line.size()) problem(columns_of(profile_.family), fmt::format("'{}'", line));
            const std::size_t end = std::min(line.find(',', begin), line.size());
            const std::string_view found = line.substr(begin, end - begin);
            begin = end + 1;
            return found;
        };
        for (std::size_t i = 0; i < form.sides.size(); ++i) {
            row.point.sides[i] = number(cell());
            if (row.point.sides[i] <= 0 && !may_be_zero(form.sides[i]))
                problem(fmt::format("a {} above 0", form.sides[i]), fmt::format("'{}'", line));
        }
        for (std::size_t i = 0; i < form.words.size(); ++i) row.point.labels[i] = word(cell());
        const double us = number(cell());
        if (begin <= line.size() || us <= 0) problem(columns_of(profile_.family), fmt::format("'{}'", line));
        row.time = Seconds(us * 1e-6);
        profile_.rows.push_back(row);
    }

    std::string text_;
    std::size_t at_ = 0, number_ = 0;
    std::vector<std::pair<std::string_view, Label>> words_;
    CostProfile profile_;
};

}  // namespace

std::vector<std::string> profile_files(const std::string& folder) {
    namespace fs = std::filesystem;
    std::vector<std::string> files;
    if (!fs::is_directory(folder)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".csv" && entry.path().parent_path() != fs::path(folder))
            files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

CostProfile read_profile(const std::string& file) { return Reader(file).read(); }

void write_profile(const CostProfile& profile) {
    const OpForm& form = form_of(profile.family);
    std::string text =
        fmt::format("# {}\n# family: {}\n# device: {}\n# origin: {}\n# source: {}\n# band: {:.3f}\n# rows: {}\n{}\n",
                    kProfileSchema, to_string(profile.family), profile.device, profile.origin, profile.source,
                    profile.band, profile.rows.size(), columns_of(profile.family));
    for (const CostProfile::Row& row : profile.rows) {
        for (std::size_t i = 0; i < form.sides.size(); ++i) text += fmt::format("{},", row.point.sides[i]);
        for (std::size_t i = 0; i < form.words.size(); ++i) text += word_of(row.point.labels[i]) + ',';
        text += fmt::format("{:.6g}\n", to_us(row.time));
    }
    const std::string temporary = profile.file + ".new";
    std::ofstream out(temporary);
    out << text;
    out.close();
    if (!out) throw InputError(fmt::format("{}: cannot be written", temporary));
    std::filesystem::rename(temporary, profile.file);
}

void check_against_bound(const CostProfile& profile, const Device& device) {
    for (std::size_t i = 0; i < profile.rows.size(); ++i) {
        const Seconds bound = bound_of(profile.rows[i].point, device);
        if (profile.rows[i].time < bound)
            throw InputError(
                fmt::format("{}:{}: expected no less than {:.3f} us, the physical bound of {} on {}, found {:.3f} us",
                            profile.file, i + profile.first_line, to_us(bound), text_of(profile.rows[i].point),
                            device.name, to_us(profile.rows[i].time)));
    }
}

}  // namespace strata
