#include "app/gui/widgets/fabric_view.hpp"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kMost = 96;  // nodes in a row that can be told apart
constexpr int kLeft = 150, kRight = 84, kTop = 18, kBottom = 40;

}  // namespace

FabricView::FabricView(QWidget* parent) : QWidget(parent) {
    setAccessibleName("Fabric, its links by how busy they are");
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void FabricView::set(std::shared_ptr<const FabricUse> use) {
    use_ = std::move(use);
    lay_out();
    update();
}

void FabricView::set_moment(double share) {
    moment_ = share;
    update();
}

void FabricView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    lay_out();
}

QRectF FabricView::area() const {
    return QRectF(kLeft, kTop, std::max(40, width() - kLeft - kRight), std::max(40, height() - kTop - kBottom));
}

int FabricView::row_of(int vertex) const {
    const Fabric& fabric = use_->fabric;
    if (!fabric.is_switch(vertex)) return 0;
    const FabricVertex& found = fabric.vertex(vertex);
    return found.link_class == LinkClass::scale_out ? found.level : -found.level;
}

// Vertices of a row in their order, as many to a node as it takes; whole domains of endpoints together.
void FabricView::lay_out() {
    nodes_.clear();
    bundles_.clear();
    y_of_row_.clear();
    if (!use_) return;
    const Fabric& fabric = use_->fabric;
    std::map<int, std::vector<int>> rows;
    for (int vertex = 0; vertex < fabric.vertices(); ++vertex) rows[row_of(vertex)].push_back(vertex);
    std::vector<int> node_of(static_cast<std::size_t>(fabric.vertices()));
    std::size_t place = 0;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row, ++place) {
        const auto& [number, vertices] = *row;
        y_of_row_[number] = rows.size() < 2 ? area().center().y()
                                            : area().top() + area().height() * double(place) / double(rows.size() - 1);
        const int count = static_cast<int>(vertices.size());
        int together = (count + kMost - 1) / kMost;
        if (number == 0 && together > 1) {
            const int domain = fabric.endpoints_per_domain();
            together = together <= domain ? domain : (together + domain - 1) / domain * domain;
            together = std::min(together, count);
        }
        const int nodes = (count + together - 1) / together;
        for (int i = 0; i < count; ++i) {
            if (i % together == 0)
                nodes_.push_back(
                    {QPointF(area().left() + area().width() * (i / together + 0.5) / nodes, y_of_row_[number]),
                     vertices[std::size_t(i)], 0, number, number != 0});
            ++nodes_.back().count;
            node_of[std::size_t(vertices[std::size_t(i)])] = static_cast<int>(nodes_.size()) - 1;
        }
    }
    in_circle_ = rows.size() == 1;
    if (in_circle_) place_in_circle();
    std::map<std::pair<int, int>, Bundle> bundles;
    for (std::size_t i = 0; i < fabric.links().size(); ++i) {
        const FabricLink& link = fabric.links()[i];
        const auto [a, b] = std::minmax(node_of[std::size_t(link.from)], node_of[std::size_t(link.to)]);
        if (a == b) continue;
        Bundle& bundle = bundles[{a, b}];
        bundle.a = a;
        bundle.b = b;
        bundle.share = std::max(bundle.share, use_->share[i]);
        bundle.links += link.lanes;
        bundle.GBps += link.bandwidth.si() / 1e9;
        bundle.link_class = link.link_class;
    }
    for (const auto& [ends, bundle] : bundles) bundles_.push_back(bundle);
    std::ranges::stable_sort(bundles_, {}, &Bundle::share);
}

void FabricView::place_in_circle() {
    const double radius = std::min(area().width(), area().height()) / 2 - 8;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const double angle = 2 * std::numbers::pi * double(i) / double(nodes_.size()) - std::numbers::pi / 2;
        nodes_[i].at = area().center() + QPointF(radius * std::cos(angle), radius * std::sin(angle));
    }
}

void FabricView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), card(palette()));
    if (!use_) return;
    painter.setRenderHint(QPainter::Antialiasing);
    draw_links(painter);
    draw_cut(painter);
    draw_nodes(painter);
    draw_names(painter);
    draw_scale(painter);
}

void FabricView::draw_links(QPainter& painter) const {
    const double many = bundles_.size() > 1500 ? 0.6 : 1;
    for (const Bundle& bundle : bundles_) {
        const double share = moment_ <= 0 ? bundle.share : bundle.share >= moment_ ? 1 : 0;
        QColor colour = busy_colour(share, palette());
        colour.setAlphaF(share > 0 ? 0.9F : 0.5F);
        painter.setPen(QPen(colour, many * (0.6 + 1.6 * share)));
        painter.drawLine(nodes_[std::size_t(bundle.a)].at, nodes_[std::size_t(bundle.b)].at);
    }
}

void FabricView::draw_nodes(QPainter& painter) const {
    std::map<int, int> of_row;
    for (const Node& node : nodes_) ++of_row[node.row];
    for (const Node& node : nodes_) {
        const double room = in_circle_ ? 14 : area().width() / of_row[node.row];
        const double wide = std::clamp(room * 0.6, 2.0, node.count > 1 ? 20.0 : 11.0), high = std::min(wide, 11.0);
        const QRectF box(node.at.x() - wide / 2, node.at.y() - high / 2, wide, high);
        painter.setPen(QPen(card(palette()), 1));
        painter.setBrush(node.is_switch ? muted(palette()) : palette().color(QPalette::WindowText));
        node.is_switch ? painter.drawEllipse(box) : painter.drawRect(box);
    }
}

void FabricView::draw_names(QPainter& painter) const {
    painter.setPen(palette().color(QPalette::WindowText));
    std::map<int, std::pair<int, int>> sizes;  // of a row: vertices, of one node at most
    for (const Node& node : nodes_) {
        sizes[node.row].first += node.count;
        sizes[node.row].second = std::max(sizes[node.row].second, node.count);
    }
    const int line = fontMetrics().height();
    for (const auto& [row, y] : y_of_row_) {
        const auto [count, together] = sizes[row];
        const QString what = row == 0  ? QString("%1 endpoints").arg(count)
                             : row > 0 ? QString("%1 switches, scale-out %2").arg(count).arg(row)
                                       : QString("%1 switches, scale-up").arg(count);
        const QString bundled = together > 1 ? QString("\n%1 drawn as one").arg(together) : QString();
        painter.drawText(QRectF(8, (in_circle_ ? area().top() : y - line * 1.5), kLeft - 24, 3 * line),
                         Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap, what + bundled);
    }
}

// Between the two rows whose links are the busiest.
void FabricView::draw_cut(QPainter& painter) const {
    if (use_->cuts.empty() || in_circle_ || use_->busiest < 0) return;
    const FabricCut& cut = use_->cuts.front();
    const int sign = cut.link_class == LinkClass::scale_out ? 1 : -1;
    const auto from = y_of_row_.find(sign * cut.from_level), to = y_of_row_.find(sign * cut.to_level);
    if (from == y_of_row_.end() || to == y_of_row_.end() || from == to) return;
    const double y = (from->second + to->second) / 2;
    painter.setPen(QPen(bad(palette()), 1.6, Qt::DashLine));
    painter.drawLine(QPointF(area().left() - 8, y), QPointF(area().right() + 8, y));
    const QString text = QString("bottleneck cut: %1 links, %2 TB/s")
                             .arg(cut.links)
                             .arg(QString::fromStdString(plain(cut.capacity_GBps / 1e3)));
    const QRectF box(area().left(), y - fontMetrics().height() - 4, fontMetrics().horizontalAdvance(text) + 12,
                     fontMetrics().height() + 2);
    painter.fillRect(box, card(palette()));
    painter.setPen(bad(palette()));
    painter.drawText(box, Qt::AlignCenter, text);
}

void FabricView::draw_scale(QPainter& painter) const {
    constexpr int kWide = 180, kHigh = 10, kSteps = 60;
    const QRectF scale(area().left(), height() - kBottom + 14, kWide, kHigh);
    for (int i = 0; i < kSteps; ++i)
        painter.fillRect(
            QRectF(scale.left() + scale.width() * i / kSteps, scale.top(), scale.width() / kSteps + 1, scale.height()),
            busy_colour((i + 0.5) / kSteps, palette()));
    painter.setPen(muted(palette()));
    painter.drawText(
        QRectF(scale.right() + 8, scale.top() - 5, 400, 20), Qt::AlignLeft | Qt::AlignVCenter,
        moment_ <= 0 ? "0 to 100 % of the busiest link's time" : "grey: it has carried its share; orange: at work");
}

QString FabricView::text_of(const Node& node) const {
    QString text =
        node.count == 1
            ? QString("%1 %2").arg(node.is_switch ? "switch" : "endpoint").arg(node.first)
            : QString("%1 %2 from %3").arg(node.count).arg(node.is_switch ? "switches" : "endpoints").arg(node.first);
    int links = 0;
    double busiest = 0, rate = 0;
    for (const Bundle& bundle : bundles_) {
        if (&nodes_[std::size_t(bundle.a)] != &node && &nodes_[std::size_t(bundle.b)] != &node) continue;
        links += bundle.links;
        rate += bundle.GBps;
        busiest = std::max(busiest, bundle.share);
    }
    return text + QString(": %1 links, %2 GB/s, the busiest at %3")
                      .arg(links)
                      .arg(QString::fromStdString(plain(rate)), QString::fromStdString(percent(busiest)));
}

bool FabricView::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip || !use_) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    for (const Node& node : nodes_)
        if (std::hypot(node.at.x() - help->pos().x(), node.at.y() - help->pos().y()) < 10) {
            QToolTip::showText(help->globalPos(), text_of(node), this);
            return true;
        }
    QToolTip::hideText();
    return true;
}

}  // namespace strata
