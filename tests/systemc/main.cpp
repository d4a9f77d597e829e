// SystemC elaborates once a process, and ctest starts each test in a process of its own: run this program by hand with
// --gtest_filter of one test.
#include <gtest/gtest.h>

#include <systemc>

// SystemC's library refers to it for the sake of a main of its own, which prints a banner and is not used here.
int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
