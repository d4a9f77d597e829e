// Loads of ranks by layer, in linear order and as placed, and the experts of one layer to move by hand. A move is a
// swap of the scenario (placement.experts.swaps), laid over it like a dial, so that the step's answer follows.
#pragma once

#include "app/gui/models/expert_map.hpp"
#include "app/gui/pages/detail_page.hpp"

class QLabel;
class QSplitter;
class QPushButton;

namespace strata {

class HeatGrid;
class RankShelves;

class ExpertsPage : public DetailPage {
    Q_OBJECT
public:
    explicit ExpertsPage(QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_map(const ExpertMap& map);
    void show_answer(const SharedAnswer& answer);   // the step's time, before and after the moves
    void set_given(std::vector<ExpertSwap> given);  // those that the scenario has
    // What is moved beyond that, as fields of a scenario; empty: nothing.
    std::vector<std::pair<std::string, std::string>> settings() const;
    void forget_moves();
    void forget_step() { step_without_.reset(); }  // another point: its step without the moves is not known
    HeatGrid& before() { return *before_; }
    HeatGrid& after() { return *after_; }
    RankShelves& shelves() { return *shelves_; }
    QString step_text() const;

signals:
    void moved();  // settings() are others

private:
    void show_layer(int row);
    void move(int expert, int from, int to);

    ExpertMap map_;
    int row_ = 0;
    std::vector<ExpertSwap> given_, moves_;
    std::optional<double> step_without_;
    QString label_;
    QLabel *said_, *reason_;
    QSplitter* parts_;  // what is shown where there is no reason not to
    QLabel *step_, *layer_;
    QPushButton *undo_, *reset_;
    HeatGrid *before_, *after_;
    RankShelves* shelves_;
};

}  // namespace strata
