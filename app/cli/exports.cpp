#include "app/cli/exports.hpp"

#include <fmt/format.h>

#include <iostream>

#include "reports/files.hpp"
#include "reports/render/metrics_text.hpp"
#include "reports/trace/trace_files.hpp"
#include "sim/study/traced_step.hpp"

namespace strata {

namespace {

bool wants_trace(const RunArguments& arguments) {
    return !arguments.trace_file.empty() || !arguments.chakra_file.empty();
}

void write(const std::string& file, const std::string& contents) {
    write_whole(file, contents);
    std::cerr << "wrote " << file << '\n';
}

}  // namespace

void check_exports(const RunArguments& arguments, const ScenarioFile& scenario) {
    if (!wants_trace(arguments)) return;
    if (!arguments.trace_file.empty()) (void)trace_file({}, arguments.trace_file);
    if (const std::size_t count = scenario.settings().size(); count != 1)
        throw InputError(arguments.trace_file.empty() ? "--chakra" : "--trace",
                         "a scenario of one point; '--set axes=[]' takes the axes out",
                         fmt::format("{} points", count));
}

void refuse_exports(const RunArguments& arguments) {
    if (wants_trace(arguments) || !arguments.metrics_file.empty())
        throw InputError("--trace, --chakra and --metrics", "a scenario without a search", "one with a search");
}

ReportFolders report_folders(const RunArguments& arguments) {
    return {arguments.out_folder, arguments.figures_folder.empty() ? arguments.out_folder : arguments.figures_folder};
}

void write_exports(const RunArguments& arguments, const ScenarioFile& scenario, const Study& study,
                   const std::string& root) {
    if (!arguments.metrics_file.empty()) write(arguments.metrics_file, metrics_text(study));
    if (!wants_trace(arguments)) return;
    const Trace trace = traced_step(scenario, scenario.first_point(), {.root = root});
    if (!arguments.trace_file.empty()) write(arguments.trace_file, trace_file(trace, arguments.trace_file));
    if (!arguments.chakra_file.empty()) write(arguments.chakra_file, chakra_trace(trace));
}

}  // namespace strata
