// Studies: run, paused, left, gone on with, opened. Every point is kept as soon as it is known, in a store beside the
// settings, so that neither a cancel nor a crash costs more than the points in work.
#include <QAction>
#include <QDir>
#include <QLabel>
#include <QProgressBar>

#include "app/gui/data_folder.hpp"
#include "app/gui/main_window.hpp"
#include "app/gui/models/known_study.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/widgets/notice_bar.hpp"
#include "sim/study/point_store.hpp"

namespace strata {

namespace {

QString duration(double seconds) {
    if (seconds < 10) return QString("%1 s").arg(seconds, 0, 'f', 1);
    if (seconds < 120) return QString("%1 s").arg(seconds, 0, 'f', 0);
    if (seconds < 7200) return QString("%1 min").arg(seconds / 60, 0, 'f', 0);
    return QString("%1 h").arg(seconds / 3600, 0, 'f', 1);
}

constexpr std::int64_t kMostBytes = 500'000'000;  // two million points, or fifty thousand whole runs

// A study runs without one too; then nothing of it is kept, and `why` says so.
std::shared_ptr<PointStore> store_of_points(QString& why) {
    try {
        QDir().mkpath(data_folder());
        auto store = std::make_shared<PointStore>((data_folder() + "/points.sqlite").toStdString());
        store->keep_within(kMostBytes);
        return store;
    } catch (const std::exception& error) {
        why = error.what();
        return nullptr;
    }
}

}  // namespace

std::size_t MainWindow::points_waiting() const { return known_ ? known_->waiting.size() : 0; }

void MainWindow::run_study() {
    if (study_job_->is_running() || !document_.is_valid()) return;
    stop_ = Stop::none;
    const auto why = std::make_shared<QString>();
    auto* this_run = new QObject(this);  // what is connected for this run goes with it
    connect(study_job_.get(), &BackgroundJob::progressed, this_run,
            [this](qulonglong done, qulonglong all, double left) { say_progress(done, all, left); });
    connect(study_job_.get(), &BackgroundJob::ended, this_run,
            [this, why, this_run](bool cancelled, const QString& error) {
                this_run->deleteLater();
                study_ended(cancelled, error);
                if (!why->isEmpty()) notice_->warn("The points of this study were not kept: " + *why);
            });
    progress_->setValue(0);
    progress_->show();
    progress_text_ = "starting";
    said_->setText(progress_text_);
    const std::string file = document_.file().isEmpty() ? "scenario.yaml" : document_.file().toStdString();
    running_ = document_.text();
    study_job_->start(
        [this, text = running_, file, why, options = StudyOptions{.root = root_, .jobs = 2, .simulator = simulator_}](
            const BackgroundJob::Progress& progress) {
            StudyOptions with = options;
            with.progress = progress;
            with.store = store_of_points(*why);
            run_in_parts(ScenarioFile(file, parse_yaml(text, file), options.root + "/scenarios/models"), with,
                         [this](std::shared_ptr<const KnownStudy> known) {
                             QMetaObject::invokeMethod(this, [this, known] { show_known(known); });
                         });
        });
    enable_study_actions();
}

void MainWindow::pause_study() {
    if (!study_job_->is_running()) return;
    stop_ = Stop::paused;
    study_job_->cancel();
    said_->setText("pausing after the points in work");
}

void MainWindow::cancel_study() {
    if (!study_job_->is_running()) {
        stop_ = Stop::none;  // of one that is paused: it is no longer waited for
        progress_->hide();
        return enable_study_actions();
    }
    stop_ = Stop::cancelled;
    study_job_->cancel();
    said_->setText("cancelling after the points in work");
}

void MainWindow::say_progress(qulonglong done, qulonglong all, double seconds_left) {
    if (stop_ != Stop::none) return;
    progress_->setMaximum(static_cast<int>(all));
    progress_->setValue(static_cast<int>(done));
    progress_text_ = QString("%1 of %2").arg(done).arg(all);
    said_->setText(QString("%1, %2 left").arg(progress_text_, duration(seconds_left)));
}

void MainWindow::show_known(std::shared_ptr<const KnownStudy> known) {
    known_ = std::move(known);
    design_->show_study(known_, known_->waiting.empty() ? "" : "running");
}

void MainWindow::study_ended(bool cancelled, const QString& error) {
    const bool paused = cancelled && stop_ == Stop::paused;
    if (!paused) progress_->hide();
    if (!paused) stop_ = Stop::none;
    if (known_ && (cancelled || !error.isEmpty())) design_->show_study(known_, paused ? "paused" : "left");
    if (!error.isEmpty()) {
        said_->setText("the study stopped");
        notice_->warn(
            "The study stopped: " + error + "\nWhat was finished is kept: running it again goes on from there.",
            {{"Run again", [this] { run_study(); }}});
    } else if (cancelled) {
        said_->setText(QString("%1 at %2; F5 goes on").arg(paused ? "paused" : "cancelled", progress_text_));
    } else if (known_) {
        const auto without =
            std::ranges::count_if(known_->study->results, [](const PointResult& result) { return !result.run; });
        said_->setText(QString("%1 results%2")
                           .arg(known_->study->results.size())
                           .arg(without ? QString(", %1 without a run").arg(without) : QString()));
        say_failed_points();
    }
    if (known_ && known_->waiting.empty()) {
        study_ = known_->study;
        ran_ = running_;
    }
    enable_study_actions();
}

// Points that do not fit are an answer; points that failed are not, and the next run tries them again.
void MainWindow::say_failed_points() {
    const auto failed = [](const PointResult& result) { return result.status == PointStatus::failed; };
    const auto& results = known_->study->results;
    const auto first = std::ranges::find_if(results, failed);
    if (first == results.end()) return;
    notice_->warn(QString("%1 of %2 points failed; the first: %3\nThe others stand. Each reason is in the tooltip of "
                          "the point's status.")
                      .arg(std::ranges::count_if(results, failed))
                      .arg(results.size())
                      .arg(QString::fromStdString(first->reason)),
                  {{"Try them again", [this] { run_study(); }}});
}

void MainWindow::enable_study_actions() {
    const bool runs = study_job_->is_running();
    run_->setEnabled(document_.is_valid() && !runs);
    run_->setIconText(stop_ == Stop::paused ? "Resume" : "Run study");
    run_->setText(stop_ == Stop::paused ? "&Resume" : "&Run");
    pause_->setEnabled(runs);
    cancel_->setEnabled(runs || stop_ == Stop::paused);
    export_->setEnabled(study_ != nullptr);
}

void MainWindow::open_study(const QString& file) {
    if (study_job_->is_running()) throw InputError(file.toStdString(), "no study that runs", "one; cancel it first");
    auto* this_run = new QObject(this);
    connect(study_job_.get(), &BackgroundJob::ended, this_run, [this, file, this_run](bool, const QString& error) {
        this_run->deleteLater();
        if (!error.isEmpty())
            notice_->warn("This study cannot be opened: " + error);
        else
            said_->setText("opened " + file.section('/', -1));
        if (error.isEmpty()) {
            study_ = known_->study;
            ran_.clear();
        }
        enable_study_actions();
        if (error.isEmpty()) show_page("design-space");
    });
    study_job_->start([this, file](const BackgroundJob::Progress&) {
        QMetaObject::invokeMethod(this, [this, known = strata::open_study(file.toStdString())] { show_known(known); });
    });
    enable_study_actions();
}

}  // namespace strata
