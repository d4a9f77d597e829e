#include <benchmark/benchmark.h>

#include <systemc>

#include "sim/workload/keep_memory.hpp"

// SystemC's library refers to it for the sake of a main of its own, which this program does not use.
int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
    strata::keep_freed_memory();  // as `strata` does
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
