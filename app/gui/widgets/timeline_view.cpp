#include "app/gui/widgets/timeline_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"
#include "sim/result/run.hpp"

namespace strata {

namespace {

constexpr int kRuler = 26, kLegend = 24, kLane = 30, kRankLine = 20, kGap = 6, kCritical = 3;
constexpr double kLeastUs = 0.01;  // closer is nothing: clocks of measured kernels are coarser
constexpr double kWideSpan = 3;    // pixels a span on average, from which spans are drawn one by one

QString time_text(double us) {
    if (std::abs(us) >= 1e4) return QString("%1 ms").arg(us / 1e3, 0, 'g', 5);
    return QString("%1 us").arg(us, 0, 'g', 5);
}

// 1, 2 or 5 times a power of ten: the least step that leaves room for its text.
double tick_step(double us_per_pixel, double pixels) {
    const double wanted = us_per_pixel * pixels;
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    for (const double times : {1.0, 2.0, 5.0})
        if (power * times >= wanted) return power * times;
    return power * 10;
}

// Of marks that are `step` apart: all in one unit, with as many digits as tell them apart.
QString tick_text(double us, double step) {
    const bool in_ms = step >= 100;
    const double unit = in_ms ? 1e3 : 1;
    const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)));
    return QString("%1 %2").arg(us / unit, 0, 'f', digits).arg(in_ms ? "ms" : "us");
}

}  // namespace

QColor kind_colour(std::size_t kind) {
    return kind + 1 == kSpanKinds ? QColor(130, 130, 140) : component_colour(component_of(static_cast<Slot>(kind)));
}

TimelineView::TimelineView(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName("Timeline of the step");
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void TimelineView::set(StepTimeline timeline) {
    const bool same_range = timeline.makespan_us == timeline_.makespan_us;
    timeline_ = std::move(timeline);
    label_width_ = 60;
    for (const TimelineLane& lane : timeline_.lanes)
        label_width_ =
            std::max(label_width_, fontMetrics().horizontalAdvance(QString::fromStdString(lane.name())) + 2.0 * kGap);
    searching_ = false;
    measured_.reset();
    if (!same_range) fit();
    updateGeometry();
    update();
}

QSize TimelineView::sizeHint() const {
    std::size_t ranks = 0;
    for (std::size_t i = 0; i < timeline_.lanes.size(); ++i)
        ranks += i == 0 || timeline_.lanes[i].rank() != timeline_.lanes[i - 1].rank();
    return {800, kRuler + kLegend + int(timeline_.lanes.size()) * kLane + int(ranks) * kRankLine + kGap};
}

void TimelineView::fit() { show_range(0, timeline_.makespan_us); }

void TimelineView::show_range(double from_us, double to_us) {
    const double most = std::max(timeline_.makespan_us, kLeastUs);
    const double span = std::clamp(to_us - from_us, kLeastUs, most);
    from_ = std::clamp(from_us, 0.0, most - span);
    to_ = from_ + span;
    update();
}

void TimelineView::zoom(double factor, double around_us) {
    const double span = std::clamp((to_ - from_) / factor, kLeastUs, std::max(timeline_.makespan_us, kLeastUs));
    const double share = (around_us - from_) / (to_ - from_);
    show_range(around_us - share * span, around_us + (1 - share) * span);
}

void TimelineView::pan(double us) { show_range(from_ + us, to_ + us); }

double TimelineView::x_of(double us) const { return left() + (us - from_) / (to_ - from_) * (width() - left()); }
double TimelineView::us_at(double x) const {
    return from_ + (x - left()) / std::max(1.0, width() - left()) * (to_ - from_);
}

QRectF TimelineView::lane_rect(std::size_t lane) const {
    double top = kRuler;
    for (std::size_t i = 0; i <= lane; ++i) {
        if (i == 0 || timeline_.lanes[i].rank() != timeline_.lanes[i - 1].rank()) top += kRankLine;
        if (i < lane) top += kLane;
    }
    return QRectF(left(), top + 2, std::max(1.0, width() - left()), kLane - 4);
}

std::optional<std::size_t> TimelineView::lane_at(double y) const {
    for (std::size_t i = 0; i < timeline_.lanes.size(); ++i)
        if (const QRectF area = lane_rect(i); y >= area.top() && y <= area.bottom()) return i;
    return std::nullopt;
}

const TimelineSpan* TimelineView::span_at(const QPointF& place) const {
    const auto lane = lane_at(place.y());
    if (!lane || place.x() < left()) return nullptr;
    const double pixel = (to_ - from_) / std::max(1.0, width() - left());
    const auto [first, last] = timeline_.lanes[*lane].within(us_at(place.x()) - pixel, us_at(place.x()) + pixel);
    return first < last ? &timeline_.lanes[*lane].spans()[(first + last) / 2] : nullptr;
}

QString TimelineView::text_of(const TimelineSpan& span) const {
    return QString("%1%2: %3, from %4 to %5%6")
        .arg(QString::fromStdString(timeline_.names[span.name]),
             span.layer < 0 ? QString() : QString(", layer %1").arg(span.layer), time_text(span.us()),
             time_text(span.begin_us), time_text(span.end_us), span.critical ? "; on the critical path" : "");
}

std::size_t TimelineView::search(const QString& text) {
    searching_ = !text.isEmpty();
    matched_.assign(timeline_.names.size(), false);
    for (std::size_t i = 0; searching_ && i < timeline_.names.size(); ++i)
        matched_[i] = QString::fromStdString(timeline_.names[i]).contains(text, Qt::CaseInsensitive);
    matches_.assign(timeline_.lanes.size(), {});
    std::size_t count = 0;
    for (std::size_t lane = 0; searching_ && lane < timeline_.lanes.size(); ++lane) {
        const std::vector<TimelineSpan>& spans = timeline_.lanes[lane].spans();
        for (std::size_t i = 0; i < spans.size(); ++i)
            if (matched_[spans[i].name]) matches_[lane].push_back(i);
        count += matches_[lane].size();
    }
    next_match_ = {};
    update();
    return count;
}

void TimelineView::go_to_next() {
    auto& [lane, place] = next_match_;
    for (std::size_t tried = 0; searching_ && tried <= matches_.size(); ++tried) {
        if (lane >= matches_.size()) lane = place = 0;
        if (place >= matches_[lane].size()) {
            ++lane;
            place = 0;
            continue;
        }
        const TimelineSpan& span = timeline_.lanes[lane].spans()[matches_[lane][place++]];
        const double around = std::max(span.us() * 8, (to_ - from_) / 2);
        show_range((span.begin_us + span.end_us - around) / 2, (span.begin_us + span.end_us + around) / 2);
        emit told(text_of(span));
        return;
    }
}

void TimelineView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), card(palette()));
    if (timeline_.lanes.empty()) return;
    draw_ruler(painter);
    for (std::size_t lane = 0; lane < timeline_.lanes.size(); ++lane) draw_lane(painter, lane);
    draw_measure(painter);
    draw_legend(painter);
}

void TimelineView::draw_lane(QPainter& painter, std::size_t index) const {
    const TimelineLane& lane = timeline_.lanes[index];
    const QRectF area = lane_rect(index);
    if (area.top() > height() - kLegend) return;
    if (index == 0 || lane.rank() != timeline_.lanes[index - 1].rank()) {
        QFont bold = font();
        bold.setWeight(QFont::DemiBold);
        painter.setFont(bold);
        painter.setPen(palette().color(QPalette::WindowText));
        painter.drawText(QRectF(kGap, area.top() - kRankLine, width() - kGap, kRankLine),
                         Qt::AlignLeft | Qt::AlignVCenter, QString::fromStdString(lane.rank()));
        painter.setFont(font());
    }
    painter.setPen(muted(palette()));
    painter.drawText(QRectF(kGap, area.top(), left() - 2 * kGap, area.height()), Qt::AlignRight | Qt::AlignVCenter,
                     QString::fromStdString(lane.name()));
    painter.fillRect(area, palette().color(QPalette::AlternateBase));
    const auto [first, last] = lane.within(from_, to_);
    if (double(last - first) * kWideSpan <= area.width())
        draw_spans(painter, lane, area);
    else
        draw_columns(painter, lane, area);
    if (searching_) draw_matches(painter, index, area);
}

void TimelineView::draw_spans(QPainter& painter, const TimelineLane& lane, const QRectF& area) const {
    constexpr double kRoomForText = 34;
    const auto [first, last] = lane.within(from_, to_);
    for (std::size_t i = first; i < last; ++i) {
        const TimelineSpan& span = lane.spans()[i];
        const double begin = std::max(area.left(), x_of(span.begin_us)),
                     end = std::min(area.right(), x_of(span.end_us));
        const QRectF box(begin, area.top(), std::max(1.0, end - begin - (end - begin > 3 ? 1 : 0)), area.height());
        QColor colour = kind_colour(span.kind);
        if (searching_ && !matched_[span.name]) colour.setAlpha(60);
        painter.fillRect(box, colour);
        if (span.critical)
            painter.fillRect(QRectF(box.left(), box.bottom() - kCritical, box.width(), kCritical), bad(palette()));
        if (box.width() < kRoomForText) continue;
        painter.setPen(searching_ && !matched_[span.name] ? muted(palette()) : QColor(Qt::white));
        const QString name = QString::fromStdString(timeline_.names[span.name]);
        painter.drawText(box.adjusted(4, 0, -4, -1), Qt::AlignLeft | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(name, Qt::ElideRight, int(box.width()) - 8));
    }
}

// As high as the lane is busy there, in the colour of what it is busy with most.
void TimelineView::draw_columns(QPainter& painter, const TimelineLane& lane, const QRectF& area) const {
    const double pixel = (to_ - from_) / area.width();
    const QColor critical = bad(palette());
    std::array<QColor, kSpanKinds> colours;
    for (std::size_t kind = 0; kind < kSpanKinds; ++kind) {
        colours[kind] = kind_colour(kind);
        if (searching_) colours[kind].setAlpha(60);
    }
    for (double x = area.left(); x < area.right(); ++x) {
        const double begin = us_at(x);
        const TimelineLane::Use use = lane.use(begin, begin + pixel);
        const double busy = std::min(1.0, use.busy() / pixel);
        if (busy <= 0) continue;
        const double high = std::max(1.0, busy * area.height());
        painter.fillRect(QRectF(x, area.bottom() - high, 1, high), colours[use.most()]);
        if (use.critical_us > 0.5 * use.busy())
            painter.fillRect(QRectF(x, area.bottom() - kCritical, 1, kCritical), critical);
    }
}

void TimelineView::draw_matches(QPainter& painter, std::size_t lane, const QRectF& area) const {
    const std::vector<TimelineSpan>& spans = timeline_.lanes[lane].spans();
    const std::vector<std::size_t>& matches = matches_[lane];
    const double pixel = (to_ - from_) / area.width();
    painter.setPen(Qt::NoPen);
    const auto begin_of = [&](std::size_t i) { return spans[i].begin_us; };
    const auto end_of = [&](std::size_t i) { return spans[i].end_us; };
    auto at = std::ranges::lower_bound(matches, from_, {}, end_of);
    while (at != matches.end() && spans[*at].begin_us < to_) {
        const TimelineSpan& span = spans[*at];
        const double begin = std::max(area.left(), x_of(span.begin_us)),
                     end = std::min(area.right(), x_of(span.end_us));
        painter.fillRect(QRectF(begin, area.top() - 2, std::max(1.0, end - begin), 2),
                         palette().color(QPalette::WindowText));
        if (end - begin < kWideSpan)
            painter.fillRect(QRectF(begin, area.top(), std::max(1.0, end - begin), area.height()),
                             kind_colour(span.kind));
        at = std::ranges::lower_bound(at + 1, matches.end(), span.begin_us + pixel, {}, begin_of);
    }
}

void TimelineView::draw_ruler(QPainter& painter) const {
    const double step = tick_step((to_ - from_) / std::max(1.0, width() - left()), 90);
    const double bottom = height() - kLegend;
    for (double us = std::ceil(from_ / step) * step; us <= to_; us += step) {
        const double x = x_of(us);
        painter.setPen(hairline(palette()));
        painter.drawLine(QPointF(x, kRuler - 5), QPointF(x, bottom));
        painter.setPen(muted(palette()));
        const QString text = tick_text(std::round(us / step) * step, step);
        const double wide = painter.fontMetrics().horizontalAdvance(text);
        painter.drawText(QPointF(std::clamp(x - wide / 2, left(), width() - wide - 2), kRuler - 10), text);
    }
}

void TimelineView::draw_measure(QPainter& painter) const {
    if (!measured_) return;
    const auto [a, b] = std::minmax(measured_->first, measured_->second);
    const QRectF area(x_of(a), kRuler, std::max(1.0, x_of(b) - x_of(a)), height() - kRuler - kLegend);
    QColor shade = palette().color(QPalette::Highlight);
    shade.setAlpha(50);
    painter.fillRect(area, shade);
    painter.setPen(palette().color(QPalette::WindowText));
    const QString text = time_text(b - a);
    const double wide = painter.fontMetrics().horizontalAdvance(text) + 12;
    QRectF box(area.center().x() - wide / 2, kRuler, wide, kRankLine);
    box.moveLeft(std::clamp(box.left(), left(), width() - wide));
    painter.fillRect(box, palette().color(QPalette::Window));
    painter.drawText(box, Qt::AlignCenter, text);
}

void TimelineView::draw_legend(QPainter& painter) const {
    double x = left();
    const double y = height() - kLegend + 6;
    painter.fillRect(QRectF(0, height() - kLegend, width(), kLegend), card(palette()));
    const auto entry = [&](const QColor& colour, const QString& name, double high) {
        painter.fillRect(QRectF(x, y + 11 - high, 11, high), colour);
        painter.setPen(muted(palette()));
        painter.drawText(QPointF(x + 16, y + 10), name);
        x += 16 + painter.fontMetrics().horizontalAdvance(name) + 14;
    };
    std::array<bool, kSpanKinds> there{};
    for (const TimelineLane& lane : timeline_.lanes) {
        const TimelineLane::Use use = lane.use(0, timeline_.makespan_us);
        for (std::size_t kind = 0; kind < kSpanKinds; ++kind) there[kind] = there[kind] || use.us[kind] > 0;
    }
    for (std::size_t kind = 0; kind < kSpanKinds; ++kind)
        if (there[kind])
            entry(kind_colour(kind),
                  kind + 1 == kSpanKinds ? "a part at work"
                                         : QString::fromStdString(component_of(static_cast<Slot>(kind))),
                  11);
    entry(bad(palette()), "critical path", kCritical);
}

void TimelineView::wheelEvent(QWheelEvent* event) {
    zoom(std::pow(1.2, event->angleDelta().y() / 120.0), us_at(event->position().x()));
    event->accept();
}

void TimelineView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    measures_ = event->modifiers().testFlag(Qt::ShiftModifier);
    dragged_from_ = event->position().x();
    measured_.reset();
    if (measures_) {
        const double at = us_at(event->position().x());
        measured_ = {at, at};
    } else if (const TimelineSpan* span = span_at(event->position())) {
        emit told(text_of(*span));
    }
    update();
}

void TimelineView::mouseMoveEvent(QMouseEvent* event) {
    if (!dragged_from_) return;
    if (measures_) {
        measured_->second = us_at(event->position().x());
        const auto [a, b] = std::minmax(measured_->first, measured_->second);
        emit told(QString("measured %1, from %2 to %3").arg(time_text(b - a), time_text(a), time_text(b)));
        update();
    } else {
        pan(us_at(*dragged_from_) - us_at(event->position().x()));
        dragged_from_ = event->position().x();
    }
}

void TimelineView::mouseReleaseEvent(QMouseEvent*) { dragged_from_.reset(); }

void TimelineView::keyPressEvent(QKeyEvent* event) {
    const double middle = (from_ + to_) / 2, step = (to_ - from_) / 10;
    switch (event->key()) {
        case Qt::Key_Left: return pan(-step);
        case Qt::Key_Right: return pan(step);
        case Qt::Key_Plus:
        case Qt::Key_Equal:
        case Qt::Key_Up: return zoom(1.5, middle);
        case Qt::Key_Minus:
        case Qt::Key_Down: return zoom(1 / 1.5, middle);
        case Qt::Key_Home: return fit();
        default: QWidget::keyPressEvent(event);
    }
}

bool TimelineView::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const TimelineSpan* span = span_at(help->pos()))
        QToolTip::showText(help->globalPos(), text_of(*span), this);
    else
        QToolTip::hideText();
    return true;
}

}  // namespace strata
