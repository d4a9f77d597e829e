#include "app/gui/pages/allocation_page.hpp"

#include <QGridLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "app/gui/qt_text.hpp"
#include "app/gui/widgets/chart_view.hpp"

namespace strata {

AllocationPage::AllocationPage(QWidget* parent)
    : DetailPage(parent), said_(new QLabel), loss_(new ChartView), speed_(new ChartView), cost_(new ChartView) {
    said_->setWordWrap(true);
    said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* charts = new QGridLayout;
    charts->setSpacing(12);
    charts->addWidget(loss_, 0, 0, 2, 1);
    charts->addWidget(speed_, 0, 1);
    charts->addWidget(cost_, 1, 1);
    for (const int column : {0, 1}) charts->setColumnStretch(column, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->setSpacing(12);
    layout->addLayout(charts, 1);
    layout->addWidget(said_);
    say_why_none("Open a scenario whose model has Engram tables.");
}

void AllocationPage::look(const AnswerRequest& request, LiveEngine& engine) {
    engine.look(
        this, [request](Answerer& answerer) { return allocation_curves(answerer, request); },
        [this](const Looked<AllocationCurves>& looked) {
            if (looked.value)
                show_curves(*looked.value);
            else
                say_why_none(looked.reason);
            emit shown();
        });
}

void AllocationPage::show_curves(const AllocationCurves& curves) {
    for (const auto& [view, chart] : {std::pair(loss_, &curves.loss), {speed_, &curves.speed}, {cost_, &curves.cost}})
        if (*chart)
            view->set(**chart);
        else
            view->clear("Nothing is known of it for this model.");
    said_->setText(text(curves.said).toHtmlEscaped().replace('\n', "<br>"));
}

void AllocationPage::say_why_none(const QString& reason) {
    for (ChartView* view : {loss_, speed_, cost_}) view->clear(reason);
    said_->clear();
}

}  // namespace strata
