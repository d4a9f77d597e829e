#include "app/gui/main_window.hpp"

#include <fmt/format.h>

#include <QActionGroup>
#include <QDockWidget>
#include <QEvent>
#include <QFileInfo>
#include <QLabel>
#include <QProgressBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

#include "app/gui/data_folder.hpp"
#include "app/gui/models/autosave.hpp"
#include "app/gui/models/known_study.hpp"
#include "app/gui/models/scenario_form_model.hpp"
#include "app/gui/pages/allocation_page.hpp"
#include "app/gui/pages/answer_page.hpp"
#include "app/gui/pages/compare_page.hpp"
#include "app/gui/pages/design_page.hpp"
#include "app/gui/pages/experts_page.hpp"
#include "app/gui/pages/fabric_page.hpp"
#include "app/gui/pages/kernels_page.hpp"
#include "app/gui/pages/memory_page.hpp"
#include "app/gui/pages/precision_page.hpp"
#include "app/gui/pages/roofline_page.hpp"
#include "app/gui/pages/timeline_page.hpp"
#include "app/gui/pages/validation_page.hpp"
#include "app/gui/widgets/notice_bar.hpp"
#include "app/gui/widgets/scenario_panel.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"
#include "sim/scenario/schema.hpp"

namespace strata {

namespace {

constexpr int kRecent = 8;

std::string written(const Point& point) {
    YAML::Node document = YAML::Clone(point.document);
    document.remove("axes");
    return YAML::Dump(document);
}

// What sets a point apart from the scenario.
std::string name_of(const std::vector<std::pair<std::string, std::string>>& settings) {
    std::string name;
    for (const auto& [path, value] : settings)
        name += fmt::format("{}{} {}", name.empty() ? "" : ", ", short_name(path),
                            path == "placement.experts.swaps" ? "by hand" : value);
    return name.empty() ? "as in the scenario" : name;
}

// Pages make do with what there is: the one that asks for most must not take the scenario's columns away.
class Pages : public QStackedWidget {
public:
    QSize minimumSizeHint() const override { return {560, 400}; }
};

}  // namespace

MainWindow::MainWindow(const std::string& root, const std::string& simulator)
    : root_(root),
      simulator_(simulator),
      document_(root),
      form_(std::make_unique<ScenarioFormModel>(document_,
                                                schema_tree(schema_of("scenario", root + "/scenarios/schema")))),
      engine_(std::make_unique<LiveEngine>(root, simulator)),
      study_job_(std::make_unique<BackgroundJob>()),
      export_job_(std::make_unique<BackgroundJob>()) {
    setAcceptDrops(true);
    panel_ = new ScenarioPanel(document_, *form_);
    dock_ = new QDockWidget("Scenario");
    dock_->setObjectName("scenario");
    dock_->setWidget(panel_);
    dock_->setFeatures(QDockWidget::DockWidgetMovable | QDockWidget::DockWidgetFloatable |
                       QDockWidget::DockWidgetClosable);
    addDockWidget(Qt::LeftDockWidgetArea, dock_);
    build_pages();
    build_actions();
    build_status();
    connect_engine();
    resizeDocks({dock_}, {340}, Qt::Horizontal);
    connect(&document_, &ScenarioDocument::changed, this, &MainWindow::follow_document);
    connect(&document_, &ScenarioDocument::file_changed, this, &MainWindow::name_window);
    connect(&document_.undo_stack(), &QUndoStack::cleanChanged, this,
            [this](bool clean) { setWindowModified(!clean); });
    autosave_ = std::make_unique<Autosave>(document_, data_folder() + "/unsaved");
    connect(autosave_.get(), &Autosave::failed, this, [this](const QString& why) {
        notice_->warn("Changes cannot be kept for a crash: " + why + ". Save the scenario yourself (Ctrl+S).");
    });
    name_window();
    draw_icons();
}

// Work that still runs ends before what it would tell is gone.
MainWindow::~MainWindow() {
    study_job_.reset();
    export_job_.reset();
    engine_.reset();
}

QStringList MainWindow::page_names() {
    return {"answer",   "allocation", "design-space", "roofline", "validation", "compare",
            "timeline", "experts",    "memory",       "fabric",   "kernels",    "precision"};
}

void MainWindow::build_pages() {
    answer_ = new AnswerPage;
    allocation_ = new AllocationPage;
    design_ = new DesignPage;
    roofline_ = new RooflinePage;
    validation_ = new ValidationPage({.root = root_, .simulator = simulator_});
    compare_ = new ComparePage;
    timeline_ = new TimelinePage(simulator_);
    experts_ = new ExpertsPage;
    memory_ = new MemoryPage(simulator_);
    fabric_ = new FabricPage(root_);
    kernels_ = new KernelsPage(root_);
    precision_ = new PrecisionPage;
    pages_ = new Pages;
    for (QWidget* page :
         std::initializer_list<QWidget*>{answer_, allocation_, design_, roofline_, validation_, compare_, timeline_,
                                         experts_, memory_, fabric_, kernels_, precision_})
        pages_->addWidget(page);
    notice_ = new NoticeBar;
    auto* centre = new QWidget;
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(notice_);
    column->addWidget(pages_, 1);
    setCentralWidget(centre);
    connect(&answer_->dials(), &DialPanel::turned_to, this, [this] {
        experts_->forget_step();
        ask();
    });
    connect(experts_, &ExpertsPage::moved, this, &MainWindow::ask);
    connect(compare_, &ComparePage::pin_wanted, this, &MainWindow::pin);
    connect(answer_, &AnswerPage::pin_wanted, this, &MainWindow::pin);
    connect(pages_, &QStackedWidget::currentChanged, this, &MainWindow::look);
    connect(answer_, &AnswerPage::put_into_scenario, this, &MainWindow::put_dials_into_scenario);
}

void MainWindow::build_status() {
    provenance_ = new QLabel;
    provenance_->setContentsMargins(8, 2, 8, 2);
    said_ = new QLabel;
    said_->setContentsMargins(8, 2, 12, 2);
    progress_ = new QProgressBar;
    progress_->setMaximumWidth(220);
    progress_->hide();
    statusBar()->addWidget(provenance_, 1);
    statusBar()->addPermanentWidget(said_);
    statusBar()->addPermanentWidget(progress_);
    statusBar()->setSizeGripEnabled(false);
}

void MainWindow::connect_engine() {
    LiveEngine* engine = engine_.get();
    connect(engine, &LiveEngine::answered, answer_, &AnswerPage::show_answer);
    connect(engine, &LiveEngine::answered, roofline_, &RooflinePage::show_answer);
    connect(engine, &LiveEngine::answered, compare_, &ComparePage::show_answer);
    connect(engine, &LiveEngine::answered, this, [this] { compare_on_roofline(); });
    connect(engine, &LiveEngine::answered, experts_, &ExpertsPage::show_answer);
    connect(engine, &LiveEngine::answered, memory_, &MemoryPage::show_answer);
    connect(engine, &LiveEngine::answered, this, &MainWindow::show_provenance);
    connect(engine, &LiveEngine::refining, answer_, &AnswerPage::say_refining);
    connect(engine, &LiveEngine::refined, answer_, &AnswerPage::show_refined);
    connect(roofline_, &RooflinePage::asked_for, this, [this](const OpPoint& point) {
        if (const auto& first = document_.first_point())
            engine_->explain(point, device_of(first->scenario.platform.accelerator),
                             [this](const QString& text) { roofline_->show_derivation(text); });
    });
}

void MainWindow::open(const QString& file) {
    if (is_study(file.toStdString())) return open_study(file);
    const QString whole = QFileInfo(file).absoluteFilePath();
    if (!QFileInfo(whole).isReadable())  // said before anything is forgotten
        throw InputError(file.toStdString(), "a file that can be read", QFileInfo::exists(whole) ? "none" : "no file");
    answer_->forget_baseline();
    compare_->forget();
    document_.open(whole);
    QSettings settings;
    QStringList recent = settings.value("recent").toStringList();
    recent.removeAll(document_.file());
    recent.prepend(document_.file());
    settings.setValue("recent", QStringList(recent.mid(0, kRecent)));
}

void MainWindow::follow_document() {
    if (stop_ == Stop::paused && !study_job_->is_running()) cancel_study();  // it is another study now
    enable_study_actions();
    said_->setText(document_.is_valid() ? "" : QString("%1 to mend in the scenario").arg(document_.issues().size()));
    if (!document_.is_valid() || !document_.first_point()) return;
    const ScenarioFile file = document_.scenario_file();
    answer_->set_title(QString::fromStdString(file.name()), QString::fromStdString(file.description()));
    const Scenario& scenario = document_.first_point()->scenario;
    answer_->dials().set(dials_of(scenario));
    experts_->set_given(scenario.placement.expert_dials.swaps);
    experts_->forget_step();
    ask();
}

std::vector<std::pair<std::string, std::string>> MainWindow::settings() const {
    std::vector<std::pair<std::string, std::string>> all = answer_->dials().turned();
    const auto moves = experts_->settings();
    all.insert(all.end(), moves.begin(), moves.end());
    return all;
}

void MainWindow::ask() {
    const auto& first = document_.first_point();
    if (!first) return;
    const std::string file = document_.file().isEmpty() ? "scenario.yaml" : document_.file().toStdString();
    const auto turned = settings();
    asked_ = AnswerRequest{written(with_settings(first->point, turned)), file, name_of(turned), first->assertions};
    engine_->ask(*asked_);
    look();
}

void MainWindow::look() {
    if (!asked_) return;
    if (auto* page = qobject_cast<DetailPage*>(pages_->currentWidget())) page->look(*asked_, *engine_);
}

void MainWindow::pin() {
    answer_->pin();
    compare_->pin();
    compare_on_roofline();
}

void MainWindow::compare_on_roofline() {
    const std::vector<NamedAnswer> runs = compare_->runs();
    roofline_->set_baseline(runs.empty() ? nullptr : runs.front().answer);
}

void MainWindow::put_dials_into_scenario() {
    const auto turned = settings();
    if (turned.empty()) return;
    caught([&] { document_.set_values(turned, "dials"); });
    if (!document_.is_valid()) return;
    QStringList axes;  // what an axis sets stays the axis's
    const ScenarioFile file = document_.scenario_file();
    for (const Axis& axis : file.axes())
        for (const auto& [path, value] : turned)
            if (std::ranges::find(axis.paths, path) != axis.paths.end()) axes << QString::fromStdString(path);
    if (!axes.isEmpty())
        notice_->tell(
            axes.join(" and ") + (axes.size() == 1 ? " is an axis" : " are axes") +
            " of this scenario: what was put in counts where the axis is taken out. Shown is the axis's first "
            "value.");
}

void MainWindow::show_provenance(const SharedAnswer& answer) {
    if (!answer->run) return provenance_->setText("no answer: see the Answer page");
    QString text = QString("engine %1").arg(QString::fromStdString(answer->engine));
    for (const auto& [origin, share] : answer->run->share_of_compute)
        text += QString(" &nbsp;<span style='color:%1'>%2</span> %3 %4")
                    .arg(provenance_colour(origin).name(), origin.ends_with("outside") ? "\u25A1" : "\u25A0",
                         QString::fromStdString(percent(share)), QString::fromStdString(origin));
    provenance_->setText(text);
    provenance_->setToolTip("How the time of computing is known, by share");
}

QWidget& MainWindow::page() const { return *pages_->currentWidget(); }

bool MainWindow::show_page(const QString& name) {
    for (QAction* action : page_actions_->actions())
        if (action->data().toString() == name) {
            action->trigger();
            return true;
        }
    return false;
}

void MainWindow::name_window() {
    const QString name = document_.file().isEmpty() ? "untitled" : QFileInfo(document_.file()).fileName();
    setWindowTitle(QString("%1[*] \u2013 Strata").arg(name));
    setWindowModified(!document_.undo_stack().isClean());
}

void MainWindow::draw_icons() {
    for (QAction* action : page_actions_->actions())
        action->setIcon(page_icon(action->data().toString().toStdString(), palette()));
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || !page_actions_) return;
    draw_icons();
    notice_->colour();
}

}  // namespace strata
