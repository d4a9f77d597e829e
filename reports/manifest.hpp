// What a report was made from, so that it can be made again: versions, fingerprints of every input, the command.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sim/study/study.hpp"

namespace strata {

struct Manifest {
    std::string version;
    std::string scenario_file;
    std::vector<std::string> overrides;                         // of --set
    std::vector<std::pair<std::string, std::string>> sha256{};  // what -> digest
    std::vector<std::string> engines{};                         // that gave results
    std::string command;                                        // as typed
    std::string date;                                           // UTC
};

// `root` as in StudyOptions. Throws InputError if an input cannot be read.
Manifest manifest_of(const Study& study, const std::string& scenario_file, const std::vector<std::string>& overrides,
                     const std::string& root);

// Now, or SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), as 2026-11-24 16:00 UTC.
std::string report_date();

// Without command and date: the same study gives the same bytes wherever and whenever it is run.
nlohmann::ordered_json to_json(const Manifest& manifest);

}  // namespace strata
