#include "app/cli/report_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "app/cli/figures.hpp"
#include "reports/files.hpp"
#include "reports/report.hpp"

namespace strata {

std::vector<std::string> systems_of(const Scenario& first, const Study& study) {
    std::vector<std::string> systems;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (path == "platform.system" && std::find(systems.begin(), systems.end(), value) == systems.end())
                systems.push_back(value);
    if (systems.empty() && !first.collective) systems = {first.system};
    return systems;
}

void write_report(const std::string& folder_name, const Document& document, const PageAssets& assets,
                  const std::string& json, const std::string& csv) {
    const std::filesystem::path folder(folder_name);
    const FolderLock lock(folder);
    write_whole(folder / "results.json", json);
    write_whole(folder / "results.csv", csv);
    write_whole(folder / "report.html", html_of(document, assets));
    std::clog << "wrote " << (folder / "report.html").string() << ", results.json, results.csv\n";
    const std::vector<Chart> figures = figures_of(document);
    const std::string obstacle = write_figures(figures, folder);
    if (!obstacle.empty()) std::clog << obstacle << '\n';
    for (const Chart& chart : figures)
        if (obstacle.empty()) std::clog << fmt::format("wrote {0}.svg, {0}.png\n", (folder / chart.name).string());
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
