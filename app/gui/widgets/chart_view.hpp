// A Chart of a report on screen, drawn by the function that prints it, in the colours of the window.
#pragma once

#include <QTimer>
#include <QWidget>
#include <optional>

#include "reports/document.hpp"

class QCPAxis;
class QCustomPlot;

namespace strata {

// Axes, grid, legend and texts of a plot in the palette of the widget that it stands in.
void follow_palette(QCustomPlot& plot, const QPalette& palette);
// Where the legend covers nothing; once is enough.
void legend_above(QCustomPlot& plot);
void make_log(QCPAxis& axis);
// A plot without anything to show says why, instead of showing axes of nothing; an empty reason brings them back.
void show_reason(QCustomPlot& plot, const QString& reason);

class ChartView : public QWidget {
    Q_OBJECT
public:
    explicit ChartView(QWidget* parent = nullptr);
    void set(const Chart& chart);
    void clear(const QString& reason);  // says why there is no chart
    void draw();                        // now; else when the size has settled
    const std::optional<Chart>& chart() const { return chart_; }

protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    std::optional<Chart> chart_;
    QString reason_;
    QCustomPlot* plot_ = nullptr;
    QTimer settles_;
};

}  // namespace strata
