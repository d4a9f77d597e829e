#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "app/cli/assertion_output.hpp"
#include "app/cli/exports.hpp"
#include "app/cli/report_files.hpp"
#include "app/cli/study_table.hpp"
#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "reports/render/search_files.hpp"
#include "reports/report.hpp"
#include "reports/search_text.hpp"
#include "reports/study_report.hpp"
#include "sim/study/allocation_of.hpp"

namespace strata {

int search_verb(const RunArguments& arguments, const ScenarioFile& scenario, const std::string& root) {
    refuse_exports(arguments);
    const bool report = !arguments.out_folder.empty();
    PageAssets assets;
    std::optional<OutputFolder> folder, figures;
    if (report) {  // what could go wrong at the end goes wrong before the search
        folder.emplace(arguments.out_folder);
        figures.emplace(report_folders(arguments).figures);
        assets = page_assets(root);
    }
    const SearchResult search = run_search(scenario, study_options(arguments, root));
    std::clog << fmt::format("screened {} points in {:.1f} s, {:.0f} a second\n", search.screened.size(),
                             search.screened.seconds, double(search.screened.size()) / search.screened.seconds);
    Manifest manifest = manifest_of(search.study, arguments.scenario, arguments.set, root);
    manifest.command = arguments.command;
    manifest.date = report_date();
    const std::string json = search_json(search, scenario.name(), manifest);
    if (arguments.json_file == "-")
        std::cout << json;
    else
        for (const std::string& paragraph : search_text(search)) std::cout << wrapped(paragraph);
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    if (report) {
        const Catalog catalog(std::filesystem::path(root) / "hwmodels" / "catalog");
        const AllocationLaw law = allocation_law_of(scenario, root);
        const CostBook costs = CostBook::of(root);
        const Scenario first = scenario.read(scenario.point_with(search.screened.plan().settings(0)), catalog);
        Study named = search.study;  // of a search without an eligible point there is none
        named.name = scenario.name();
        named.description = scenario.description();
        const PointResult* chosen = search.recommended_result();
        const auto closer = chosen ? closer_look(scenario, *chosen, named, root) : std::nullopt;
        ReportInput input{named, law, catalog, costs, first.model.name, systems_of(first, named), {}, manifest};
        input.closer = closer ? &*closer : nullptr;
        input.trained = allocation_fits_of(scenario, root);
        write_and_say(report_folders(arguments), report_of(search, input), assets, json, search_csv(search));
    }
    // An assertion is on what is recommended: the points around it are there to be compared.
    const PointResult* recommended = search.recommended_result();
    if (recommended) write_assertions(arguments, scenario.name(), scenario.assertions(), {*recommended});
    return recommended && failed_assertions(scenario.assertions(), *recommended->run) == 0 ? 0 : 1;
}

}  // namespace strata
