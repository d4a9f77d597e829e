#include "app/gui/pages/kernels_page.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>
#include <set>

#include "app/gui/data_folder.hpp"
#include "app/gui/qt_text.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "hwmodels/input_error.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMostRows = 18;  // of a chart; the rest is in the table

Cell number_cell(double value) { return {text(plain(value)), value}; }

QString verdict_of(const KernelSample& sample) {
    if (!sample.measured()) return text(sample.outcome + ": " + sample.reason);
    if (!sample.reached) return "no goal";
    return *sample.reached ? "reached" : "missed";
}

QString goal_of(const KernelSample& sample) {
    if (sample.goal_share) return QString("at least %1").arg(text(percent(*sample.goal_share)));
    if (sample.goal_us) return QString("at most %1 us").arg(text(plain(*sample.goal_us)));
    return "-";
}

Records records_of(const std::vector<KernelSample>& samples) {
    Records records{{"kernel", "shape", "time [us]", "spread [%]", "of ceiling [%]", "ceiling", "goal", "verdict",
                     "TB/s", "TFLOP/s", "against", "device"}};
    for (const KernelSample& sample : samples) {
        const bool measured = sample.measured();
        const double spread = measured ? 100 * (sample.p95_us - sample.p05_us) / sample.median_us : 0;
        records.rows.push_back(
            {{text(sample.kernel)},
             {text(sample.shape)},
             measured ? number_cell(sample.median_us) : Cell{"-"},
             measured ? Cell{text(plain(spread)), spread, QString("5th to 95th percentile of %1").arg(sample.repeats)}
                      : Cell{"-"},
             sample.share ? number_cell(100 * *sample.share) : Cell{"-"},
             {text(sample.ceiling.empty() ? "-" : sample.ceiling)},
             {goal_of(sample), {}, text(sample.goal)},
             {verdict_of(sample)},
             measured ? number_cell(sample.gbs / 1e3) : Cell{"-"},
             measured ? number_cell(sample.tflops) : Cell{"-"},
             {text(sample.baselines)},
             {text(sample.device)}});
    }
    return records;
}

}  // namespace

KernelsPage::KernelsPage(const std::string& root, const QString& bench, QWidget* parent)
    : QWidget(parent),
      root_(root),
      run_(bench, data_folder() + "/kernels"),
      family_(new QComboBox),
      measure_(new QPushButton("&Measure here")),
      said_(caption("")),
      plot_(new QCustomPlot),
      table_(new RecordView("Filter kernels")) {
    plot_->setAccessibleName("Kernels against their ceilings");
    plot_->setMinimumHeight(220);
    auto* name = new QLabel("&Family");
    name->setBuddy(family_);
    auto* line = new QHBoxLayout;
    line->addWidget(name);
    line->addWidget(family_);
    line->addWidget(measure_);
    line->addSpacing(12);
    line->addWidget(said_, 1);
    measure_->setToolTip("Measure this family on the GPU of this machine; results appear as they come");
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(plot_);
    splitter->addWidget(table_);
    splitter->setSizes({420, 280});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    connect(family_, &QComboBox::currentIndexChanged, this, &KernelsPage::choose_family);
    connect(measure_, &QPushButton::clicked, this, &KernelsPage::measure);
    connect(&run_, &KernelRun::grown, this, &KernelsPage::read_records);
    connect(&run_, &KernelRun::ended, this, &KernelsPage::measurement_ended);
}

QString KernelsPage::said() const { return said_->text(); }

void KernelsPage::measure() {
    if (run_.is_running()) return run_.stop();
    measure_->setText("&Stop measuring");
    said_->setText("Measuring the ceilings of this machine's GPU first...");
    const bool all = family_->currentIndex() == family_->count() - 1;
    run_.start(all ? QString() : family_->currentText());
}

void KernelsPage::measurement_ended(const QString& trouble) {
    measure_->setText("&Measure here");
    if (!trouble.isEmpty()) return said_->setText(trouble);
    read_records();
}

// This machine's own come first.
void KernelsPage::read_records() {
    try {
        std::vector<KernelSample> samples = kernel_samples(run_.folder().toStdString());
        const auto shipped = kernel_samples(std::filesystem::path(root_) / "kernels" / "profiles");
        samples.insert(samples.end(), shipped.begin(), shipped.end());
        show_samples(std::move(samples));
    } catch (const InputError& error) {
        said_->setText(error.what());
    }
}

void KernelsPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (std::exchange(read_, true)) return;
    read_records();
}

void KernelsPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && read_) draw();
}

void KernelsPage::show_samples(std::vector<KernelSample> samples) {
    read_ = true;
    samples_ = std::move(samples);
    std::set<std::string> families;
    for (const KernelSample& sample : samples_) families.insert(sample.family());
    {
        const QSignalBlocker quiet(family_);
        const QString before = family_->currentText();
        family_->clear();
        for (const std::string& family : families) family_->addItem(text(family));
        family_->addItem("all of them");
        family_->setCurrentIndex(std::max(0, family_->findText(before)));
    }
    choose_family();
}

void KernelsPage::choose_family() {
    const std::string family = family_->currentText().toStdString();
    const bool all = family_->currentIndex() == family_->count() - 1;
    shown_.clear();
    for (const KernelSample& sample : samples_)
        if (all || sample.family() == family) shown_.push_back(sample);
    table_->set(records_of(shown_));
    draw();
}

// Shares of the ceiling by kernel, the first shape of each: a dot for the median, a line for the spread, a mark for the
// goal.
void KernelsPage::draw() {
    plot_->clearPlottables();
    const QSharedPointer<QCPAxisTickerText> names(new QCPAxisTickerText);
    QVector<double> shares, rows, low, high, goals, goal_rows;
    std::set<std::string> seen;
    int reached = 0, missed = 0;
    for (const KernelSample& sample : shown_) {
        reached += sample.reached == true;
        missed += sample.reached == false;
        if (!sample.share || seen.size() >= kMostRows || !seen.insert(sample.kernel).second) continue;
        const double row = -double(seen.size());
        names->addTick(row, text(sample.kernel.substr(sample.kernel.find('/') + 1)));
        shares << 100 * *sample.share;
        rows << row;
        low << 100 * (*sample.share - sample.share_at(sample.p95_us));
        high << 100 * (sample.share_at(sample.p05_us) - *sample.share);
        if (!sample.goal_share) continue;
        goals << 100 * *sample.goal_share;
        goal_rows << row;
    }
    QCPGraph* measured = plot_->addGraph();
    measured->setLineStyle(QCPGraph::lsNone);
    measured->setScatterStyle({QCPScatterStyle::ssDisc, series_colour(0), series_colour(0), 8});
    measured->setName("measured, median and 5th to 95th percentile");
    measured->setData(shares, rows);
    auto* spread = new QCPErrorBars(plot_->xAxis, plot_->yAxis);
    spread->setErrorType(QCPErrorBars::etKeyError);
    spread->setDataPlottable(measured);
    spread->setData(low, high);
    spread->setPen(QPen(series_colour(0), 1.6));
    spread->removeFromLegend();
    QCPGraph* goal = plot_->addGraph();
    goal->setLineStyle(QCPGraph::lsNone);
    goal->setScatterStyle({QCPScatterStyle::ssCross, QPen(series_colour(1), 2), Qt::NoBrush, 8});
    goal->setName("goal");
    goal->setData(goals, goal_rows);
    QCPGraph* bound = plot_->addGraph();
    bound->setPen(QPen(muted(palette()), 1.4, Qt::DashLine));
    bound->setName("the run's own ceiling");
    bound->setData({100.0, 100.0}, {-double(seen.size()) - 0.7, -0.3}, true);
    plot_->yAxis->setTicker(names);
    plot_->yAxis->setSubTicks(false);
    plot_->yAxis->setRange(-double(std::max<std::size_t>(seen.size(), 1)) - 0.7, -0.3);
    plot_->xAxis->setRange(0, std::max(105.0, shares.isEmpty() ? 0 : *std::ranges::max_element(shares) + 5));
    plot_->xAxis->setLabel("share of the ceiling that binds the kernel [%]");
    legend_above(*plot_);
    follow_palette(*plot_, palette());
    plot_->replot();
    said_->setText(
        QString("%1 shapes, %2 goals reached, %3 missed. The chart has the first shape of each kernel that a "
                "ceiling binds; those with goals in microseconds stand in the table.")
            .arg(shown_.size())
            .arg(reached)
            .arg(missed));
}

}  // namespace strata
