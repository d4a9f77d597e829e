#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>

#include "app/cli/verbs.hpp"
#include "app/measure/host.hpp"
#include "hwmodels/yaml_field.hpp"
#include "reports/files.hpp"

namespace strata {

namespace {

// On a terminal only.
std::function<void(const std::string&)> progress_line() {
    if (!isatty(STDERR_FILENO)) return {};
    return [begin = std::chrono::steady_clock::now()](const std::string& now) {
        const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        std::clog << fmt::format("\r\033[K{:.0f} s: {} ", spent, now) << std::flush;
    };
}

// 0.0403, 9.83, 12.6, 183, 47730: three digits, and never an exponent.
std::string digits(double value) { return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value); }

bool same_columns(const Measurement& one, const Measurement& other) {
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    return one.what == other.what &&
           std::equal(one.metrics.begin(), one.metrics.end(), other.metrics.begin(), other.metrics.end(), same_key);
}

std::vector<std::string> notes_of(const std::vector<Measurement>& all) {
    std::vector<std::string> notes;
    for (const Measurement& one : all)
        for (const std::string& note : one.notes)
            if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
    return notes;
}

// A heading where the kind of measurement changes, then a line for each: parameters, and the median of every metric
// with the lowest and the highest. How large table and file were stands in the record.
void print(const std::vector<Measurement>& all) {
    const Measurement* before = nullptr;
    for (const Measurement& one : all) {
        std::string names, line;
        const auto put = [&](std::size_t width, const std::string& name, const std::string& text) {
            names += fmt::format("{:<{}} ", name, width);
            line += fmt::format("{:<{}} ", text, width);
        };
        for (const auto& [name, value] : one.parameters)
            if (name != "table_bytes" && name != "file_bytes")
                put(std::max<std::size_t>(name.size(), name == "by" ? 13 : 6), name,
                    std::visit([](const auto& held) { return fmt::format("{}", held); }, value));
        for (const auto& [name, spread] : one.metrics)
            put(25, name, fmt::format("{} ({} to {})", digits(spread.median), digits(spread.min), digits(spread.max)));
        if (!before || !same_columns(*before, one))
            std::cout << fmt::format("{}{}\n{}", before ? "\n" : "", one.what, names.empty() ? "" : names + "\n");
        std::cout << (one.unavailable.empty() ? line : "not measured: " + one.unavailable) << '\n';
        before = &one;
    }
    for (const std::string& note : notes_of(all)) std::cout << "note: " << note << '\n';
}

}  // namespace

int measure_verb(const MeasureArguments& arguments) {
    HostMeasuring asked{.only = arguments.only,
                        .scratch = arguments.scratch,
                        .threads = arguments.threads,
                        .quick = arguments.quick,
                        .io_uring = !arguments.no_io_uring,
                        .progress = progress_line()};
    if (!arguments.file_size.empty()) asked.file_size = parse_bytes(arguments.file_size, "--file-size");
    if (!arguments.table_size.empty()) asked.table_size = parse_bytes(arguments.table_size, "--table-size");
    const bool to_file = !arguments.out_file.empty() && arguments.out_file != "-";
    std::optional<OutputFolder> folder;  // what could go wrong at the end goes wrong before a minute has gone by
    if (to_file) folder.emplace(std::filesystem::absolute(arguments.out_file).parent_path());
    const std::vector<Measurement> all = measure_host(asked);
    if (asked.progress) std::clog << "\r\033[K";
    std::string lines;
    for (const Measurement& one : all) lines += to_line(one) + "\n";
    if (to_file) write_whole(arguments.out_file, lines);
    if (arguments.out_file == "-")
        std::cout << lines;
    else
        print(all);
    if (to_file) std::clog << "wrote " << arguments.out_file << '\n';
    return 0;
}

}  // namespace strata
