// Stacked horizontal bars, one a row, on one scale or each on its own capacity, with a legend below. Each piece says
// what it is in its tooltip.
#pragma once

#include <QWidget>
#include <optional>
#include <vector>

namespace strata {

struct BarPiece {
    QString name;
    double value = 0;
    QColor colour{};
};

struct BarRow {
    QString label, text;  // left of the bar; right of it
    std::vector<BarPiece> pieces{};
    std::optional<double> capacity{};  // drawn as the bar's ground; none: the row shares a scale with the others
};

class BarRows : public QWidget {
    Q_OBJECT
public:
    explicit BarRows(const QString& unit, QWidget* parent = nullptr);
    void set(std::vector<BarRow> rows);
    const std::vector<BarRow>& rows() const { return rows_; }
    const QString& unit() const { return unit_; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {320, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    double scale_of(const BarRow& row) const;  // the value that fills the bar's length
    QRectF bar_of(std::size_t row) const;
    std::vector<std::pair<QPoint, const BarPiece*>> legend(int* height) const;

    QString unit_;
    std::vector<BarRow> rows_;
};

}  // namespace strata
