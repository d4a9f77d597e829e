#include "reports/print_report.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "hwmodels/run_program.hpp"

namespace strata {

namespace fs = std::filesystem;

std::string print_report(const fs::path& report, const fs::path& pdf, const fs::path& figures) {
    const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "strata-print";
    if (!fs::exists(program)) return "figures and PDF need strata-print (Qt6, QCustomPlot): not built here";
    const FinishedProgram printed = run_program(
        {program.string(), "report", report.string(), "--pdf", pdf.string(), "--figures", figures.string()});
    if (printed.code != 0)
        throw std::runtime_error(fmt::format("strata-print failed (exit code {}); all else is written", printed.code));
    return {};
}

}  // namespace strata
