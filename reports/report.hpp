// From a study to a Document: the sections in the order in which an architect reads, conclusion first.
#pragma once

#include <string>
#include <vector>

#include "reports/closer_look.hpp"
#include "reports/document.hpp"
#include "reports/manifest.hpp"
#include "reports/recommendation.hpp"
#include "sim/quality/optical_law.hpp"
#include "sim/study/search_study.hpp"

namespace strata {

struct ReportInput {
    const Study& study;
    const AllocationLaw& law;
    const Catalog& catalog;
    const CostBook& costs;
    std::string model;                 // preset name
    std::vector<std::string> systems;  // that the study ran on
    std::vector<Assertion> assertions;
    Manifest manifest;
    const OpticalLaw* optical_law = nullptr;
    const OpticalContext* optical = nullptr;  // of the first point, if part of its context is pictures
    const CloserLook* closer = nullptr;       // at the recommended point
    std::vector<AllocationFit> trained{};     // losses measured at several rho, to set beside the law
};

Document report_of(const ReportInput& input);
// Of a search: `input.study` is that of its refined points.
Document report_of(const SearchResult& search, const ReportInput& input);

// The charts that are also worth a file of their own, in the order of the report.
std::vector<Chart> figures_of(const Document& document);

}  // namespace strata
