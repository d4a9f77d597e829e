#include "app/gui/pages/design_page.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>
#include <map>
#include <set>

#include "app/gui/models/metrics.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"

namespace strata {

namespace {

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
      said_(new QLabel("Run the study (F5): every point of its axes appears here.")),
      plot_(new QCustomPlot),
      table_(new RecordView("Filter points")) {
    plot_->setMinimumHeight(220);
    plot_->setSelectionRectMode(QCP::srmCustom);
    plot_->setAccessibleName("Points of the study");
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
    splitter->addWidget(plot_);
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
    draw();
}

void DesignPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) draw();
}

void DesignPage::show_study(const SharedStudy& study) {
    study_ = study;
    table_->set(records_of(*study));
    std::set<std::string> metrics;
    for (const PointResult& result : study->results)
        if (result.run)
            for (const auto& [name, value] : result.run->metrics) metrics.insert(name);
    const PointResult* any = nullptr;
    for (const PointResult& result : study->results)
        if (result.run) any = &result;
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
    draw();
}

void DesignPage::draw() {
    plot_->clearGraphs();
    plot_->clearItems();
    selected_ = nullptr;
    front_.clear();
    if (study_ && x_->currentIndex() >= 0 && y_->currentIndex() >= 0) {
        const std::string x = x_->currentData().toString().toStdString(),
                          y = y_->currentData().toString().toStdString();
        std::map<std::string, QCPGraph*> clouds;
        std::vector<Candidate> candidates;
        std::size_t failed = 0;
        for (std::size_t i = 0; i < study_->results.size(); ++i) {
            const PointResult& result = study_->results[i];
            const auto across = metric_of(result, x), up = metric_of(result, y);
            failed += !result.run;
            if (!across || !up) continue;
            QCPGraph*& graph = clouds[result.engine];
            if (!graph)
                graph = cloud(*plot_, QString::fromStdString(result.engine), series_colour(int(clouds.size()) - 1), 7,
                              clouds.size() == 1 ? QCPScatterStyle::ssDisc : QCPScatterStyle::ssSquare);
            graph->addData(*across, *up);
            candidates.push_back({*across, *up, i});
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
        said_->setText(QString("%1 points%2, %3 on the front. Drag over the chart to select in the table.")
                           .arg(study_->results.size())
                           .arg(failed ? QString(", %1 without a result (see status)").arg(failed) : "")
                           .arg(front_.size()));
        legend_above(*plot_);
    }
    follow_palette(*plot_, palette());
    mark_selected();
}

void DesignPage::mark_selected() {
    if (selected_) {
        QVector<double> across, up;
        for (const std::size_t i : table_->selected()) {
            const auto x = metric_of(study_->results[i], x_->currentData().toString().toStdString());
            const auto y = metric_of(study_->results[i], y_->currentData().toString().toStdString());
            if (x && y) across << *x, up << *y;
        }
        selected_->setData(across, up);
    }
    plot_->replot();
}

void DesignPage::brush(const QRect& area) {
    if (!study_) return;
    std::vector<std::size_t> inside;
    for (std::size_t i = 0; i < study_->results.size(); ++i) {
        const auto x = metric_of(study_->results[i], x_->currentData().toString().toStdString());
        const auto y = metric_of(study_->results[i], y_->currentData().toString().toStdString());
        if (x && y &&
            area.normalized().contains(int(plot_->xAxis->coordToPixel(*x)), int(plot_->yAxis->coordToPixel(*y))))
            inside.push_back(i);
    }
    table_->select(inside);
}

}  // namespace strata
