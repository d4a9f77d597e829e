// What was measured on a real machine: records, one JSON object a line of a .jsonl file, so that files can be joined
// and read line by line. Their form is scenarios/schema/measurement.schema.json. A record names no host and no path.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

// Of the repeats of one measurement.
struct Repeats {
    double median = 0, min = 0, max = 0;
};
Repeats repeats_of(std::vector<double> samples);  // at least one

struct MeasuredMachine {
    std::string cpu;  // the model, as the processor names itself
    int cores = 0;    // that could be used
    Bytes memory;
    std::map<std::string, double> cache_bytes;  // l1d, l2, l3: of all cores together
    std::string kernel;                         // the release of the operating system's
    std::string huge_pages;                     // always, madvise, never or absent
};

struct Measurement {
    std::string what;  // "host/random_gather"
    std::map<std::string, std::variant<bool, double, std::string>> parameters{};
    std::map<std::string, Repeats> metrics{};  // the unit ends the name
    std::string unavailable{};                 // why there are no metrics
    int repeats = 0;
    MeasuredMachine machine{};
    std::string when{};    // UTC, "2026-11-24T19:30:00Z"
    std::string strata{};  // the version that measured
    std::vector<std::string> notes{};
    int line = 0;  // of the file that it was read from
};

std::string to_line(const Measurement& measurement);  // without the line break
// "pages huge, threads 2"
std::string parameters_text(const Measurement& measurement);

// Throws InputError with file and line.
std::vector<Measurement> read_measurements(const std::string& file);

}  // namespace strata
