// The scenario on the left: as a searchable form, and one tab away as text. Both are the same document.
#pragma once

#include <QWidget>

#include "app/gui/models/scenario_form_model.hpp"

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QSortFilterProxyModel;
class QTabWidget;
class QTreeView;

namespace strata {

class ScenarioPanel : public QWidget {
    Q_OBJECT
public:
    ScenarioPanel(ScenarioDocument& document, ScenarioFormModel& model, QWidget* parent = nullptr);
    void find();  // puts the cursor into the search
    QTreeView* tree() const { return tree_; }
    QPlainTextEdit* editor() const { return editor_; }

private:
    void follow();
    void search(const QString& text);
    void open_groups();

    ScenarioDocument& document_;
    ScenarioFormModel& model_;
    QSortFilterProxyModel* filtered_;
    QLineEdit* search_;
    QTabWidget* tabs_;
    QTreeView* tree_;
    QPlainTextEdit* editor_;
    QLabel* issues_;
    bool following_ = false;
};

}  // namespace strata
