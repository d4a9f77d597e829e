// Files in and out of the window, and what is said where that goes wrong.
#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QFileDialog>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QStackedWidget>

#include "app/gui/main_window.hpp"
#include "app/gui/models/autosave.hpp"
#include "app/gui/models/known_study.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/widgets/notice_bar.hpp"

namespace strata {

namespace {

constexpr int kLayout = 1;  // raised when bars or docks are others

}  // namespace

void MainWindow::caught(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::exception& error) {
        notice_->warn(QString::fromStdString(error.what()));
    }
}

void MainWindow::choose_file() {
    if (!may_leave()) return;
    const QString file = QFileDialog::getOpenFileName(
        this, "Open a scenario", QString::fromStdString(root_ + "/scenarios"), "Scenarios (*.yaml *.yml)");
    if (!file.isEmpty()) caught([&] { open(file); });
}

void MainWindow::choose_study() {
    const QString file = QFileDialog::getOpenFileName(this, "Open a study that was run", {},
                                                      "Studies (study.sqlite results.json *.sqlite *.json)");
    if (!file.isEmpty()) caught([&] { open_study(file); });
}

// What is shipped, by folder. Opened as it lies: who changes one is asked for a name by Save as.
void MainWindow::fill_examples(QMenu& menu) {
    const QDir scenarios(QString::fromStdString(root_ + "/scenarios"));
    for (const char* folder : {".", "studies", "examples"}) {
        if (!menu.isEmpty()) menu.addSeparator();
        for (const QFileInfo& file :
             QDir(scenarios.filePath(folder)).entryInfoList({"*.yaml"}, QDir::Files, QDir::Name))
            menu.addAction(file.completeBaseName(), this, [this, path = file.canonicalFilePath()] {
                if (may_leave()) caught([&] { open(path); });
            });
    }
}

void MainWindow::offer_left_behind() {
    const auto left = autosave_->left_behind();
    if (!left) return;
    const QString name = left->file.isEmpty() ? "a scenario without a name" : left->file;
    notice_->tell("strata-gui ended before changes to " + name + " were saved. They are still here.",
                  {{"Restore",
                    [this, left] {
                        caught([&] {
                            if (!left->file.isEmpty() && QFile::exists(left->file)) open(left->file);
                            document_.set_text(left->text);
                            Autosave::forget(*left);
                        });
                    }},
                   {"Discard", [left] { Autosave::forget(*left); }}});
}

void MainWindow::fill_recent() {
    recent_->clear();
    for (const QString& file : QSettings().value("recent").toStringList())
        recent_->addAction(file, this, [this, file] {
            if (may_leave()) caught([&] { open(file); });
        });
    recent_->setToolTipsVisible(true);
    if (recent_->isEmpty()) recent_->addAction("nothing yet")->setEnabled(false);
}

bool MainWindow::save() {
    if (document_.file().isEmpty()) return save_as();
    caught([&] { document_.save_as(document_.file()); });
    return document_.undo_stack().isClean();
}

bool MainWindow::save_as() {
    const QString file =
        QFileDialog::getSaveFileName(this, "Save the scenario", document_.file(), "Scenarios (*.yaml)");
    if (file.isEmpty()) return false;
    caught([&] { document_.save_as(file); });
    return document_.undo_stack().isClean();
}

bool MainWindow::may_leave() {
    if (document_.undo_stack().isClean()) return true;
    const auto answer = QMessageBox::question(this, "Strata", "The scenario has changes that are not saved.",
                                              QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel);
    return answer == QMessageBox::Discard || (answer == QMessageBox::Save && save());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (!may_leave()) return event->ignore();
    QSettings settings;
    settings.setValue("geometry", saveGeometry());
    settings.setValue("layout", saveState(kLayout));
    settings.setValue("page", pages_->currentIndex());
    event->accept();
}

// A layout of another version is not restored: Qt says so by the number.
void MainWindow::restore_layout() {
    const QSettings settings;
    restoreGeometry(settings.value("geometry").toByteArray());
    restoreState(settings.value("layout").toByteArray(), kLayout);
    const int page = settings.value("page").toInt();
    if (page > 0 && page < page_names().size()) show_page(page_names()[page]);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QList<QUrl> urls = event->mimeData()->urls();
    if (urls.isEmpty()) return;
    const QString file = urls.front().toLocalFile();
    if (is_study(file.toStdString()) || may_leave()) caught([&] { open(file); });
}

}  // namespace strata
