// What leaves the window: the report of a study, the page that is looked at, the trace of a step, a command line.
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QLabel>

#include "app/gui/main_window.hpp"
#include "app/gui/models/export_report.hpp"
#include "app/gui/widgets/notice_bar.hpp"
#include "app/gui/widgets/save_view.hpp"
#include "reports/files.hpp"
#include "reports/trace/trace_files.hpp"
#include "sim/study/traced_step.hpp"

namespace strata {

void MainWindow::choose_export() {
    const QString folder = QFileDialog::getExistingDirectory(this, "Write the report into a folder");
    if (folder.isEmpty()) return;
    caught([&] { said_->setText(QString("wrote %1 files into %2").arg(export_to(folder).size()).arg(folder)); });
}

std::vector<std::string> MainWindow::export_to(const QString& folder) {
    if (!study_) throw InputError("report", "a study that has been run", "none");
    return export_report(*study_, document_, folder.toStdString());
}

void MainWindow::choose_view_file() {
    const QString file = QFileDialog::getSaveFileName(this, "Save the view", "view.svg",
                                                      "Pictures and numbers (*.svg *.png *.pdf *.csv)");
    if (!file.isEmpty()) caught([&] { save_view(file); });
}

void MainWindow::save_view(const QString& file) {
    strata::save_view(page(), file);
    said_->setText("wrote " + file);
}

void MainWindow::copy_view() {
    QApplication::clipboard()->setImage(picture_of(page()));
    said_->setText("copied the view as a picture");
}

void MainWindow::choose_trace_file() {
    const QString file = QFileDialog::getSaveFileName(this, "Save the trace of one step", "step.pftrace",
                                                      "Perfetto (*.pftrace);;Chrome trace events (*.json)");
    if (!file.isEmpty()) caught([&] { export_trace(file); });
}

// Of the point that the dials describe, as the Timeline page shows it.
void MainWindow::export_trace(const QString& file) {
    (void)trace_file({}, file.toStdString());  // an ending that it cannot write is said before anything runs
    if (!asked_ || trace_job_->is_running())
        throw InputError("trace", "one at a time, of a point that is valid", "none");
    auto* this_run = new QObject(this);
    connect(trace_job_.get(), &BackgroundJob::ended, this_run, [this, file, this_run](bool, const QString& error) {
        this_run->deleteLater();
        if (!error.isEmpty()) return notice_->warn("The trace was not written: " + error);
        said_->setText("wrote " + file);
    });
    said_->setText("tracing a step");
    trace_job_->start([request = *asked_, file = file.toStdString(),
                       options = StudyOptions{.root = root_, .simulator = simulator_}](const BackgroundJob::Progress&) {
        const ScenarioFile scenario(request.file, parse_yaml(request.document, request.file),
                                    options.root + "/scenarios/models");
        write_whole(file, trace_file(traced_step(scenario, scenario.first_point(), options), file));
    });
}

// The same on the command line, with what the dials are turned to.
void MainWindow::copy_command() {
    QString command = "strata run " + document_.file();
    for (const auto& [path, value] : settings())
        command += QString(" --set '%1=%2'").arg(QString::fromStdString(path), QString::fromStdString(value));
    QApplication::clipboard()->setText(command);
    said_->setText("copied: " + command.left(80));
}

}  // namespace strata
