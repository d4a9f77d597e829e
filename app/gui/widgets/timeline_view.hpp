// Lanes of spans over time. The wheel zooms around the cursor, a drag pans, a drag with Shift measures; arrows, + and -
// and Home do the same by keyboard. Where spans are narrower than pixels a column shows how busy the lane was and with
// what; the critical path is a line below its spans.
#pragma once

#include <QWidget>
#include <optional>

#include "app/gui/models/timeline_lanes.hpp"

namespace strata {

class TimelineView : public QWidget {
    Q_OBJECT
public:
    explicit TimelineView(QWidget* parent = nullptr);
    void set(StepTimeline timeline);
    const StepTimeline& timeline() const { return timeline_; }

    void fit();
    void show_range(double from_us, double to_us);
    double from_us() const { return from_; }
    double to_us() const { return to_; }
    void zoom(double factor, double around_us);  // factor > 1: closer
    void pan(double us);
    // Spans whose name has the text stand out; returns how many there are.
    std::size_t search(const QString& text);
    void go_to_next();  // of them, and around
    std::optional<std::pair<double, double>> measured() const { return measured_; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {420, 160}; }

signals:
    void told(QString text);  // of what was clicked on, or measured

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    double left() const { return label_width_; }
    double x_of(double us) const;
    double us_at(double x) const;
    QRectF lane_rect(std::size_t lane) const;
    std::optional<std::size_t> lane_at(double y) const;
    const TimelineSpan* span_at(const QPointF& place) const;
    QString text_of(const TimelineSpan& span) const;
    void draw_lane(QPainter& painter, std::size_t lane) const;
    void draw_spans(QPainter& painter, const TimelineLane& lane, const QRectF& area) const;
    void draw_columns(QPainter& painter, const TimelineLane& lane, const QRectF& area) const;
    void draw_matches(QPainter& painter, std::size_t lane, const QRectF& area) const;
    void draw_ruler(QPainter& painter) const;
    void draw_measure(QPainter& painter) const;
    void draw_legend(QPainter& painter) const;

    StepTimeline timeline_;
    double from_ = 0, to_ = 1;
    double label_width_ = 120;
    bool searching_ = false;
    std::vector<bool> matched_;                          // by name
    std::vector<std::vector<std::size_t>> matches_;      // by lane: spans
    std::pair<std::size_t, std::size_t> next_match_{};   // lane, place in matches_
    std::optional<std::pair<double, double>> measured_;  // us
    std::optional<double> dragged_from_;                 // x of a pan
    bool measures_ = false;
};

QColor kind_colour(std::size_t kind);

}  // namespace strata
