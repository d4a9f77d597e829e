#include <fmt/format.h>

#include <iostream>
#include <optional>

#include "app/cli/verbs.hpp"
#include "app/measure/precision_record.hpp"
#include "reports/files.hpp"
#include "sim/model/precision.hpp"

namespace strata {

namespace {

std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

void print_storage(const std::vector<StorageError>& all) {
    std::cout << "Elements as stored: signal to noise, largest relative error, and how many become zero\n"
              << fmt::format("  {:<17} {:<11} {:>8} {:>9} {:>11} {:>9}\n", "data", "format", "bytes", "SNR dB",
                             "max error", "zero");
    for (const StorageError& error : all)
        std::cout << fmt::format("  {:<17} {:<11} {:>8.4f} {:>9.2f} {:>11} {:>9}\n", to_string(error.data),
                                 to_string(error.format), bytes_per_element(error.format), error.snr_db,
                                 percent(error.max_relative_error), percent(error.flushed_share));
}

bool same_line(const DotError& one, const DotError& other) {
    return one.data == other.data && one.activations == other.activations && one.weights == other.weights &&
           one.accumulation == other.accumulation;
}

// A line for each product, a column for each K, in the order in which products first appear.
void print_dots(const std::vector<DotError>& all) {
    std::cout << "\nDot products of K: error relative to the exact one (root mean square)\n"
              << fmt::format("  {:<17} {:<24} {:<20}", "data", "activations x weights", "sum kept in");
    for (const long k : kLengths) std::cout << fmt::format(" {:>9}", fmt::format("K={}", k));
    std::cout << '\n';
    for (std::size_t i = 0; i < all.size(); ++i) {
        const DotError& first = all[i];
        if (first.k != kLengths.front()) continue;
        std::cout << fmt::format("  {:<17} {:<24} {:<20}", to_string(first.data),
                                 fmt::format("{} x {}", to_string(first.activations), to_string(first.weights)),
                                 to_string(first.accumulation));
        for (std::size_t j = i; j < all.size(); ++j)
            if (same_line(first, all[j])) std::cout << fmt::format(" {:>9}", percent(all[j].relative_error));
        std::cout << '\n';
    }
}

}  // namespace

int measure_precision_verb(const std::string& out_file, std::uint64_t seed) {
    const bool to_file = !out_file.empty() && out_file != "-";
    std::optional<OutputFolder> folder;  // what could go wrong at the end goes wrong now
    if (to_file) folder.emplace(std::filesystem::absolute(out_file).parent_path());
    const PrecisionErrors errors = measure_precision({.seed = seed});
    const std::string record = to_record(errors, seed);
    if (to_file) write_whole(out_file, record);
    if (out_file == "-") {
        std::cout << record;
        return 0;
    }
    print_storage(errors.storage);
    print_dots(errors.dots);
    for (const std::string& note : precision_notes()) std::cout << "note: " << note << '\n';
    if (to_file) std::clog << "wrote " << out_file << '\n';
    return 0;
}

}  // namespace strata
