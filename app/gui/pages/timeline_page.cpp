#include "app/gui/pages/timeline_page.hpp"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QVBoxLayout>

#include "app/gui/models/traced_step_of.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "app/gui/widgets/timeline_view.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

Records records_of(const std::vector<SpanTotal>& totals) {
    Records records{{"op or part", "lane", "rank", "times", "in all [us]", "on the critical path [us]"}};
    const auto number = [](double value) { return Cell{QString::fromStdString(plain(value)), value}; };
    for (const SpanTotal& total : totals)
        records.rows.push_back({{QString::fromStdString(total.name)},
                                {QString::fromStdString(total.lane)},
                                {QString::fromStdString(total.rank)},
                                number(double(total.count)),
                                number(total.us),
                                number(total.critical_us)});
    return records;
}

}  // namespace

TimelinePage::TimelinePage(const std::string& simulator, QWidget* parent)
    : DetailPage(parent),
      simulator_(simulator),
      said_(caption("")),
      told_(caption("")),
      search_(new QLineEdit),
      view_(new TimelineView),
      table_(new RecordView("Filter ops")) {
    search_->setPlaceholderText("Find ops by name; Enter: the next");
    search_->setAccessibleName("Find ops by name");
    search_->setClearButtonEnabled(true);
    search_->setFixedWidth(280);
    told_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* line = new QHBoxLayout;
    line->addWidget(search_);
    auto* fit = new QPushButton("&Fit");
    fit->setToolTip("Show the whole step (Home)");
    line->addWidget(fit);
    line->addSpacing(12);
    line->addWidget(told_, 3);
    auto* area = new QScrollArea;
    area->setWidget(view_);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(area);
    splitter->addWidget(table_);
    splitter->setSizes({480, 240});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    connect(fit, &QPushButton::clicked, view_, &TimelineView::fit);
    connect(view_, &TimelineView::told, told_, &QLabel::setText);
    connect(search_, &QLineEdit::textChanged, this, [this](const QString& text) {
        const std::size_t found = view_->search(text);
        told_->setText(text.isEmpty() ? QString() : QString("%1 found").arg(found));
    });
    connect(search_, &QLineEdit::returnPressed, view_, &TimelineView::go_to_next);
    connect(table_, &RecordView::selection_changed, this, [this] {
        const std::vector<std::size_t> selected = table_->selected();
        if (!selected.empty()) search_->setText(table_->model().records().at(selected.front(), 0).text);
    });
}

QString TimelinePage::said() const { return said_->text(); }

void TimelinePage::look(const AnswerRequest& request, LiveEngine& engine) {
    said_->setText("The systemc engine runs...");
    engine.look(
        this,
        [request, simulator = simulator_](Answerer& answerer) { return traced_step_of(answerer, request, simulator); },
        [this](const Looked<StepTimeline>& looked) {
            if (looked.value)
                show_timeline(*looked.value);
            else
                said_->setText(looked.reason);
            emit shown();
        });
}

void TimelinePage::show_timeline(const StepTimeline& timeline) {
    view_->set(timeline);
    view_->setMinimumHeight(view_->sizeHint().height());
    table_->set(records_of(totals_of(timeline)));
    if (!search_->text().isEmpty()) view_->search(search_->text());
    std::size_t spans = 0;
    for (const TimelineLane& lane : timeline.lanes) spans += lane.spans().size();
    said_->setText(
        QString("%1 ms by the %2 engine, %3 spans. Wheel: zoom; drag: pan; Shift and drag: measure.%4")
            .arg(QString::fromStdString(plain(timeline.makespan_us / 1e3)), QString::fromStdString(timeline.engine))
            .arg(spans)
            .arg(timeline.note.empty() ? QString() : " The systemc engine: " + QString::fromStdString(timeline.note)));
}

}  // namespace strata
