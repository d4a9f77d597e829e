// strata-simulate: points on stdin, results on stdout, a line of JSON each, in the same order. `strata run --engine
// systemc` starts as many of these as it has jobs.
#include <CLI/CLI.hpp>
#include <systemc>

#include <iostream>
#include <string>

#include "sim/engine/systemc/point_server.hpp"

// SystemC's library refers to it for the sake of a main of its own, which this program does not use: that one prints a
// banner.
int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
    CLI::App app{"Simulates points with the systemc engine: JSON lines on stdin, results as JSON lines on stdout"};
    app.set_version_flag("--version", std::string("strata-simulate ") + STRATA_VERSION);
    strata::PointLimits limits;
    app.add_option("--time-limit", limits.time_s, "seconds that one attempt at a point may take")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--memory-limit", limits.memory_gb, "GB of address space that a point may take; 0: no limit")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    strata::PointServer server(limits);
    for (std::string line; std::getline(std::cin, line);)
        if (!line.empty()) std::cout << server.answer(line) << std::endl;
    return 0;
}
