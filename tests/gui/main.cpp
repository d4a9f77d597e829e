// Offscreen, so that no test needs a display; one application for all of them.
#include <gtest/gtest.h>

#include <QApplication>
#include <QFont>
#include <QStandardPaths>
#include <QTemporaryDir>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir runtime, settings;
    qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
    qputenv("XDG_CONFIG_HOME", settings.path().toUtf8());  // recent files of a test are nobody's
    qputenv("XDG_DATA_HOME", settings.path().toUtf8());    // so are its points
    const QApplication application(argc, argv);
    QApplication::setOrganizationName("strata-tests");
    QApplication::setFont(QFont("DejaVu Sans", 9));
    return RUN_ALL_TESTS();
}

// Under AddressSanitizer: Qt and fontconfig keep what they have read until the process ends, and that is no leak of
// ours. All else that it looks for is found as ever.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
