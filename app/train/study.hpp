// Trains the points of a study one after the other and keeps what is done: a row for each finished point, written at
// once, with its curve in a file beside it. Started again it goes on with the points that have no row.
#pragma once

#include <ostream>

#include "app/train/point.hpp"

namespace strata {

// What a row says of how it came about.
struct StudyOrigin {
    std::string commit, machine;  // the machine's kind, not its name
};

struct StudyOutcome {
    int trained = 0, kept = 0;
};

// "points.csv" -> "points_curves.csv"
std::string curves_file_of(const std::string& points_file);

// Progress and the time left go to `progress`. Throws InputError if the file is of another kind, or cannot be written.
StudyOutcome run_study(const std::vector<TrainingPoint>& points, const std::string& points_file, const Trainer& trainer,
                       const StudyOrigin& origin, std::ostream& progress);

}  // namespace strata
