#include "app/cli/report_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "app/cli/figures.hpp"
#include "reports/files.hpp"
#include "reports/render/document_json.hpp"
#include "reports/render/markdown.hpp"
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

void write_report(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                  const std::string& json, const std::string& csv) {
    namespace fs = std::filesystem;
    const fs::path folder(folders.report), figures(folders.figures);
    const FolderLock lock(folder);
    write_whole(folder / "results.json", json);
    write_whole(folder / "results.csv", csv);
    write_whole(folder / "report.json", document_json(document));
    // Without pictures at first: whatever happens to strata-print, there is a report.
    write_whole(folder / "report.html", html_of(document, assets));
    write_whole(folder / "report.md", markdown_of(document, ""));
    std::clog << "wrote " << (folder / "report.html").string()
              << ", report.md, report.json, results.json, results.csv\n";
    const std::string obstacle = print_report(folder / "report.json", folder / "report.pdf", figures);
    if (!obstacle.empty()) {
        std::clog << obstacle << '\n';
        return;
    }
    Pictures pictures;
    for (const Chart& chart : figures_of(document)) {
        pictures[chart.name] = whole_file(figures / (chart.name + ".svg"));
        std::clog << fmt::format("wrote {0}.svg, {0}.png\n", (figures / chart.name).string());
    }
    write_whole(folder / "report.html", html_of(document, assets, pictures));
    write_whole(folder / "report.md",
                markdown_of(document, fs::absolute(figures).lexically_relative(fs::absolute(folder)).string()));
    std::clog << "wrote " << (folder / "report.pdf").string() << '\n';
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
