// SystemC's library has a main of its own, which calls sc_main. It elaborates once a process, and ctest starts each
// test in a process of its own: run this program by hand with --gtest_filter of one test.
#include <gtest/gtest.h>

#include <systemc>

int sc_main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
