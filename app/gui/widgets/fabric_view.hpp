// A fabric as a drawing: endpoints in a row, switches above (scale-out) and below (scale-up) by level, links in the
// colour of how busy they are. Where there are more of a kind than can be told apart they are drawn in bundles.
#pragma once

#include <QWidget>
#include <map>
#include <memory>

#include "app/gui/models/fabric_use.hpp"

namespace strata {

class FabricView : public QWidget {
    Q_OBJECT
public:
    explicit FabricView(QWidget* parent = nullptr);
    void set(std::shared_ptr<const FabricUse> use);  // null: nothing
    // At this share of the busiest link's time, links that have carried theirs are idle; 0: the exchange as a whole.
    void set_moment(double share);
    QSize sizeHint() const override { return {700, 360}; }
    QSize minimumSizeHint() const override { return {300, 200}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    // Vertices that are drawn as one.
    struct Node {
        QPointF at;
        int first = 0, count = 0;
        int row = 0;
        bool is_switch = false;
    };
    struct Bundle {
        int a = 0, b = 0;  // nodes
        double share = 0;  // of its busiest link
        int links = 0;
        double GBps = 0;
        LinkClass link_class = LinkClass::scale_up;
    };
    void lay_out();
    void place_in_circle();
    int row_of(int vertex) const;
    QRectF area() const;
    QString text_of(const Node& node) const;
    void draw_links(QPainter& painter) const;
    void draw_nodes(QPainter& painter) const;
    void draw_names(QPainter& painter) const;
    void draw_cut(QPainter& painter) const;
    void draw_scale(QPainter& painter) const;

    std::shared_ptr<const FabricUse> use_;
    std::vector<Node> nodes_;
    std::vector<Bundle> bundles_;     // the busiest last, so that they lie on top
    std::map<int, double> y_of_row_;  // rows: 0 endpoints, 1.. scale-out levels, -1.. scale-up levels
    double moment_ = 0;
    bool in_circle_ = false;  // endpoints are wired to each other: no rows
};

}  // namespace strata
