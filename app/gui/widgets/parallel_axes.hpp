// Points over many axes at once: an axis for each of their dials and for two of their metrics, a line for each point. A
// drag along an axis chooses the points that pass there.
#pragma once

#include <QWidget>
#include <vector>

namespace strata {

struct ParallelAxis {
    QString name{};
    QStringList words{};           // not empty: values are places in it
    std::vector<double> values{};  // of each point; NaN: it has none
};

class ParallelAxes : public QWidget {
    Q_OBJECT
public:
    explicit ParallelAxes(QWidget* parent = nullptr);
    // Lines have the colour of where they end: on the last axis.
    void set(std::vector<ParallelAxis> axes);
    void select(std::vector<std::size_t> points);
    double y_of(std::size_t axis, double value) const;
    double x_of(std::size_t axis) const;
    QSize sizeHint() const override { return {600, 320}; }
    QSize minimumSizeHint() const override { return {320, 180}; }

signals:
    void brushed(std::vector<std::size_t> points);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;

private:
    struct Brush {
        std::size_t axis = 0;
        double from = 0, to = 0;  // pixels
    };
    std::size_t points() const { return axes_.empty() ? 0 : axes_.front().values.size(); }
    void draw_line(QPainter& painter, std::size_t point) const;
    void draw_axis(QPainter& painter, std::size_t axis) const;
    QColor colour_of(std::size_t point) const;
    std::vector<std::size_t> inside(const Brush& brush) const;

    std::vector<ParallelAxis> axes_;
    std::vector<std::pair<double, double>> ranges_;  // of each axis
    std::vector<bool> selected_;                     // of each point; empty: none is
    Brush brush_{};
    bool brushes_ = false;
};

}  // namespace strata
