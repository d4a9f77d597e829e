// Every action of the window by name, with its shortcut: a few letters of it in their order find it, Enter does it.
#pragma once

#include <QDialog>
#include <QList>

class QAction;
class QLineEdit;
class QTreeWidget;

namespace strata {

class CommandPalette : public QDialog {
    Q_OBJECT
public:
    CommandPalette(const QList<QAction*>& actions, QWidget* parent);
    QLineEdit& line() { return *line_; }
    QStringList found() const;  // names, the one that Enter does first

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill(const QString& text);
    void choose();

    QList<QAction*> actions_;
    QLineEdit* line_;
    QTreeWidget* list_;
};

}  // namespace strata
