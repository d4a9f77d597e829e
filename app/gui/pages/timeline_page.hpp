// The step in time, as the systemc engine runs it: what each lane of a rank does when, when each part of the machine is
// occupied, and which chain of ops makes the step as long as it is.
#pragma once

#include "app/gui/models/timeline_lanes.hpp"
#include "app/gui/pages/detail_page.hpp"

class QLabel;
class QLineEdit;

namespace strata {

class RecordView;
class TimelineView;

class TimelinePage : public DetailPage {
    Q_OBJECT
public:
    explicit TimelinePage(const std::string& simulator, QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_timeline(const StepTimeline& timeline);
    TimelineView& view() { return *view_; }
    RecordView& table() { return *table_; }
    QLineEdit& search() { return *search_; }
    QString said() const;

private:
    std::string simulator_;
    QLabel *said_, *told_;
    QLineEdit* search_;
    TimelineView* view_;
    RecordView* table_;
};

}  // namespace strata
