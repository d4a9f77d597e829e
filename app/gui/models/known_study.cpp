#include "app/gui/models/known_study.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace strata {

namespace {

using Clock = std::chrono::steady_clock;

// Long enough that starting a part costs nothing beside it, short enough to be looked at.
constexpr double kLeast_s = 0.5, kShareOfAll = 0.25;
constexpr std::size_t kFirst = 2;

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

}  // namespace

std::shared_ptr<const KnownStudy> known_study(Study done, std::vector<Settings> waiting) {
    auto known = std::make_shared<KnownStudy>();
    known->study = std::make_shared<const Study>(std::move(done));
    known->records = records_of(known->study, waiting);
    known->waiting = std::move(waiting);
    return known;
}

void run_in_parts(const ScenarioFile& file, const StudyOptions& options,
                  const std::function<void(std::shared_ptr<const KnownStudy>)>& tell) {
    const std::vector<Settings> points = file.settings();
    const std::size_t engines = options.engines.empty() ? file.engines().size() : options.engines.size();
    Study study;
    std::size_t done = 0, part = kFirst;
    const Clock::time_point begun = Clock::now();
    while (done < points.size()) {
        const std::size_t end = std::min(points.size(), done + part);
        StudyOptions with = options;
        if (options.progress)
            with.progress = [&](std::size_t of_part, std::size_t) {
                options.progress(done * engines + of_part, points.size() * engines);
            };
        const Clock::time_point part_begun = Clock::now();
        Study more = run_study(file, with,
                               std::vector<Settings>(points.begin() + static_cast<std::ptrdiff_t>(done),
                                                     points.begin() + static_cast<std::ptrdiff_t>(end)));
        if (done > 0)
            more.results.insert(more.results.begin(), std::make_move_iterator(study.results.begin()),
                                std::make_move_iterator(study.results.end()));
        study = std::move(more);
        done = end;
        std::vector<Settings> waiting;
        for (std::size_t i = done; i < points.size(); ++i) waiting.push_back(points[i]);
        tell(known_study(study, std::move(waiting)));
        if (seconds_since(part_begun) < std::max(kLeast_s, kShareOfAll * seconds_since(begun))) part *= 2;
    }
}

}  // namespace strata
