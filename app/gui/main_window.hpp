// The window: pages on the left, beside them the scenario, the page that is looked at in the middle, what is known of
// the answer in the status bar. It owns the document, the live engine and the study, and hands values between them and
// the pages.
#pragma once

#include <QMainWindow>
#include <memory>
#include <optional>

#include "app/gui/models/background_job.hpp"
#include "app/gui/models/live_engine.hpp"
#include "app/gui/models/scenario_document.hpp"

class QActionGroup;
class QDockWidget;
class QLabel;
class QProgressBar;
class QStackedWidget;
class QUndoView;

namespace strata {

class Autosave;
class AllocationPage;
class AnswerPage;
class ComparePage;
class DesignPage;
class ExpertsPage;
class FabricPage;
class KernelsPage;
class MemoryPage;
class NoticeBar;
class PrecisionPage;
class RooflinePage;
class ScenarioFormModel;
class ScenarioPanel;
class TimelinePage;
class ValidationPage;
struct KnownStudy;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    // `simulator` as in StudyOptions.
    MainWindow(const std::string& root, const std::string& simulator);
    ~MainWindow() override;

    void open(const QString& file);        // a scenario, or a study that was run before; throws InputError
    void open_study(const QString& file);  // in the background; what is wrong with it stands in the notice
    bool show_page(const QString& name);
    QWidget& page() const;  // that is looked at
    // As it was when the last window closed; nothing where none has.
    void restore_layout();
    void pin();  // the answer, as a baseline
    static QStringList page_names();
    void run_study();  // from where it was left
    void pause_study();
    void cancel_study();
    // The page that is looked at, as SVG, PNG, PDF or CSV; throws InputError.
    void save_view(const QString& file);
    void copy_view();
    void export_trace(const QString& file);  // of one step, in the background
    void start_tour();
    // Changes that a window left which did not end as it should: offers them.
    void offer_left_behind();
    void export_to(const QString& folder);  // the report of the last study, in the background

    ScenarioDocument& document() { return document_; }
    AnswerPage& answer_page() { return *answer_; }
    ComparePage& compare_page() { return *compare_; }
    TimelinePage& timeline_page() { return *timeline_; }
    ExpertsPage& experts_page() { return *experts_; }
    MemoryPage& memory_page() { return *memory_; }
    FabricPage& fabric_page() { return *fabric_; }
    KernelsPage& kernels_page() { return *kernels_; }
    PrecisionPage& precision_page() { return *precision_; }
    DesignPage& design_page() { return *design_; }
    RooflinePage& roofline_page() { return *roofline_; }
    ValidationPage& validation_page() { return *validation_; }
    ScenarioPanel& scenario_panel() { return *panel_; }
    LiveEngine& engine() { return *engine_; }
    BackgroundJob& study_job() { return *study_job_; }
    BackgroundJob& export_job() { return *export_job_; }
    NoticeBar& notice() { return *notice_; }
    const SharedStudy& study() const { return study_; }
    std::size_t points_waiting() const;

protected:
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void build_pages();
    void build_actions();
    void build_file_menu();
    void build_edit_menu();
    void build_view_menu();
    void build_study_menu();
    void build_help_menu();
    void fill_examples(QMenu& menu);
    void open_palette();
    void build_status();
    void connect_engine();
    void follow_document();
    void ask();
    void look();  // the page that is looked at asks for what it shows
    // What dials and moves lay over the scenario, path and value.
    std::vector<std::pair<std::string, std::string>> settings() const;
    void put_dials_into_scenario();
    void compare_on_roofline();
    void show_provenance(const SharedAnswer& answer);
    void show_known(std::shared_ptr<const KnownStudy> known);
    void study_ended(bool cancelled, const QString& error);
    void say_progress(qulonglong done, qulonglong all, double seconds_left);
    void enable_study_actions();
    void say_failed_points();
    void tour_step(int step);
    void name_window();
    void draw_icons();
    void fill_recent();
    bool may_leave();  // asks where changes would be lost
    bool save();
    bool save_as();
    void choose_file();
    void choose_export();
    void choose_study();
    void choose_view_file();
    void choose_trace_file();
    void export_by(const QString& doing, std::function<QString()> work);
    void copy_command();
    void caught(const std::function<void()>& work);  // says what a user can mend in the notice

    std::string root_, simulator_;
    ScenarioDocument document_;
    std::unique_ptr<ScenarioFormModel> form_;
    std::unique_ptr<LiveEngine> engine_;
    SharedStudy study_;
    std::string running_, ran_;  // the scenario that it is of, as it stood when it ran; empty: it was opened
    std::shared_ptr<const KnownStudy> known_;
    std::unique_ptr<Autosave> autosave_;
    enum class Stop { none, paused, cancelled } stop_ = Stop::none;
    QString progress_text_;
    NoticeBar* notice_ = nullptr;
    ScenarioPanel* panel_ = nullptr;
    QStackedWidget* pages_ = nullptr;
    AnswerPage* answer_ = nullptr;
    AllocationPage* allocation_ = nullptr;
    DesignPage* design_ = nullptr;
    RooflinePage* roofline_ = nullptr;
    ValidationPage* validation_ = nullptr;
    ComparePage* compare_ = nullptr;
    TimelinePage* timeline_ = nullptr;
    ExpertsPage* experts_ = nullptr;
    MemoryPage* memory_ = nullptr;
    FabricPage* fabric_ = nullptr;
    KernelsPage* kernels_ = nullptr;
    PrecisionPage* precision_ = nullptr;
    std::optional<AnswerRequest> asked_;
    QActionGroup* page_actions_ = nullptr;
    QAction *run_ = nullptr, *pause_ = nullptr, *cancel_ = nullptr, *export_ = nullptr;
    QMenu* recent_ = nullptr;
    QDockWidget* dock_ = nullptr;
    QLabel *provenance_ = nullptr, *said_ = nullptr;
    QProgressBar* progress_ = nullptr;
    std::unique_ptr<BackgroundJob> study_job_, export_job_;
};

}  // namespace strata
