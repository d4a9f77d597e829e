// What 'strata run' writes for other programs: traces, execution graphs, metrics.
#pragma once

#include "app/cli/report_files.hpp"
#include "app/cli/verbs.hpp"
#include "sim/study/study.hpp"

namespace strata {

// Before anything runs: throws InputError where a trace is asked of more than one point, or of a name that says no
// format.
void check_exports(const RunArguments& arguments, const ScenarioFile& scenario);
// Of a search, whose points are many: throws InputError if any is asked for.
void refuse_exports(const RunArguments& arguments);

ReportFolders report_folders(const RunArguments& arguments);
void write_exports(const RunArguments& arguments, const ScenarioFile& scenario, const Study& study,
                   const std::string& root);

}  // namespace strata
