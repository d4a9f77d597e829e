// The numbers behind a page as CSV, so that they can be drawn or added up elsewhere.
#include <QAbstractItemModel>

#include "app/gui/qt_text.hpp"
#include "app/gui/widgets/bar_rows.hpp"
#include "app/gui/widgets/chart_view.hpp"
#include "app/gui/widgets/heat_grid.hpp"
#include "app/gui/widgets/metric_card.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/save_view.hpp"
#include "app/gui/widgets/timeline_view.hpp"

namespace strata {

namespace {

// With 15 digits: what is on screen is rounded for the eye.
QString exact(double value) { return QString::number(value, 'g', 15); }

QString line_of(const QStringList& fields) {
    QStringList quoted;
    for (QString field : fields)
        quoted << (field.contains(',') || field.contains('"') || field.contains('\n')
                       ? '"' + field.replace("\"", "\"\"") + '"'
                       : field);
    return quoted.join(',') + '\n';
}

// As filtered and sorted on screen.
QString csv(const RecordView& view) {
    const QAbstractItemModel& model = *view.table().model();
    QString lines = line_of(view.model().records().columns);
    for (int row = 0; row < model.rowCount(); ++row) {
        QStringList fields;
        for (int column = 0; column < model.columnCount(); ++column) {
            const QModelIndex index = model.index(row, column);
            const QVariant value = index.data(RecordTable::sort_role);
            fields << (value.typeId() == QMetaType::Double ? exact(value.toDouble()) : index.data().toString());
        }
        lines += line_of(fields);
    }
    return lines;
}

QString csv(const ChartView& view) {
    if (!view.chart()) return {};
    const Chart& chart = *view.chart();
    QString lines = line_of({"series", text(chart.x.label), text(chart.y.label), "to"});
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points)
            lines += line_of({text(series.name), exact(point.x), exact(point.y),
                              is_interval(series.style) ? exact(point.y_to) : QString()});
    return lines;
}

QString csv(const HeatGrid& grid) {
    const HeatCells& cells = grid.cells();
    QString lines = line_of(QStringList{cells.row_title + " [" + cells.unit + "]"} + cells.columns);
    for (qsizetype row = 0; row < cells.rows.size(); ++row) {
        QStringList fields{cells.rows[row]};
        for (qsizetype column = 0; column < cells.columns.size(); ++column)
            fields << exact(cells.values[static_cast<std::size_t>(row * cells.columns.size() + column)]);
        lines += line_of(fields);
    }
    return lines;
}

QString csv(const BarRows& bars) {
    QString lines = line_of({"row", "piece", bars.unit()});
    for (const BarRow& row : bars.rows())
        for (const BarPiece& piece : row.pieces) lines += line_of({row.label, piece.name, exact(piece.value)});
    return lines;
}

QString csv(const TimelineView& view) {
    QString lines = line_of({"rank", "lane", "op", "layer", "begin [us]", "end [us]", "critical"});
    const StepTimeline& timeline = view.timeline();
    for (const TimelineLane& lane : timeline.lanes)
        for (const TimelineSpan& span : lane.spans())
            lines += line_of({text(lane.rank()), text(lane.name()), text(timeline.names[span.name]),
                              span.layer < 0 ? QString() : QString::number(span.layer), exact(span.begin_us),
                              exact(span.end_us), span.critical ? "yes" : "no"});
    return lines;
}

template <class Part>
void add(QString& all, const QWidget& view, const QString& name) {
    for (const Part* part : view.findChildren<Part*>()) {
        if (!part->isVisibleTo(&view)) continue;
        const QString lines = csv(*part);
        if (lines.count('\n') < 2) continue;  // a head alone
        const QString own = part->accessibleName();
        all += (all.isEmpty() ? "" : "\n") + line_of({"# " + (own.isEmpty() ? name : own)}) + lines;
    }
}

}  // namespace

QString numbers_of(const QWidget& view) {
    QString all;
    QString cards;
    for (const MetricCard* card : view.findChildren<MetricCard*>())
        if (card->isVisibleTo(&view)) {
            QString label = card->label();  // without what keeps its unit on one line
            label.remove(QChar(0x2060)).replace(QChar::Nbsp, ' ');
            cards += line_of({label, card->shown()});
        }
    if (!cards.isEmpty()) all = "# headline numbers\nmetric,value\n" + cards;
    add<BarRows>(all, view, "bars");
    add<HeatGrid>(all, view, "map");
    add<ChartView>(all, view, "chart");
    add<TimelineView>(all, view, "timeline");
    add<RecordView>(all, view, "table");
    return all;
}

}  // namespace strata
