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
    if (!folder.isEmpty()) caught([&] { export_to(folder); });
}

void MainWindow::export_to(const QString& folder) {
    if (!study_) throw InputError("report", "a study that has been run", "none");
    if (document_.file().isEmpty())
        throw InputError("scenario", "a file that the report can name", "an unsaved scenario; save it first");
    const ReportRequest request{study_, ran_.empty() ? document_.text() : ran_, document_.file().toStdString(),
                                folder.toStdString(), root_};
    export_by("writing the report", [request, folder] {
        const WrittenReport written = export_report(request);
        const QString obstacle = QString::fromStdString(written.obstacle);
        return QString("wrote %1 files into %2").arg(written.files.size()).arg(folder) +
               (obstacle.isEmpty() ? "" : "; " + obstacle);
    });
}

// In the background, one at a time. `work` returns what can be said of it.
void MainWindow::export_by(const QString& doing, std::function<QString()> work) {
    if (export_job_->is_running()) throw InputError("export", "one at a time", "one that is at work");
    const auto made = std::make_shared<QString>();
    auto* this_run = new QObject(this);
    connect(export_job_.get(), &BackgroundJob::ended, this_run, [this, made, this_run](bool, const QString& error) {
        this_run->deleteLater();
        said_->setText(error.isEmpty() ? *made : "");
        if (!error.isEmpty()) notice_->warn("The export failed: " + error);
    });
    said_->setText(doing);
    export_job_->start([work = std::move(work), made](const BackgroundJob::Progress&) { *made = work(); });
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
    if (!asked_) throw InputError("trace", "a point that is valid", "none");
    export_by("tracing a step",
              [request = *asked_, file, options = StudyOptions{.root = root_, .simulator = simulator_}] {
                  const ScenarioFile scenario(request.file, parse_yaml(request.document, request.file),
                                              options.root + "/scenarios/models");
                  const std::string target = file.toStdString();
                  write_whole(target, trace_file(traced_step(scenario, scenario.first_point(), options), target));
                  return "wrote " + file;
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
