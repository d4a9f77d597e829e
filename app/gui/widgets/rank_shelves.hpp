// The experts of one layer as blocks, stacked on the rank that holds them, as high as their load. A block is dragged to
// another rank, or moved there by keyboard: arrows choose one, Ctrl and arrows move it.
#pragma once

#include <QWidget>
#include <optional>

#include "app/gui/models/expert_map.hpp"

namespace strata {

class RankShelves : public QWidget {
    Q_OBJECT
public:
    explicit RankShelves(QWidget* parent = nullptr);
    void set(const ExpertLayer& layer);
    void choose(int rank, int place);  // place: in the rank's stack, from below
    QRectF block(int rank, int place) const;
    int chosen_rank() const { return chosen_ ? chosen_->first : -1; }
    QSize sizeHint() const override { return {500, 200}; }
    QSize minimumSizeHint() const override { return {220, 130}; }

signals:
    void moved(int expert, int from, int to);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    int ranks() const { return static_cast<int>(layer_.of_ranks.size()); }
    const std::vector<PlacedExpert>& of(int rank) const { return layer_.of_ranks[static_cast<std::size_t>(rank)]; }
    QRectF area() const;
    double y_of(double load) const;
    int rank_at(double x) const;
    std::optional<std::pair<int, int>> block_at(const QPointF& place) const;
    void draw_axes(QPainter& painter) const;

    ExpertLayer layer_;
    double highest_ = 1;
    std::optional<std::pair<int, int>> chosen_;  // rank, place
    std::optional<QPointF> dragged_to_;
};

}  // namespace strata
