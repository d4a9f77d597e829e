// Loss and throughput over rho of the point that is answered, drawn as the report draws them.
#pragma once

#include <QWidget>

#include "app/gui/models/live_engine.hpp"
#include "sim/quality/allocation_law.hpp"

class QLabel;

namespace strata {

class ChartView;
class ScenarioFile;

class AllocationPage : public QWidget {
    Q_OBJECT
public:
    explicit AllocationPage(const std::string& root, QWidget* parent = nullptr);
    // By this scenario's law from now on: the published one, or that of its own points.
    void follow(const ScenarioFile& file);
    void show_study(const Study& study, const std::string& model, double rho, const std::vector<Assertion>& assertions);

private:
    std::string root_;
    AllocationLaw law_;
    QString refused_{};  // why the scenario's own points are no law
    QLabel* said_;
    ChartView *loss_, *speed_;
};

}  // namespace strata
