// Loss, throughput and cost over rho of the point that is answered, drawn as the report draws them.
#pragma once

#include "app/gui/models/allocation_curves.hpp"
#include "app/gui/pages/detail_page.hpp"

class QLabel;

namespace strata {

class ChartView;

class AllocationPage : public DetailPage {
    Q_OBJECT
public:
    explicit AllocationPage(QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_curves(const AllocationCurves& curves);

private:
    void say_why_none(const QString& reason);

    QLabel* said_;
    ChartView *loss_, *speed_, *cost_;
};

}  // namespace strata
