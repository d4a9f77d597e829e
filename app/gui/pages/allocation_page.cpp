#include "app/gui/pages/allocation_page.hpp"

#include <fmt/format.h>

#include <QLabel>
#include <QVBoxLayout>
#include <limits>

#include "app/gui/qt_text.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "hwmodels/input_error.hpp"
#include "reports/recommendation.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"
#include "sim/study/allocation_of.hpp"

namespace strata {

namespace {

// The law's optimum as a band over the whole height of what is drawn, and where the dial stands.
void mark(Chart& chart, const AllocationLaw& law, double rho, double here) {
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points) {
            low = std::min(low, point.y);
            high = std::max(high, series.style == SeriesStyle::band ? point.y_to : point.y);
        }
    if (high <= low) {  // a flat line still needs a band that can be seen
        low *= 0.99;
        high *= 1.01;
    }
    chart.series.insert(chart.series.begin(), Series{law.is_published() ? "published optimum" : "optimum of own points",
                                                     SeriesStyle::band,
                                                     false,
                                                     2,
                                                     {{law.optimum_from(), low, high}, {law.optimum_to(), low, high}}});
    chart.annotations.push_back({fmt::format("rho {:.3g}", rho), rho, here});
}

}  // namespace

AllocationPage::AllocationPage(const std::string& root, QWidget* parent)
    : QWidget(parent),
      root_(root),
      law_(root + "/sim/quality/allocation_anchors.yaml"),
      said_(new QLabel),
      loss_(new ChartView),
      speed_(new ChartView) {
    said_->setWordWrap(true);
    said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* charts = new QHBoxLayout;
    charts->setSpacing(12);
    charts->addWidget(loss_, 1);
    charts->addWidget(speed_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->setSpacing(12);
    layout->addLayout(charts, 1);
    layout->addWidget(said_);
    for (ChartView* view : {loss_, speed_}) view->clear("Open a scenario whose model has Engram tables.");
}

void AllocationPage::follow(const ScenarioFile& file) {
    refused_.clear();
    try {
        law_ = allocation_law_of(file, root_);
    } catch (const InputError& error) {
        refused_ = error.what();
    }
}

void AllocationPage::show_study(const Study& study, const std::string& model, double rho,
                                const std::vector<Assertion>& assertions) {
    said_->clear();
    if (!refused_.isEmpty()) {
        for (ChartView* view : {loss_, speed_}) view->clear(refused_);
        return;
    }
    if (study.results.empty() || engines_that_ran(study).empty()) {
        for (ChartView* view : {loss_, speed_})
            view->clear(study.results.empty() ? "This scenario has no dial rho: its model has no Engram tables, or its "
                                                "workload is no single step."
                                              : text(study.results.front().reason));
        return;
    }
    const Recommendation chosen = recommend(study, assertions, law_, model);
    const auto loss = allocation_section(study, law_, model, chosen);
    const auto speed = speed_section(study, chosen);
    QString said;
    if (loss) {
        Chart chart = loss->charts.front();
        const auto here = law_.loss(rho, model);
        if (here) mark(chart, law_, rho, here->loss);
        loss_->set(chart);
        for (const std::string& line : loss->footnotes) said += "<br>" + text(line).toHtmlEscaped();
    }
    if (speed) {
        Chart chart = speed->charts.front();
        const PointResult* nearest = nullptr;
        for (const PointResult& result : study.results)
            if (ran(result) && (!nearest || std::abs(*number_setting(result, kRhoPath) - rho) <
                                                std::abs(*number_setting(*nearest, kRhoPath) - rho)))
                nearest = &result;
        const double at = *number_setting(*nearest, kRhoPath);
        mark(chart, law_, at, tokens_per_s(*nearest->run));
        speed_->set(chart);
    }
    said_->setText(text(recommended_text(chosen, study, law_, model)).toHtmlEscaped().replace('\n', "<br>") + said);
}

}  // namespace strata
