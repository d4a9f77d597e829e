// Who cannot see the window hears of it: everything that can have the focus has a name.
#include <gtest/gtest.h>

#include <QAbstractItemView>
#include <QAccessible>
#include <QComboBox>
#include <QLineEdit>
#include <QScrollArea>
#include <QTest>

#include "app/gui/main_window.hpp"

namespace strata {
namespace {

// Parts of a widget that Qt makes itself speak through it.
bool is_a_part(const QWidget& widget) {
    return widget.objectName().startsWith("qt_") || qobject_cast<const QScrollArea*>(&widget) ||
           (widget.parentWidget() && (qobject_cast<const QComboBox*>(widget.parentWidget()) ||
                                      qobject_cast<const QComboBox*>(widget.parentWidget()->parentWidget())));
}

TEST(Accessibility, everything_that_takes_the_focus_has_a_name) {
    MainWindow window(STRATA_SOURCE_DIR, std::string(STRATA_BINARY_DIR) + "/strata-simulate");
    window.engine().set_refining(false);
    window.open(QString::fromUtf8(STRATA_SOURCE_DIR "/scenarios/engram-allocation.yaml"));
    window.show();
    for (const QString& page : MainWindow::page_names()) {
        window.show_page(page);
        for (QWidget* widget : window.findChildren<QWidget*>()) {
            if ((widget->focusPolicy() & Qt::TabFocus) == 0 || is_a_part(*widget) || !widget->isVisible()) continue;
            QAccessibleInterface* spoken = QAccessible::queryAccessibleInterface(widget);
            ASSERT_NE(spoken, nullptr);
            EXPECT_FALSE(spoken->text(QAccessible::Name).isEmpty())
                << page.toStdString() << ": " << widget->metaObject()->className() << " "
                << widget->objectName().toStdString();
        }
    }
}

}  // namespace
}  // namespace strata
