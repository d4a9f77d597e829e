// A table of measured times of one family on one device, as a file:
//   # strata.cost-profile.1
//   # family: gemm_fp8
//   # device: H200_SXM
//   # origin: published
//   # source: where it comes from
//   # band: 1.9      (80 % of left-out rows lie within so many of the predictor's own standard deviations)
//   # rows: 5803     (that follow; fewer: the file is truncated)
//   m,n,k,us
//   1025,5120,7168,133.677
#pragma once

#include <string>
#include <vector>

#include "sim/cost/op_physics.hpp"

namespace strata {

struct CostProfile {
    struct Row {
        OpPoint point;
        Seconds time;
        bool held_out = false;  // one of five, by a hash of its line: never seen by what is judged on it
    };
    Family family = Family::gemm_bf16;
    std::string file, device, origin, source;
    double band = 0;
    std::size_t first_line = 0;  // of the rows in the file
    std::vector<Row> rows;
};

// Every FOLDER/<device>/<family>.csv, in order; none where there is no such folder.
std::vector<std::string> profile_files(const std::string& folder);

// Throws InputError with file and line for a file that is truncated, of another schema or with columns that are not the
// family's.
CostProfile read_profile(const std::string& file);
void write_profile(const CostProfile& profile);

// Throws InputError with file and line for a row that is faster than the device can be.
void check_against_bound(const CostProfile& profile, const Device& device);

}  // namespace strata
