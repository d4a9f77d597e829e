// A study as the files that `strata run --out` writes.
#pragma once

#include <memory>
#include <string>

#include "reports/report_folder.hpp"
#include "sim/study/study.hpp"

namespace strata {

struct ReportRequest {
    std::shared_ptr<const Study> study;
    std::string scenario, file;  // its text, and the name that the report gives it
    std::string folder, root;
};

// Takes a second or more. Throws InputError for what the user can mend.
WrittenReport export_report(const ReportRequest& request);

}  // namespace strata
