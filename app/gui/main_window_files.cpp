// Files in and out of the window, and what is said where that goes wrong.
#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QFileDialog>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QStackedWidget>

#include "app/gui/main_window.hpp"
#include "app/gui/pages/answer_page.hpp"

namespace strata {

namespace {

constexpr int kLayout = 1;  // raised when bars or docks are others

}  // namespace

void MainWindow::caught(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::exception& error) {
        QMessageBox::warning(this, "Strata", QString::fromStdString(error.what()));
    }
}

void MainWindow::choose_file() {
    if (!may_leave()) return;
    const QString file = QFileDialog::getOpenFileName(
        this, "Open a scenario", QString::fromStdString(root_ + "/scenarios"), "Scenarios (*.yaml *.yml)");
    if (!file.isEmpty()) caught([&] { open(file); });
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

void MainWindow::choose_export() {
    const QString folder = QFileDialog::getExistingDirectory(this, "Write the report into a folder");
    if (folder.isEmpty()) return;
    caught([&] { said_->setText(QString("wrote %1 files into %2").arg(export_to(folder).size()).arg(folder)); });
}

// The same on the command line, with what the dials are turned to.
void MainWindow::copy_command() {
    QString command = "strata run " + document_.file();
    for (const auto& [path, value] : settings())
        command += QString(" --set '%1=%2'").arg(QString::fromStdString(path), QString::fromStdString(value));
    QApplication::clipboard()->setText(command);
    said_->setText("copied: " + command.left(80));
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
    if (!urls.isEmpty() && may_leave()) caught([&] { open(urls.front().toLocalFile()); });
}

}  // namespace strata
