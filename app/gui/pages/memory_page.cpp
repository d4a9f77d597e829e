#include "app/gui/pages/memory_page.hpp"

#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>

#include "app/gui/models/memory_use.hpp"
#include "app/gui/models/traced_step_of.hpp"
#include "app/gui/widgets/bar_rows.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

Records records_of(const std::vector<MemoryTier>& tiers) {
    Records records{{"tier", "class", "used [GB]", "of the tier [%]", "capacity [GB]"}};
    const auto number = [](double value) { return Cell{QString::fromStdString(plain(value)), value}; };
    for (const MemoryTier& tier : tiers)
        for (const auto& [name, gb] : tier.used_gb)
            records.rows.push_back({{QString::fromStdString(tier.name)},
                                    {QString::fromStdString(name)},
                                    number(gb),
                                    tier.capacity_gb ? number(100 * gb / *tier.capacity_gb) : Cell{"not published"},
                                    tier.capacity_gb ? number(*tier.capacity_gb) : Cell{"not published"}});
    return records;
}

}  // namespace

BarRow bar_of(const MemoryTier& tier) {
    BarRow row{QString::fromStdString(tier.name), {}, {}, tier.capacity_gb};
    double used = 0;
    for (const auto& [name, gb] : tier.used_gb) {
        row.pieces.push_back({QString::fromStdString(name), gb, component_colour(name)});
        used += gb;
    }
    row.text = QString("%1 of %2 GB")
                   .arg(QString::fromStdString(plain(used)),
                        tier.capacity_gb ? QString::fromStdString(plain(*tier.capacity_gb)) : "an unknown number of");
    return row;
}

MemoryPage::MemoryPage(const std::string& simulator, QWidget* parent)
    : DetailPage(parent),
      simulator_(simulator),
      said_(caption("")),
      tiers_(new BarRows("GB")),
      table_(new RecordView("Filter classes")),
      rows_(new ChartView),
      use_(new ChartView),
      seen_(new WhenSeen(this, [this] { draw(); })) {
    auto* charts = new QSplitter(Qt::Horizontal);
    charts->addWidget(use_);
    charts->addWidget(rows_);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(table_);
    splitter->addWidget(charts);
    splitter->setSizes({200, 420});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addWidget(heading("Capacity by tier and class"));
    layout->addWidget(tiers_);
    layout->addSpacing(8);
    layout->addWidget(splitter, 1);
}

void MemoryPage::look(const AnswerRequest& request, LiveEngine& engine) {
    struct Seen {
        RowCurves rows;
        StepTimeline step;
    };
    engine.look(
        this,
        [request, simulator = simulator_](Answerer& answerer) {
            return Seen{row_curves(answerer, request), traced_step_of(answerer, request, simulator)};
        },
        [this](const Looked<Seen>& looked) {
            if (looked.value) {
                show_curves(looked.value->rows);
                show_use(looked.value->step);
            } else {
                for (ChartView* view : {rows_, use_}) view->clear(looked.reason);
            }
            emit shown();
        });
}

void MemoryPage::show_use(const StepTimeline& timeline) {
    const Chart chart = memory_use(timeline);
    if (chart.series.empty())
        use_->clear("The systemc engine alone follows each memory. " + QString::fromStdString(timeline.note));
    else
        use_->set(chart);
}

void MemoryPage::show_answer(const SharedAnswer& answer) {
    if (!answer->run) return;
    answer_ = answer;
    seen_->draw();
}

void MemoryPage::draw() {
    std::vector<BarRow> bars;
    for (const MemoryTier& tier : answer_->memory) bars.push_back(bar_of(tier));
    tiers_->set(std::move(bars));
    table_->set(records_of(answer_->memory));
    said_->setText(
        answer_->memory.empty()
            ? "This workload has no step whose memory could be shown."
            : "Of the fullest accelerator and of one node. Classes follow where the scenario places experts, "
              "KV cache and Engram tables.");
}

void MemoryPage::show_curves(const RowCurves& curves) {
    if (curves.curves.empty())
        rows_->clear(
            "No memory of this platform has a DRAM standard in the catalogue: its datasheet's rate is all that "
            "is known.");
    else
        rows_->set(chart_of(curves));
}

}  // namespace strata
