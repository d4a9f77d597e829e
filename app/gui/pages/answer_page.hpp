// The answer to the point that the scenario and the dials describe: headline numbers against a pinned baseline, where
// the time goes, what fills which memory, and whether the assertions hold.
#pragma once

#include <QWidget>
#include <optional>

#include "app/gui/models/live_engine.hpp"
#include "app/gui/widgets/dial_panel.hpp"

class QLabel;
class QHBoxLayout;
class QPushButton;

namespace strata {

class BarRows;
class MetricCard;

class AnswerPage : public QWidget {
    Q_OBJECT
public:
    explicit AnswerPage(QWidget* parent = nullptr);

    void set_title(const QString& name, const QString& question);
    void show_answer(const SharedAnswer& answer);   // of the analytic engine: all of it
    void show_refined(const SharedAnswer& answer);  // numbers of the systemc engine replace it; null: it has none
    void say_refining();
    void pin();  // what is shown becomes the baseline
    void forget_baseline() { baseline_.reset(); }
    DialPanel& dials() { return *dials_; }
    const std::vector<MetricCard*>& cards() const { return cards_; }
    QString engine_text() const;

signals:
    void put_into_scenario();
    void pin_wanted();  // by the page's own button

private:
    void say_why_none(const QString& reason);  // empty: there is an answer
    void show_run(const Run& run);
    void show_verdicts(const std::vector<Verdict>& verdicts);
    void show_memory();

    QLabel *title_, *question_, *engine_, *reason_, *verdicts_;
    QWidget* results_;
    QHBoxLayout* cards_row_;
    std::vector<MetricCard*> cards_;
    DialPanel* dials_;
    QPushButton *pin_, *put_, *reset_;
    BarRows *time_, *memory_;
    SharedAnswer answer_, shown_;  // the analytic one; the one whose numbers are shown
    std::optional<Run> baseline_;
};

}  // namespace strata
