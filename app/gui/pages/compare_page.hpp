// Runs side by side: those that were pinned, the first of them the baseline, and the answer to where the dials stand
// now. What changed most comes first, by metric, by op, and by component and kind of time.
#pragma once

#include <QWidget>

#include "app/gui/models/comparison.hpp"
#include "app/gui/models/live_engine.hpp"
#include "app/gui/widgets/when_seen.hpp"

class QListWidget;
class QLabel;
class QPushButton;

namespace strata {

class DifferenceBar;
class HeatGrid;
class RecordView;

class ComparePage : public QWidget {
    Q_OBJECT
public:
    explicit ComparePage(QWidget* parent = nullptr);
    void show_answer(const SharedAnswer& answer);
    void pin();  // the current answer stays; the first that was pinned is the baseline
    void forget();
    std::vector<NamedAnswer> runs() const;  // pinned ones, then the current one
    void look_at(std::size_t run);
    RecordView& metrics() { return *metrics_; }
    RecordView& ops() { return *ops_; }
    HeatGrid& heat() { return *heat_; }

signals:
    void pin_wanted();  // by the page's own button

private:
    void fill_list();
    void enable_buttons();
    void draw();
    void make_baseline();
    void remove();

    std::vector<NamedAnswer> pinned_;
    NamedAnswer current_{};
    std::size_t looked_at_ = 0;
    bool follows_current_ = true;
    QListWidget* list_;
    QLabel* said_;
    QPushButton *pin_, *baseline_, *remove_;
    HeatGrid* heat_;
    RecordView *metrics_, *ops_;
    DifferenceBar* bars_[4];  // absolute and relative, of metrics and of ops
    WhenSeen* seen_;
};

}  // namespace strata
