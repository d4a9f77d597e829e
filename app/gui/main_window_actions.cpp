// All that can be done from the window, by menu, by key, and by name in the command palette.
#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QMenuBar>
#include <QStackedWidget>
#include <QToolBar>
#include <array>

#include "app/gui/main_window.hpp"
#include "app/gui/models/scenario_form_model.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/widgets/command_palette.hpp"
#include "app/gui/widgets/scenario_panel.hpp"
#include "app/gui/widgets/theme.hpp"

namespace strata {

namespace {

// In the order of MainWindow::page_names.
struct PageAction {
    const char *title, *shortcut;
};
constexpr std::array kPages{
    PageAction{"Answer", "Ctrl+1"},   PageAction{"Allocation", "Ctrl+2"},    PageAction{"Design", "Ctrl+3"},
    PageAction{"Roofline", "Ctrl+4"}, PageAction{"Validation", "Ctrl+5"},    PageAction{"Compare", "Ctrl+6"},
    PageAction{"Timeline", "Ctrl+7"}, PageAction{"Experts", "Ctrl+8"},       PageAction{"Memory", "Ctrl+9"},
    PageAction{"Fabric", "Ctrl+0"},   PageAction{"Kernels", "Ctrl+Shift+K"}, PageAction{"Precision", "Ctrl+Shift+P"}};

}  // namespace

void MainWindow::build_actions() {
    build_file_menu();
    build_edit_menu();
    build_view_menu();
    build_study_menu();
    build_help_menu();
    auto* bar = new QToolBar("Pages");
    bar->setObjectName("pages");
    bar->setMovable(false);
    bar->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    bar->setIconSize({18, 18});
    bar->addActions(page_actions_->actions());
    bar->addSeparator();
    bar->addActions({run_, pause_, cancel_, export_});
    addToolBar(Qt::LeftToolBarArea, bar);
}

void MainWindow::build_file_menu() {
    QMenu* file = menuBar()->addMenu("&File");
    file->addAction("&Open...", QKeySequence::Open, this, &MainWindow::choose_file);
    recent_ = file->addMenu("Open &recent");
    connect(recent_, &QMenu::aboutToShow, this, &MainWindow::fill_recent);
    fill_examples(*file->addMenu("Open an e&xample"));
    file->addAction("Open a stud&y...", QKeySequence("Ctrl+Shift+O"), this, &MainWindow::choose_study);
    file->addSeparator();
    file->addAction("&Save", QKeySequence::Save, this, &MainWindow::save);
    file->addAction("Save &as...", QKeySequence("Ctrl+Shift+S"), this, &MainWindow::save_as);
    file->addSeparator();
    export_ = file->addAction("&Export report...", QKeySequence("Ctrl+E"), this, &MainWindow::choose_export);
    export_->setIconText("Export");
    export_->setEnabled(false);
    file->addAction("Save the &view...", QKeySequence("Ctrl+Shift+E"), this, &MainWindow::choose_view_file);
    file->addAction("Save the &trace of a step...", QKeySequence("Ctrl+Shift+T"), this, &MainWindow::choose_trace_file);
    file->addAction("Copy the view as a &picture", QKeySequence("Ctrl+Alt+C"), this, &MainWindow::copy_view);
    file->addAction("&Copy as command", QKeySequence("Ctrl+Shift+C"), this, &MainWindow::copy_command);
    file->addSeparator();
    file->addAction("&Quit", QKeySequence("Ctrl+Q"), this, &QWidget::close);
}

void MainWindow::build_edit_menu() {
    QMenu* edit = menuBar()->addMenu("&Edit");
    QAction* undo = document_.undo_stack().createUndoAction(this, "&Undo");
    undo->setShortcut(QKeySequence::Undo);
    QAction* redo = document_.undo_stack().createRedoAction(this, "&Redo");
    redo->setShortcuts({QKeySequence::Redo, QKeySequence("Ctrl+Y")});
    edit->addActions({undo, redo});
    edit->addAction("&Find a field", QKeySequence::Find, panel_, &ScenarioPanel::find);
    edit->addAction("&Go to the dials", QKeySequence("Ctrl+D"), this, [this] {
        show_page("answer");
        answer_->dials().take_focus();
    });
    edit->addAction("Put &dials into scenario", QKeySequence("Ctrl+Return"), this,
                    &MainWindow::put_dials_into_scenario);
}

void MainWindow::build_view_menu() {
    QMenu* view = menuBar()->addMenu("&View");
    page_actions_ = new QActionGroup(this);
    for (std::size_t i = 0; i < kPages.size(); ++i) {
        QAction* action = page_actions_->addAction(kPages[i].title);
        action->setCheckable(true);
        action->setData(page_names()[static_cast<int>(i)]);
        action->setShortcut(QKeySequence(kPages[i].shortcut));
        action->setToolTip(QString("%1 (%2)").arg(kPages[i].title, action->shortcut().toString()));
        connect(action, &QAction::triggered, this, [this, i] { pages_->setCurrentIndex(static_cast<int>(i)); });
    }
    view->addActions(page_actions_->actions());
    page_actions_->actions().front()->setChecked(true);
    view->addSeparator();
    view->addAction("&Command palette...", QKeySequence("Ctrl+K"), this, &MainWindow::open_palette);
    view->addAction(dock_->toggleViewAction());
    QAction* dark = view->addAction("&Dark");
    dark->setCheckable(true);
    dark->setChecked(is_dark(palette()));
    connect(dark, &QAction::toggled, this,
            [](bool on) { QApplication::setPalette(on ? dark_palette() : light_palette()); });
    QAction* refine = view->addAction("Refine by the &systemc engine");
    refine->setCheckable(true);
    refine->setChecked(true);
    connect(refine, &QAction::toggled, engine_.get(), &LiveEngine::set_refining);
}

void MainWindow::build_study_menu() {
    QMenu* study = menuBar()->addMenu("&Study");
    run_ = study->addAction("&Run", QKeySequence("F5"), this, &MainWindow::run_study);
    run_->setIconText("Run study");
    run_->setToolTip("Run every point of the scenario's axes (F5)");
    pause_ = study->addAction("P&ause", QKeySequence("F6"), this, &MainWindow::pause_study);
    pause_->setToolTip("Leave the processors to others; Resume goes on (F6)");
    pause_->setEnabled(false);
    cancel_ = study->addAction("&Cancel", QKeySequence("Esc"), this, &MainWindow::cancel_study);
    cancel_->setToolTip("End the study; its finished points are kept (Esc)");
    cancel_->setEnabled(false);
    study->addAction("&Pin the answer as baseline", QKeySequence("Ctrl+B"), this, &MainWindow::pin);
}

void MainWindow::build_help_menu() {
    QMenu* help = menuBar()->addMenu("&Help");
    help->addAction("&Tour of three steps", this, &MainWindow::start_tour);
}

void MainWindow::open_palette() {
    QList<QAction*> actions;
    for (QAction* menu : menuBar()->actions())
        for (QAction* action : menu->menu()->actions())
            if (!action->isSeparator() && !action->menu()) actions << action;
    CommandPalette(actions, this).exec();
}

}  // namespace strata
