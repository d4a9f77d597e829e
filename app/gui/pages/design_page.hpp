// The points of a study as a cloud over any two metrics, with those that no other beats, and as a table. What is
// brushed in one is selected in the other.
#pragma once

#include <QWidget>
#include <optional>

#include "app/gui/models/live_engine.hpp"

class QComboBox;
class QCPGraph;
class QCustomPlot;
class QLabel;
class QTabWidget;

namespace strata {

class ParallelAxes;
class RecordView;
struct KnownStudy;

class DesignPage : public QWidget {
    Q_OBJECT
public:
    explicit DesignPage(QWidget* parent = nullptr);
    // All of it or as much as is known; `state` says how it stands: "running", "paused", "".
    void show_study(const std::shared_ptr<const KnownStudy>& known, const QString& state = {});
    RecordView& table() { return *table_; }
    ParallelAxes& parallel() { return *parallel_; }
    QTabWidget& views() { return *views_; }
    std::vector<std::size_t> front() const { return front_; }  // results, by index

protected:
    void changeEvent(QEvent* event) override;

private:
    void fill_axes();
    void draw();
    void draw_parallel();
    void say(std::size_t without);
    std::optional<double> at(const QComboBox& axis, std::size_t result) const;
    void mark_selected();
    void brush(const QRect& area);

    SharedStudy study_;
    std::size_t waiting_ = 0;  // points that are not run yet
    QString state_;
    QComboBox *x_, *y_;
    QLabel* said_;
    QCustomPlot* plot_;
    ParallelAxes* parallel_;
    QTabWidget* views_;
    QCPGraph* selected_ = nullptr;
    RecordView* table_;
    std::vector<std::size_t> front_;
};

}  // namespace strata
