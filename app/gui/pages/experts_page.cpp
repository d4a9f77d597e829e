#include "app/gui/pages/experts_page.hpp"

#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "app/gui/models/metrics.hpp"
#include "app/gui/widgets/heat_grid.hpp"
#include "app/gui/widgets/rank_shelves.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

HeatCells cells_of(const ExpertMap& map, bool after, double reach) {
    HeatCells cells{.unit = "load/mean", .row_title = "layer", .column_title = "rank"};
    cells.title =
        after ? QString("As placed (%1): busiest rank %2 of the mean")
                    .arg(QString::fromStdString(map.order))
                    .arg(map.after_max_over_mean, 0, 'f', 2)
              : QString("In linear order: busiest rank %1 of the mean").arg(map.before_max_over_mean, 0, 'f', 2);
    cells.middle = 1;
    cells.reach = reach;
    cells.floor = 0;
    for (int rank = 0; rank < map.ranks; ++rank) cells.columns << QString::number(rank);
    for (const ExpertLayer& layer : map.layers) {
        cells.rows << QString::number(layer.layer);
        const std::vector<double>& loads = after ? layer.after : layer.before;
        cells.values.insert(cells.values.end(), loads.begin(), loads.end());
    }
    return cells;
}

// Both maps share one scale, so that colours can be compared.
double reach_of(const ExpertMap& map) {
    double reach = 0.01;
    for (const ExpertLayer& layer : map.layers)
        for (const std::vector<double>* loads : {&layer.before, &layer.after})
            for (const double load : *loads) reach = std::max(reach, std::abs(load - 1));
    return reach;
}

}  // namespace

ExpertsPage::ExpertsPage(QWidget* parent)
    : DetailPage(parent),
      said_(caption("")),
      reason_(new QLabel),
      parts_(new QSplitter(Qt::Vertical)),
      step_(new QLabel),
      layer_(heading("")),
      undo_(new QPushButton("&Undo move")),
      reset_(new QPushButton("&Reset moves")),
      before_(new HeatGrid),
      after_(new HeatGrid),
      shelves_(new RankShelves) {
    auto* maps = new QSplitter(Qt::Horizontal);
    maps->addWidget(before_);
    maps->addWidget(after_);
    auto* line = new QHBoxLayout;
    line->addWidget(layer_);
    line->addStretch(1);
    line->addWidget(step_);
    line->addWidget(undo_);
    line->addWidget(reset_);
    auto* lower = new QWidget;
    auto* column = new QVBoxLayout(lower);
    column->setContentsMargins(0, 0, 0, 0);
    column->addLayout(line);
    column->addWidget(shelves_, 1);
    parts_->addWidget(maps);
    parts_->addWidget(lower);
    parts_->setSizes({400, 280});
    before_->setAccessibleName("Load of ranks in linear order");
    after_->setAccessibleName("Load of ranks as placed");
    reason_->setAlignment(Qt::AlignCenter);
    reason_->setWordWrap(true);
    reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    reason_->hide();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addWidget(reason_, 1);
    layout->addWidget(parts_, 1);
    for (HeatGrid* grid : {before_, after_}) {
        connect(grid, &HeatGrid::current_changed, this, [this](int row, int rank) {
            before_->set_current(row, rank);
            after_->set_current(row, rank);
            show_layer(row);
            shelves_->choose(rank, 0);
        });
    }
    connect(shelves_, &RankShelves::moved, this, &ExpertsPage::move);
    connect(undo_, &QPushButton::clicked, this, [this] {
        moves_.pop_back();
        emit moved();
    });
    connect(reset_, &QPushButton::clicked, this, [this] {
        forget_moves();
        emit moved();
    });
    forget_moves();
}

QString ExpertsPage::step_text() const { return step_->text(); }

void ExpertsPage::look(const AnswerRequest& request, LiveEngine& engine) {
    engine.look(
        this, [request](Answerer& answerer) { return expert_map(answerer, request); },
        [this](const Looked<ExpertMap>& looked) {
            if (looked.value) {
                show_map(*looked.value);
            } else {
                show_map({});
                said_->clear();
                reason_->setText("There are no loads of experts to show.\n" + looked.reason);
            }
            reason_->setVisible(!looked.value);
            parts_->setVisible(looked.value.has_value());
            emit shown();
        });
}

void ExpertsPage::show_map(const ExpertMap& map) {
    map_ = map;
    const double reach = reach_of(map);
    before_->set(cells_of(map, false, reach));
    after_->set(cells_of(map, true, reach));
    row_ = std::clamp(row_, 0, std::max(0, static_cast<int>(map.layers.size()) - 1));
    show_layer(row_);
    said_->setText(
        QString("%1 layers of experts on %2 ranks, which wait for the busiest one in every layer. Click on a layer; "
                "drag an expert to another rank, or choose it by arrows and move it by Ctrl and arrows: it changes "
                "places with the least busy expert there.")
            .arg(map.layers.size())
            .arg(map.ranks));
}

void ExpertsPage::show_layer(int row) {
    row_ = row;
    if (static_cast<std::size_t>(row) >= map_.layers.size()) {
        layer_->setText("");
        return shelves_->set({});
    }
    const ExpertLayer& layer = map_.layers[static_cast<std::size_t>(row)];
    layer_->setText(QString("Experts of layer %1 by rank").arg(layer.layer));
    shelves_->set(layer);
}

void ExpertsPage::move(int expert, int from, int to) {
    if (static_cast<std::size_t>(row_) >= map_.layers.size()) return;
    const auto swap = swap_for(map_.layers[static_cast<std::size_t>(row_)], expert, from, to);
    if (!swap) return said_->setText(QString("Rank %1 holds expert %2 already.").arg(to).arg(expert));
    moves_.push_back(*swap);
    emit moved();
}

void ExpertsPage::set_given(std::vector<ExpertSwap> given) {
    if (given == given_) return;
    given_ = std::move(given);
    forget_moves();
}

void ExpertsPage::forget_moves() {
    moves_.clear();
    undo_->setEnabled(false);
    reset_->setEnabled(false);
}

std::vector<std::pair<std::string, std::string>> ExpertsPage::settings() const {
    if (moves_.empty()) return {};
    std::vector<ExpertSwap> all = given_;
    all.insert(all.end(), moves_.begin(), moves_.end());
    return {{"placement.experts.swaps", written(all)}};
}

void ExpertsPage::show_answer(const SharedAnswer& answer) {
    undo_->setEnabled(!moves_.empty());
    reset_->setEnabled(!moves_.empty());
    if (!answer->run) return;
    const std::vector<Headline> headlines = headlines_of(*answer->run);
    if (headlines.empty()) return;
    const Headline& step = headlines.front();
    if (moves_.empty()) step_without_ = step.value;
    QString text = QString("%1 %2 %3")
                       .arg(QString::fromStdString(step.label), QString::fromStdString(plain(step.value)),
                            QString::fromStdString(step.unit));
    if (!moves_.empty() && step_without_)
        text += QString(", %1%2 % by %3 %4")
                    .arg(step.value > *step_without_ ? "+" : "")
                    .arg(100 * (step.value / *step_without_ - 1), 0, 'f', 3)
                    .arg(moves_.size())
                    .arg(moves_.size() == 1 ? "move" : "moves");
    step_->setText(text);
}

}  // namespace strata
