#include "sim/study/cost_validation.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"
#include "sim/cost/cost_book.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

// What is held to what (percent).
constexpr double kMedian = 8, kP90 = 25, kTransferMedian = 20, kBand = 80, kBandTolerance = 10;

double percentile(std::vector<double> values, double p) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(p * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

struct Errors {
    std::vector<double> relative;  // absolute values
    int in_band = 0;
    std::string origin;
};

Errors errors_of(const CostProfile& profile, const CostBook& book, const Device& device, bool only_held_out) {
    Errors errors;
    for (const CostProfile::Row& row : profile.rows) {
        if (only_held_out && !row.held_out) continue;
        const Estimate estimate = book.estimate(row.point, device);
        errors.relative.push_back(std::abs(estimate.time / row.time - 1));
        if (estimate.low <= row.time && row.time <= estimate.high) ++errors.in_band;
        if (!estimate.outside) errors.origin = to_string(estimate.origin);
    }
    return errors;
}

LedgerRow row_of(const std::string& id, const CostProfile& profile, double predicted, double target, double tolerance,
                 const Errors& errors) {
    LedgerRow row;
    row.id = id;
    row.source = fmt::format("{} rows never seen: {}", errors.relative.size(), profile.source);
    row.unit.assign(1, '%');
    row.published = target;
    row.predicted = predicted;
    row.tolerance = tolerance;
    row.absolute = true;
    row.pass = std::abs(predicted - target) <= tolerance;
    row.provenance = errors.origin;
    return row;
}

// The band of few rows says little (of 20 at 80 %, 18 points are two standard deviations): those of all small tables
// of a device are judged together.
constexpr std::size_t kFew = 100;

LedgerRow band_row(const std::string& id, const CostProfile& profile, const Errors& errors) {
    const double share = 100.0 * errors.in_band / double(errors.relative.size());
    return row_of(fmt::format("{}/band", id), profile, share, kBand, kBandTolerance, errors);
}

void pool(Errors& into, const Errors& errors) {
    into.relative.insert(into.relative.end(), errors.relative.begin(), errors.relative.end());
    into.in_band += errors.in_band;
    into.origin = errors.origin;
}

// {cost/B200_SXM/*: what is known of why}; the first pattern that fits is taken.
void explain_misses(std::vector<LedgerRow>& rows, const std::string& file) {
    if (!fs::exists(file)) return;
    Problems problems;
    const YamlField notes(load_yaml(file), file, "", problems);
    for (const YamlField& note : notes["notes"].items())
        for (LedgerRow& row : rows)
            if (!row.pass && row.note.empty() && fnmatch(note["rows"].text().c_str(), row.id.c_str(), 0) == 0)
                row.note = note["why"].text();
    problems.throw_if_any();
}

bool wanted(const std::string& only, const std::string& id) {
    const std::string device = id.substr(0, id.rfind('/'));
    for (const std::string& row : {id, fmt::format("{}/few", device), fmt::format("{}/all", device)})
        for (const char* last : {"/median", "/p90", "/band", "/transfer"})
            if (fnmatch(only.c_str(), fmt::format("{}{}", row, last).c_str(), 0) == 0) return true;
    return false;
}

}  // namespace

std::vector<LedgerRow> validate_costs(const std::string& folder, const std::string& root, const std::string& only) {
    const CostBook book = CostBook::of(root, true);
    if (!book.refused().empty()) throw InputError(book.refused().front());
    const auto device = [&](const CostProfile& profile) {
        return device_of(
            read_accelerator(fmt::format("{}/hwmodels/catalog/accelerators/{}.yaml", root, profile.device)));
    };
    std::vector<LedgerRow> rows;
    std::map<std::string, Errors> few_of, all_of;  // by device
    const auto judge = [&](const CostProfile& profile, bool own) {
        const std::string id = fmt::format("cost/{}/{}", profile.device, to_string(profile.family));
        if (!wanted(only, id)) return;
        const Errors errors = errors_of(profile, book, device(profile), own);
        if (errors.relative.empty()) return;
        const double median = 100 * percentile(errors.relative, 0.5);
        if (own) {
            rows.push_back(row_of(fmt::format("{}/median", id), profile, median, 0, kMedian, errors));
            rows.push_back(
                row_of(fmt::format("{}/p90", id), profile, 100 * percentile(errors.relative, 0.9), 0, kP90, errors));
        } else {
            rows.push_back(row_of(fmt::format("{}/transfer", id), profile, median, 0, kTransferMedian, errors));
            pool(all_of[profile.device], errors);
        }
        if (errors.relative.size() >= kFew) {
            rows.push_back(band_row(id, profile, errors));
            return;
        }
        pool(few_of[profile.device], errors);
    };
    for (const std::string& file : profile_files(fmt::format("{}/sim/cost/published", root)))
        judge(read_profile(file), true);
    for (const std::string& file : profile_files(folder)) judge(read_profile(file), false);
    for (const auto& [name, few] : few_of) {
        CostProfile pool;
        pool.source = "its tables of few rows";
        rows.push_back(band_row(fmt::format("cost/{}/few", name), pool, few));
    }
    for (const auto& [name, all] : all_of) {
        CostProfile pool;
        pool.source = "all its tables";
        const double median = 100 * percentile(all.relative, 0.5);
        rows.push_back(row_of(fmt::format("cost/{}/all/transfer", name), pool, median, 0, kTransferMedian, all));
        rows.push_back(band_row(fmt::format("cost/{}/all", name), pool, all));
    }
    explain_misses(rows, fmt::format("{}/notes.yaml", folder));
    return rows;
}

}  // namespace strata
