// A table of numbers as colours, with names along both sides and a scale: what stands out is seen before it is read.
// Cells say their numbers in the tooltip; one of them is the current one, by mouse or arrow keys.
#pragma once

#include <QImage>
#include <QWidget>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace strata {

struct HeatCells {
    QString title{}, unit{};
    QString row_title{}, column_title{};
    QStringList rows{}, columns{};
    std::vector<double> values{};                             // row by row; NaN: there is none
    std::optional<double> middle{};                           // colours diverge from here; none: from the least
    double floor = -std::numeric_limits<double>::infinity();  // no cell can be below: the scale ends there
    std::optional<double> reach{};  // how far from the middle, or from the least, colours go; none: as far as cells do
    bool written = false;           // numbers stand in the cells where they fit
};

class HeatGrid : public QWidget {
    Q_OBJECT
public:
    explicit HeatGrid(QWidget* parent = nullptr);
    void set(HeatCells cells);
    const HeatCells& cells() const { return cells_; }
    std::optional<std::pair<int, int>> current() const { return current_; }  // row, column
    void set_current(int row, int column);
    QRectF rect_of(int row, int column) const;
    QSize sizeHint() const override { return {460, 260}; }
    QSize minimumSizeHint() const override { return {220, 110}; }

signals:
    void current_changed(int row, int column);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    QRectF grid() const;
    QColor colour_of(double value) const;
    std::optional<std::pair<int, int>> at(const QPointF& place) const;
    double value(int row, int column) const;
    void draw_cells(QPainter& painter) const;
    void draw_names(QPainter& painter) const;
    void draw_scale(QPainter& painter) const;
    int rows() const { return static_cast<int>(cells_.rows.size()); }
    int columns() const { return static_cast<int>(cells_.columns.size()); }

    HeatCells cells_;
    double low_ = 0, high_ = 1;  // of the colours
    std::optional<std::pair<int, int>> current_;
};

}  // namespace strata
