#include "app/gui/pages/validation_page.hpp"

#include <qcustomplot.h>

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>
#include <memory>

#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"

namespace strata {

ValidationPage::ValidationPage(const StudyOptions& options, QWidget* parent)
    : QWidget(parent),
      options_(options),
      pattern_(new QLineEdit("*")),
      run_(new QPushButton("Run the &ledger")),
      said_(new QLabel("Every published result that a scenario predicts, each with its tolerance; all of them take "
                       "about a minute.")),
      plot_(new QCustomPlot),
      table_(new RecordView("Filter results")) {
    pattern_->setMaximumWidth(220);
    pattern_->setToolTip("Rows whose id matches this shell pattern, as strata validate --only");
    pattern_->setAccessibleName("Which rows");
    said_->setForegroundRole(QPalette::PlaceholderText);
    plot_->setAccessibleName("Predicted against published");
    plot_->setMinimumHeight(220);
    auto* line = new QHBoxLayout;
    line->addWidget(run_);
    line->addWidget(pattern_);
    line->addWidget(said_, 1);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(plot_);
    splitter->addWidget(table_);
    splitter->setStretchFactor(0, 1);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({420, 360});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    connect(run_, &QPushButton::clicked, this, &ValidationPage::run);
    connect(pattern_, &QLineEdit::returnPressed, this, &ValidationPage::run);
    draw();
}

void ValidationPage::set_pattern(const QString& pattern) { pattern_->setText(pattern); }

void ValidationPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) draw();
}

void ValidationPage::run() {
    if (job_.is_running()) return;
    run_->setEnabled(false);
    said_->setText("Predicting...");
    const auto rows = std::make_shared<std::vector<LedgerRow>>();
    auto* this_run = new QObject(this);  // what is connected for this run goes with it
    connect(&job_, &BackgroundJob::ended, this_run, [this, rows, this_run](bool, const QString& error) {
        this_run->deleteLater();
        run_->setEnabled(true);
        if (!error.isEmpty()) return said_->setText(error);
        show_ledger(*rows);
    });
    job_.start(
        [options = options_, only = pattern_->text().toStdString(), rows](const BackgroundJob::Progress& progress) {
            StudyOptions with = options;
            with.progress = progress;
            *rows = validate(options.root + "/scenarios/validation", only, with);
        });
}

void ValidationPage::show_ledger(const std::vector<LedgerRow>& ledger) {
    ledger_ = ledger;
    table_->set(records_of(ledger));
    const auto within = std::count_if(ledger.begin(), ledger.end(), [](const LedgerRow& row) { return row.pass; });
    said_->setText(QString("%1 of %2 results within their tolerance; what misses stays, with what is known of why.")
                       .arg(within)
                       .arg(ledger.size()));
    draw();
}

void ValidationPage::draw() {
    plot_->clearGraphs();
    double low = 1e300, high = 0;
    const auto cloud = [&](const QString& name, const QColor& colour, QCPScatterStyle::ScatterShape shape) {
        QCPGraph* graph = plot_->addGraph();
        graph->setName(name);
        graph->setLineStyle(QCPGraph::lsNone);
        graph->setScatterStyle({shape, QPen(colour, 1.5), QBrush(Qt::transparent), 8});
        return graph;
    };
    QCPGraph* line = plot_->addGraph();
    line->setName("predicted as published");
    line->setPen(QPen(muted(palette()), 1.2, Qt::DashLine));
    QCPGraph* holds = cloud("within its tolerance", good(palette()), QCPScatterStyle::ssCircle);
    QCPGraph* misses = cloud("misses", bad(palette()), QCPScatterStyle::ssCross);
    for (const LedgerRow& row : ledger_) {
        if (!row.published || *row.published <= 0 || row.predicted <= 0) continue;
        (row.pass ? holds : misses)->addData(*row.published, row.predicted);
        low = std::min({low, *row.published, row.predicted});
        high = std::max({high, *row.published, row.predicted});
    }
    if (high <= 0) low = 1, high = 10;
    line->addData(low / 2, low / 2);
    line->addData(high * 2, high * 2);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        make_log(*axis);
        axis->setRange(low / 2, high * 2);
    }
    plot_->xAxis->setLabel("published, each in its unit");
    plot_->yAxis->setLabel("predicted");
    legend_above(*plot_);
    show_reason(*plot_, ledger_.empty() ? "Run the ledger: predicted against published appears here." : "");
    follow_palette(*plot_, palette());
    plot_->replot();
}

}  // namespace strata
