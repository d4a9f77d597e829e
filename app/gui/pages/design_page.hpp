// The points of a study as a cloud over any two metrics, with those that no other beats, and as a table. What is
// brushed in one is selected in the other.
#pragma once

#include <QWidget>

#include "app/gui/models/live_engine.hpp"

class QComboBox;
class QCPGraph;
class QCustomPlot;
class QLabel;

namespace strata {

class RecordView;

class DesignPage : public QWidget {
    Q_OBJECT
public:
    explicit DesignPage(QWidget* parent = nullptr);
    void show_study(const SharedStudy& study);
    RecordView& table() { return *table_; }
    std::vector<std::size_t> front() const { return front_; }  // results, by index

protected:
    void changeEvent(QEvent* event) override;

private:
    void draw();
    void mark_selected();
    void brush(const QRect& area);

    SharedStudy study_;
    QComboBox *x_, *y_;
    QLabel* said_;
    QCustomPlot* plot_;
    QCPGraph* selected_ = nullptr;
    RecordView* table_;
    std::vector<std::size_t> front_;
};

}  // namespace strata
