#include <benchmark/benchmark.h>

#include <systemc>

// SystemC's library refers to it for the sake of a main of its own, which this program does not use.
int sc_main(int, char**) { return 0; }

BENCHMARK_MAIN();
