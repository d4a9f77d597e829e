// Loss and throughput over rho of the point that is answered, drawn as the report draws them.
#pragma once

#include <QWidget>

#include "app/gui/models/live_engine.hpp"
#include "sim/quality/allocation_law.hpp"

class QLabel;

namespace strata {

class ChartView;

class AllocationPage : public QWidget {
    Q_OBJECT
public:
    explicit AllocationPage(const std::string& root, QWidget* parent = nullptr);
    void show_study(const Study& study, const std::string& model, double rho, const std::vector<Assertion>& assertions);

private:
    AllocationLaw law_;
    QLabel* said_;
    ChartView *loss_, *speed_;
};

}  // namespace strata
