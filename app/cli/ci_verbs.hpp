// What CI asks of `strata`: did a prediction move, and are we still as right as we were. As in verbs.hpp each returns
// the exit code.
#pragma once

#include <string>
#include <vector>

namespace strata {

struct CompareArguments {
    std::string from, to, json_file, markdown_file;
    std::vector<std::string> fail_if;
    bool strict = false;  // within noise is no excuse
};

struct BaselineArguments {
    std::vector<std::string> paths;  // scenario files, or folders of them
    std::string out_file;
    int jobs = 1;
};

struct GateArguments {
    std::string baseline, json_file, markdown_file;
    std::vector<std::string> paths;     // empty: those that the baseline was made from
    std::string tolerance = "0.0001%";  // compilers round otherwise
    int jobs = 1;
};

int compare_verb(const CompareArguments& arguments);
int baseline_verb(const BaselineArguments& arguments, const std::string& root);
int gate_verb(const GateArguments& arguments, const std::string& root);

}  // namespace strata
