#include "app/cli/report_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "hwmodels/input_error.hpp"

namespace strata {

void write_and_say(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                   const std::string& json, const std::string& csv) {
    const WrittenReport written = write_report(folders, document, assets, json, csv);
    std::clog << fmt::format("wrote {}\n", fmt::join(written.files, ", "));
    if (!written.obstacle.empty()) std::clog << written.obstacle << '\n';
}

int failed_assertions(const std::vector<Assertion>& assertions, const Run& run) {
    int failed = 0;
    for (const Assertion& assertion : assertions) {
        const auto metric = run.metrics.find(assertion.metric);
        if (metric == run.metrics.end())
            throw InputError("assertion '" + assertion.text + "'", "a metric of this workload",
                             "'" + assertion.metric + "'");
        if (assertion.holds(metric->second)) continue;
        ++failed;
        std::cerr << fmt::format("assertion failed: {} (is {:.6g})\n", assertion.text, metric->second);
    }
    return failed;
}

std::function<void(std::size_t, std::size_t)> progress_bar() {
    if (!isatty(STDERR_FILENO)) return {};
    using Clock = std::chrono::steady_clock;
    return [begin = Clock::now(), last = Clock::time_point{}](std::size_t done, std::size_t all) mutable {
        const auto now = Clock::now();
        if (done < all && now - last < std::chrono::milliseconds(100)) return;
        last = now;
        const double spent = std::chrono::duration<double>(now - begin).count();
        std::clog << fmt::format("\r{}/{} points, {:.0f} s left ", done, all,
                                 spent / double(done) * double(all - done));
        if (done == all) std::clog << "\r\033[K";
    };
}

}  // namespace strata
