// Every kernel of the step against what the device could do at most, coloured by how its time is known; one that is
// clicked on shows how the cost book comes to it.
#pragma once

#include <QWidget>

#include "app/gui/models/live_engine.hpp"
#include "app/gui/widgets/when_seen.hpp"

class QCustomPlot;
class QLabel;
class QPlainTextEdit;

namespace strata {

class RecordView;

class RooflinePage : public QWidget {
    Q_OBJECT
public:
    explicit RooflinePage(QWidget* parent = nullptr);
    void show_answer(const SharedAnswer& answer);
    void set_baseline(const SharedAnswer& baseline);  // what arrows come from; null: none
    void show_derivation(const QString& text);
    RecordView& table() { return *table_; }

signals:
    void asked_for(const strata::OpPoint& point);  // how its time is derived

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void draw();
    void chosen();
    void clicked(const QPointF& at);

    SharedAnswer answer_, baseline_, in_table_;
    QCustomPlot* plot_;
    QLabel* said_;
    RecordView* table_;
    QPlainTextEdit* derivation_;
    WhenSeen* seen_;
};

}  // namespace strata
