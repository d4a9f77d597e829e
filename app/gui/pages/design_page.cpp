#include "app/gui/pages/design_page.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QLabel>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/gui/models/known_study.hpp"
#include "app/gui/models/metrics.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/parallel_axes.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMany = 5000;

std::optional<double> metric_of(const PointResult& result, const std::string& name) {
    if (!result.run) return std::nullopt;
    const auto found = result.run->metrics.find(name);
    return found == result.run->metrics.end() ? std::nullopt : std::optional(found->second);
}

QCPGraph* cloud(QCustomPlot& plot, const QString& name, const QColor& colour, double size,
                QCPScatterStyle::ScatterShape shape) {
    QCPGraph* graph = plot.addGraph();
    graph->setName(name);
    graph->setLineStyle(QCPGraph::lsNone);
    graph->setScatterStyle(
        {shape, QPen(colour, 1.4), QBrush(shape == QCPScatterStyle::ssDisc ? colour : QColor(Qt::transparent)), size});
    return graph;
}

}  // namespace

DesignPage::DesignPage(QWidget* parent)
    : QWidget(parent),
      x_(new QComboBox),
      y_(new QComboBox),
      said_(new QLabel),
      plot_(new QCustomPlot),
      parallel_(new ParallelAxes),
      views_(new QTabWidget),
      table_(new RecordView("Filter points")) {
    plot_->setMinimumHeight(220);
    plot_->setSelectionRectMode(QCP::srmCustom);
    plot_->setAccessibleName("Points of the study");
    plot_->setObjectName("points");
    said_->setForegroundRole(QPalette::PlaceholderText);
    auto* line = new QHBoxLayout;
    for (const auto& [label, box] : {std::pair("&Across", x_), {"&Up", y_}}) {
        auto* name = new QLabel(label);
        name->setBuddy(box);
        box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
        line->addWidget(name);
        line->addWidget(box);
    }
    line->addSpacing(12);
    line->addWidget(said_, 1);
    auto* splitter = new QSplitter(Qt::Vertical);
    views_->setAccessibleName("Points as a cloud or as lines");
    views_->setDocumentMode(true);
    views_->addTab(plot_, "Two metrics");
    views_->addTab(parallel_, "All axes");
    splitter->addWidget(views_);
    splitter->addWidget(table_);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    splitter->setSizes({460, 320});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    for (QComboBox* box : {x_, y_}) connect(box, &QComboBox::activated, this, &DesignPage::draw);
    connect(table_, &RecordView::selection_changed, this, &DesignPage::mark_selected);
    connect(plot_->selectionRect(), &QCPSelectionRect::accepted, this,
            [this](const QRect& area, QMouseEvent*) { brush(area); });
    connect(views_, &QTabWidget::currentChanged, this, &DesignPage::draw_parallel);
    connect(parallel_, &ParallelAxes::brushed, this,
            [this](const std::vector<std::size_t>& points) { table_->select(points); });
    draw();
}

void DesignPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) draw();
}

void DesignPage::show_study(const std::shared_ptr<const KnownStudy>& known, const QString& state) {
    study_ = known->study;
    waiting_ = known->waiting.size();
    state_ = state;
    table_->set(known->records);
    fill_axes();
    draw();
}

// What was chosen stays chosen; else the two numbers that say most.
void DesignPage::fill_axes() {
    std::set<std::string> metrics;
    const PointResult* any = nullptr;
    for (const PointResult& result : study_->results) {
        if (!result.run) continue;
        if (!any || result.run->metrics.size() != any->run->metrics.size())
            for (const auto& [name, value] : result.run->metrics) metrics.insert(name);
        any = &result;
    }
    for (QComboBox* box : {x_, y_}) {
        const QString before = box->currentData().toString();
        box->clear();
        for (const std::string& name : metrics)
            box->addItem(QString::fromStdString(label_of_metric(name)), QString::fromStdString(name));
        if (const int at = box->findData(before); at >= 0 && !before.isEmpty()) {
            box->setCurrentIndex(at);
        } else if (any) {
            const std::vector<Headline> headlines = headlines_of(*any->run);
            const std::size_t wanted = box == x_ ? 0 : 1;
            if (wanted < headlines.size())
                box->setCurrentIndex(box->findData(QString::fromStdString(headlines[wanted].metric)));
        }
    }
}

std::optional<double> DesignPage::at(const QComboBox& axis, std::size_t result) const {
    if (!study_ || result >= study_->results.size()) return std::nullopt;  // it waits
    return metric_of(study_->results[result], axis.currentData().toString().toStdString());
}

void DesignPage::draw() {
    plot_->clearGraphs();
    plot_->clearItems();
    selected_ = nullptr;
    front_.clear();
    if (study_ && x_->currentIndex() >= 0 && y_->currentIndex() >= 0) {
        const std::string x = x_->currentData().toString().toStdString(),
                          y = y_->currentData().toString().toStdString();
        std::map<std::string, std::pair<QVector<double>, QVector<double>>> clouds;
        std::vector<Candidate> candidates;
        std::size_t without = 0;
        for (std::size_t i = 0; i < study_->results.size(); ++i) {
            const PointResult& result = study_->results[i];
            const auto across = metric_of(result, x), up = metric_of(result, y);
            without += !result.run;
            if (!across || !up) continue;
            auto& [xs, ys] = clouds[result.engine];
            xs << *across;
            ys << *up;
            candidates.push_back({*across, *up, i});
        }
        // Of many points dots say more than discs, and are drawn ten times faster.
        const double size = candidates.size() > kMany ? 2 : 7;
        int count = 0;
        for (const auto& [engine, points] : clouds) {
            QCPGraph* graph = cloud(*plot_, QString::fromStdString(engine), series_colour(count), size,
                                    candidates.size() > kMany ? QCPScatterStyle::ssDot
                                    : count == 0              ? QCPScatterStyle::ssDisc
                                                              : QCPScatterStyle::ssSquare);
            graph->setData(points.first, points.second);
            ++count;
        }
        QCPGraph* front = plot_->addGraph();
        front->setName("no other point beats these");
        front->setPen(QPen(muted(palette()), 1.4, Qt::DashLine));
        for (const Candidate& candidate : pareto_front(candidates, lower_is_better(x), lower_is_better(y))) {
            front->addData(candidate.x, candidate.y);
            front_.push_back(candidate.index);
        }
        selected_ = cloud(*plot_, "selected", palette().color(QPalette::WindowText), 13, QCPScatterStyle::ssCircle);
        plot_->xAxis->setLabel(x_->currentText());
        plot_->yAxis->setLabel(y_->currentText());
        plot_->rescaleAxes();
        for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) axis->scaleRange(1.15, axis->range().center());
        say(without);
        legend_above(*plot_);
    } else if (study_) {
        say(study_->results.size());
    }
    show_reason(*plot_, !study_ ? "Run the study (F5): every point of the scenario's axes appears here."
                        : x_->currentIndex() < 0 ? "No point has a result yet; the table says why."
                                                 : "");
    follow_palette(*plot_, palette());
    draw_parallel();
    mark_selected();
}

// Every dial that the study turns, then what was chosen for up and across.
void DesignPage::draw_parallel() {
    if (!study_ || views_->currentWidget() != parallel_) return;
    std::vector<std::string> paths;
    for (const PointResult& result : study_->results)
        for (const auto& [path, value] : result.settings)
            if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    std::vector<ParallelAxis> axes;
    for (const std::string& path : paths) {
        ParallelAxis axis{.name = QString::fromStdString(short_name(path))};
        if (const auto unit = study_->units.find(path); unit != study_->units.end())
            axis.name += QString(" [%1]").arg(QString::fromStdString(unit->second));
        for (const PointResult& result : study_->results) {
            if (const auto number = number_setting(result, path); number && axis.words.isEmpty()) {
                axis.values.push_back(*number);
                continue;
            }
            const QString word = QString::fromStdString(setting(result, path).value_or("-"));
            if (!axis.words.contains(word)) axis.words << word;
            axis.values.push_back(double(axis.words.indexOf(word)));
        }
        axes.push_back(std::move(axis));
    }
    for (const QComboBox* box : {y_, x_}) {
        if (box->currentIndex() < 0) continue;
        ParallelAxis axis{.name = box->currentText()};
        for (std::size_t i = 0; i < study_->results.size(); ++i)
            axis.values.push_back(at(*box, i).value_or(std::nan("")));
        axes.push_back(std::move(axis));
    }
    parallel_->set(std::move(axes));
    parallel_->select(table_->selected());
}

void DesignPage::say(std::size_t without) {
    said_->setText(QString("%1%2 points%3%4, %5 on the front. Drag over the chart to select in the table.")
                       .arg(state_.isEmpty() ? "" : state_ + ": ")
                       .arg(study_->results.size())
                       .arg(waiting_ ? QString(", %1 wait").arg(waiting_) : "")
                       .arg(without ? QString(", %1 without a result (see status)").arg(without) : "")
                       .arg(front_.size()));
}

void DesignPage::mark_selected() {
    if (selected_) {
        QVector<double> across, up;
        for (const std::size_t i : table_->selected()) {
            const auto x = at(*x_, i), y = at(*y_, i);
            if (x && y) across << *x, up << *y;
        }
        selected_->setData(across, up);
    }
    parallel_->select(table_->selected());
    plot_->replot();
}

void DesignPage::brush(const QRect& area) {
    if (!study_) return;
    std::vector<std::size_t> inside;
    for (std::size_t i = 0; i < study_->results.size(); ++i) {
        const auto x = at(*x_, i), y = at(*y_, i);
        if (x && y &&
            area.normalized().contains(int(plot_->xAxis->coordToPixel(*x)), int(plot_->yAxis->coordToPixel(*y))))
            inside.push_back(i);
    }
    table_->select(inside);
}

}  // namespace strata
