// What fills which memory, and what rows of a size get of a memory's bandwidth.
#pragma once

#include "app/gui/models/row_curves.hpp"
#include "app/gui/models/timeline_lanes.hpp"
#include "app/gui/pages/detail_page.hpp"
#include "app/gui/widgets/when_seen.hpp"

class QLabel;

namespace strata {

class BarRows;
class ChartView;
class RecordView;

class MemoryPage : public DetailPage {
    Q_OBJECT
public:
    explicit MemoryPage(const std::string& simulator, QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_answer(const SharedAnswer& answer);
    void show_curves(const RowCurves& curves);
    void show_use(const StepTimeline& timeline);
    RecordView& table() { return *table_; }
    ChartView& use() { return *use_; }

private:
    void draw();

    std::string simulator_;
    SharedAnswer answer_;
    QLabel* said_;
    BarRows* tiers_;
    RecordView* table_;
    ChartView *rows_, *use_;
    WhenSeen* seen_;
};

// A tier as a bar on its capacity; the Answer page shows the same.
struct BarRow;
BarRow bar_of(const MemoryTier& tier);

}  // namespace strata
