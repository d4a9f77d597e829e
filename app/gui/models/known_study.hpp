// A study as far as it is known: while it runs, part after part; after a cancel, as far as it came; or as a file kept
// it. Made in a thread of its own, tables included, so that the window only has to show it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/gui/models/record_table.hpp"

namespace strata {

struct KnownStudy {
    std::shared_ptr<const Study> study;  // the points that are done
    std::vector<Settings> waiting{};     // the others
    Records records{};                   // both, done ones first
};

std::shared_ptr<const KnownStudy> known_study(Study done, std::vector<Settings> waiting);

// Runs it in parts that grow with the time it has taken, and tells after each what is known. What is in the store of
// `options` is not computed again, so that a study that was left goes on where it was.
void run_in_parts(const ScenarioFile& file, const StudyOptions& options,
                  const std::function<void(std::shared_ptr<const KnownStudy>)>& tell);

// What `file` holds: results.json, a store of points (.sqlite), or a folder with one of them. Throws InputError for
// anything else, and for one that a newer strata has written.
std::shared_ptr<const KnownStudy> open_study(const std::string& file);
bool is_study(const std::string& file);  // by its name; the rest is a scenario

}  // namespace strata
