#include "app/gui/widgets/theme.hpp"

#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <array>
#include <map>

namespace strata {

namespace {

void draw_glyph(const std::string& name, QPainter& painter) {
    if (name == "answer") {
        painter.drawArc(QRectF(3, 5, 18, 18), 0, 180 * 16);
        painter.drawLine(QPointF(12, 14), QPointF(17, 8));
        painter.drawLine(QPointF(3, 18), QPointF(21, 18));
    } else if (name == "allocation") {
        QPainterPath curve(QPointF(3, 5));
        curve.cubicTo(8, 22, 14, 22, 21, 9);
        painter.drawPath(curve);
        painter.drawEllipse(QPointF(12, 16.8), 2.2, 2.2);
    } else if (name == "design-space") {
        for (const QPointF& at : {QPointF(5, 17), QPointF(9, 10), QPointF(16, 6), QPointF(15, 15), QPointF(20, 11)})
            painter.drawEllipse(at, 1.7, 1.7);
    } else if (name == "roofline") {
        painter.drawPolyline(QPolygonF({QPointF(3, 20), QPointF(11, 7), QPointF(21, 7)}));
        painter.drawEllipse(QPointF(14, 14), 1.7, 1.7);
    } else if (name == "compare") {
        painter.drawRect(QRectF(4, 9, 6, 11));
        painter.drawRect(QRectF(14, 4, 6, 16));
    } else if (name == "timeline") {
        for (const QRectF& bar : {QRectF(3, 5, 9, 3), QRectF(9, 11, 11, 3), QRectF(5, 17, 8, 3)}) painter.drawRect(bar);
    } else if (name == "experts") {
        for (int i = 0; i < 9; ++i) {
            const QRectF cell(4 + i % 3 * 6, 4 + i / 3 * 6, 5, 5);
            i % 4 == 0 ? painter.fillRect(cell, painter.pen().color()) : painter.drawRect(cell);
        }
    } else if (name == "memory") {
        painter.drawRect(QRectF(5, 5, 14, 14));
        for (const int at : {8, 12, 16}) {
            painter.drawLine(at, 2, at, 5);
            painter.drawLine(at, 19, at, 22);
        }
    } else if (name == "fabric") {
        for (const QPointF& end : {QPointF(5, 19), QPointF(12, 19), QPointF(19, 19)}) {
            painter.drawLine(QPointF(12, 6), end);
            painter.drawEllipse(end, 1.8, 1.8);
        }
        painter.drawEllipse(QPointF(12, 5), 2.2, 2.2);
    } else if (name == "kernels") {
        painter.drawPolyline(QPolygonF({QPointF(8, 6), QPointF(3, 12), QPointF(8, 18)}));
        painter.drawPolyline(QPolygonF({QPointF(16, 6), QPointF(21, 12), QPointF(16, 18)}));
    } else if (name == "precision") {
        painter.drawEllipse(QPointF(12, 12), 8, 8);
        painter.drawEllipse(QPointF(12, 12), 2.5, 2.5);
    } else {
        painter.drawLine(QPointF(4, 20), QPointF(20, 4));
        painter.drawPolyline(QPolygonF({QPointF(5, 9), QPointF(8, 12), QPointF(13, 5)}));
    }
}

}  // namespace

QColor mixed(const QColor& a, const QColor& b, double share) {
    return QColor::fromRgbF(float(a.redF() * (1 - share) + b.redF() * share),
                            float(a.greenF() * (1 - share) + b.greenF() * share),
                            float(a.blueF() * (1 - share) + b.blueF() * share));
}

bool is_dark(const QPalette& palette) { return palette.color(QPalette::Window).lightness() < 128; }
QColor muted(const QPalette& palette) {
    return mixed(palette.color(QPalette::WindowText), palette.color(QPalette::Window), 0.42);
}
QColor hairline(const QPalette& palette) {
    return mixed(palette.color(QPalette::WindowText), palette.color(QPalette::Window), 0.86);
}
QColor card(const QPalette& palette) { return palette.color(QPalette::Base); }
QColor good(const QPalette& palette) { return is_dark(palette) ? QColor(80, 200, 140) : QColor(0, 128, 88); }
QColor bad(const QPalette& palette) { return is_dark(palette) ? QColor(255, 130, 110) : QColor(190, 50, 30); }

QColor series_colour(int index) {
    static const std::array<QColor, 8> palette{QColor(0, 114, 178),   QColor(213, 94, 0),   QColor(0, 158, 115),
                                               QColor(204, 121, 167), QColor(154, 125, 10), QColor(86, 180, 233),
                                               QColor(130, 130, 140), QColor(230, 159, 0)};
    return palette[static_cast<std::size_t>(index) % palette.size()];
}

QColor busy_colour(double share, const QPalette& palette) {
    const double at = std::clamp(share, 0.0, 1.0);
    const QColor idle = mixed(palette.color(QPalette::WindowText), palette.color(QPalette::Window), 0.75);
    return at < 0.5 ? mixed(idle, series_colour(5), at * 2) : mixed(series_colour(5), series_colour(1), at * 2 - 1);
}

QColor component_colour(const std::string& name) {
    static const std::map<std::string, int> known{{"attention", 0},   {"experts", 1}, {"ffn", 2},       {"engram", 3},
                                                  {"mhc", 5},         {"head", 4},    {"embedding", 4}, {"exchange", 7},
                                                  {"fetch", 6},       {"weights", 0}, {"kv", 2},        {"index", 5},
                                                  {"activations", 4}, {"buffers", 6}};
    const auto at = known.find(name);
    return series_colour(at == known.end() ? 3 : at->second);
}

QColor provenance_colour(const std::string& name) {
    static const std::map<std::string, int> known{{"measured", 2},    {"published", 0}, {"interpolated", 5},
                                                  {"transferred", 7}, {"modelled", 1},  {"assumed", 3}};
    const auto at = known.find(name.substr(0, name.find(',')));
    return at == known.end() ? QColor(130, 130, 140) : series_colour(at->second);
}

QLabel* heading(const QString& text) {
    auto* label = new QLabel(text);
    QFont font = label->font();
    font.setWeight(QFont::DemiBold);
    label->setFont(font);
    label->setContentsMargins(0, 10, 0, 2);
    return label;
}

QLabel* caption(const QString& text) {
    auto* label = new QLabel(text);
    label->setForegroundRole(QPalette::PlaceholderText);
    label->setWordWrap(true);
    return label;
}

QIcon page_icon(const std::string& name, const QPalette& palette) {
    QIcon icon;
    for (const double ratio : {1.0, 2.0}) {
        QPixmap pixmap(QSize(24, 24) * ratio);
        pixmap.setDevicePixelRatio(ratio);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(palette.color(QPalette::WindowText), 1.7, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        draw_glyph(name, painter);
        painter.end();
        icon.addPixmap(pixmap);
    }
    return icon;
}

QPalette light_palette() {
    QPalette palette(QColor(236, 239, 243), QColor(246, 247, 249));
    palette.setColor(QPalette::Base, Qt::white);
    palette.setColor(QPalette::AlternateBase, QColor(248, 249, 251));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(role, QColor(28, 36, 48));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, QColor(160, 166, 176));
    palette.setColor(QPalette::Highlight, series_colour(0));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::PlaceholderText, QColor(130, 138, 150));
    return palette;
}

QPalette dark_palette() {
    QPalette palette(QColor(48, 53, 61), QColor(30, 33, 39));
    palette.setColor(QPalette::Base, QColor(38, 42, 49));
    palette.setColor(QPalette::AlternateBase, QColor(43, 47, 55));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText})
        palette.setColor(role, QColor(226, 230, 236));
    palette.setColor(QPalette::ToolTipBase, QColor(48, 53, 61));
    palette.setColor(QPalette::Highlight, QColor(58, 140, 200));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::PlaceholderText, QColor(140, 148, 160));
    for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, QColor(120, 126, 136));
    return palette;
}

}  // namespace strata
