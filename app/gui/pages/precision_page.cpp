#include "app/gui/pages/precision_page.hpp"

#include <qcustomplot.h>

#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>
#include <map>

#include "app/gui/qt_text.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

Cell number(const std::optional<double>& value) {
    return value ? Cell{text(plain(*value)), *value} : Cell{"not known"};
}

Records records_of(const PrecisionOptions& options) {
    Records records{{"tensors", "format", "now", "rounding error [%]", "loss of the model [%]", "band [%]",
                     text(options.time_label), "HBM of a GPU [GB]", "why not"}};
    for (const PrecisionOption& option : options.options) {
        const QString band = option.loss_low && option.loss_high
                                 ? text(plain(*option.loss_low) + " to " + plain(*option.loss_high))
                                 : QString("not known");
        records.rows.push_back({{text(option.tensors)},
                                {text(option.format)},
                                {option.chosen ? "yes" : ""},
                                number(option.error),
                                number(option.loss),
                                {band},
                                option.time_ms ? number(option.time_ms) : Cell{"-"},
                                option.time_ms ? number(option.hbm_gb) : Cell{"-"},
                                {text(option.reason)}});
    }
    return records;
}

constexpr std::array kShapes{QCPScatterStyle::ssDisc,    QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle,
                             QCPScatterStyle::ssDiamond, QCPScatterStyle::ssStar,   QCPScatterStyle::ssCross};

}  // namespace

PrecisionPage::PrecisionPage(QWidget* parent)
    : DetailPage(parent), said_(caption("")), plot_(new QCustomPlot), table_(new RecordView("Filter formats")) {
    plot_->setAccessibleName("Error against speed by class of tensors");
    plot_->setMinimumHeight(240);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(plot_);
    splitter->addWidget(table_);
    splitter->setSizes({440, 260});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addWidget(splitter, 1);
}

void PrecisionPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) draw();
}

void PrecisionPage::look(const AnswerRequest& request, LiveEngine& engine) {
    engine.look(
        this, [request](Answerer& answerer) { return precision_options(answerer, request); },
        [this](const Looked<PrecisionOptions>& looked) {
            show_options(looked.value.value_or(PrecisionOptions{}));
            if (!looked.value) said_->setText(looked.reason);
            emit shown();
        });
}

void PrecisionPage::show_options(PrecisionOptions options) {
    options_ = std::move(options);
    table_->set(records_of(options_));
    said_->setText(
        "One class of tensors at a time, the others as they are; a ring is what the scenario has. The error "
        "is what rounding to the format adds, measured on the worst of three kinds of data (docs/quality.md).");
    draw();
}

// The name of a format stands beside the first mark at its error; marks of one format are above each other.
void PrecisionPage::draw() {
    plot_->clearPlottables();
    plot_->clearItems();
    std::map<std::string, QCPGraph*> clouds;
    QCPGraph* chosen = plot_->addGraph();
    std::map<std::string, std::pair<double, double>> formats;  // error, highest time
    for (const PrecisionOption& option : options_.options) {
        if (!option.error || !option.time_ms) continue;
        QCPGraph*& cloud = clouds[option.tensors];
        if (!cloud) {
            const int index = static_cast<int>(clouds.size()) - 1;
            cloud = plot_->addGraph();
            cloud->setLineStyle(QCPGraph::lsNone);
            cloud->setScatterStyle({kShapes[static_cast<std::size_t>(index) % kShapes.size()], series_colour(index),
                                    series_colour(index), 9});
            cloud->setName(text(option.tensors));
        }
        cloud->addData(*option.error, *option.time_ms);
        if (option.chosen) chosen->addData(*option.error, *option.time_ms);
        auto& [error, highest] = formats[option.format];
        error = *option.error;
        highest = std::max(highest, *option.time_ms);
    }
    chosen->setLineStyle(QCPGraph::lsNone);
    chosen->setScatterStyle(
        {QCPScatterStyle::ssCircle, QPen(palette().color(QPalette::WindowText), 1.6), Qt::NoBrush, 16});
    chosen->setName("as it is");
    plot_->xAxis->setLabel("rounding error, root mean square [% of the signal]");
    plot_->yAxis->setLabel(text(options_.time_label));
    plot_->rescaleAxes();
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) axis->scaleRange(1.15, axis->range().center());
    plot_->yAxis->setRangeUpper(plot_->yAxis->range().upper + 0.1 * plot_->yAxis->range().size());  // for names above
    double last_error = -1e9;
    bool raised = false;
    std::vector<std::pair<double, std::pair<double, std::string>>> in_order;
    for (const auto& [format, place] : formats) in_order.push_back({place.first, {place.second, format}});
    std::ranges::sort(in_order);
    for (const auto& [error, rest] : in_order) {
        raised = error - last_error < plot_->xAxis->range().size() / 14 && !raised;
        last_error = error;
        auto* label = new QCPItemText(plot_);
        label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
        label->position->setCoords(error, rest.first + plot_->yAxis->range().size() * (raised ? 0.075 : 0.03));
        label->setText(text(rest.second));
    }
    legend_above(*plot_);
    follow_palette(*plot_, palette());
    plot_->replot();
}

}  // namespace strata
