#include "app/gui/pages/answer_page.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "app/gui/pages/memory_page.hpp"
#include "app/gui/widgets/bar_rows.hpp"
#include "app/gui/widgets/metric_card.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kMargin = 18, kDialsWidth = 270;

// Work by component; what travels beside it may hide behind it, which is why the sum can exceed the step.
BarRow time_row(const QString& label, const Run& run) {
    BarRow row{label, {}};
    double exchange = 0, fetch = 0, all = 0;
    for (const auto& [name, time] : run.components) {
        if (time.kernels() > 0)
            row.pieces.push_back({QString::fromStdString(name), time.kernels(), component_colour(name)});
        exchange += time.exchange;
        fetch += time.fetch;
        all += time.kernels() + time.exchange + time.fetch;
    }
    if (exchange > 0) row.pieces.push_back({"exchange", exchange, component_colour("exchange")});
    if (fetch > 0) row.pieces.push_back({"fetch", fetch, component_colour("fetch")});
    row.text = QString("%1 ms of work").arg(QString::fromStdString(plain(all)));
    return row;
}

}  // namespace

AnswerPage::AnswerPage(QWidget* parent)
    : QWidget(parent),
      title_(new QLabel),
      question_(new QLabel),
      engine_(new QLabel),
      reason_(new QLabel),
      verdicts_(new QLabel),
      results_(new QWidget),
      cards_row_(new QHBoxLayout),
      dials_(new DialPanel),
      pin_(new QPushButton("&Pin as baseline")),
      put_(new QPushButton("Put into &scenario")),
      reset_(new QPushButton("&Reset dials")),
      time_(new BarRows("ms")),
      memory_(new BarRows("GB")) {
    QFont big = title_->font();
    big.setPointSizeF(big.pointSizeF() * 1.45);
    big.setWeight(QFont::DemiBold);
    title_->setFont(big);
    question_->setWordWrap(true);
    question_->setForegroundRole(QPalette::PlaceholderText);
    engine_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    engine_->setForegroundRole(QPalette::PlaceholderText);
    reason_->setWordWrap(true);
    reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    verdicts_->setWordWrap(true);
    auto* top = new QHBoxLayout;
    top->addWidget(title_);
    top->addStretch(1);
    top->addWidget(engine_);
    cards_row_->setSpacing(10);

    auto* left = new QWidget;
    left->setFixedWidth(kDialsWidth);
    auto* left_layout = new QVBoxLayout(left);
    left_layout->setContentsMargins(0, 0, 16, 0);
    left_layout->addWidget(heading("What if"));
    left_layout->addWidget(dials_);
    left_layout->addSpacing(12);
    for (QPushButton* button : {pin_, put_, reset_}) left_layout->addWidget(button);
    left_layout->addStretch(1);
    pin_->setToolTip("Differences are shown to what is pinned (Ctrl+B)");
    put_->setToolTip("Write what the dials are turned to into the scenario, as one step that can be undone");

    auto* right = new QVBoxLayout;
    right->setSpacing(4);
    right->addWidget(heading("Time of the step by component"));
    right->addWidget(time_);
    right->addWidget(heading("Memory by tier and class"));
    right->addWidget(memory_);
    right->addWidget(heading("Assertions"));
    right->addWidget(verdicts_);
    right->addStretch(1);
    auto* scrolled = new QWidget;
    scrolled->setLayout(right);
    right->setContentsMargins(0, 0, 0, 0);
    auto* area = new QScrollArea;
    area->setWidget(scrolled);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    auto* lower = new QHBoxLayout;
    lower->addWidget(left);
    lower->addWidget(area, 1);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
    layout->setSpacing(6);
    layout->addLayout(top);
    layout->addWidget(question_);
    layout->addSpacing(8);
    layout->addLayout(cards_row_);
    layout->addWidget(reason_);
    layout->addLayout(lower, 1);
    reason_->hide();
    connect(pin_, &QPushButton::clicked, this, &AnswerPage::pin_wanted);
    connect(put_, &QPushButton::clicked, this, &AnswerPage::put_into_scenario);
    connect(reset_, &QPushButton::clicked, dials_, &DialPanel::reset);
}

QString AnswerPage::engine_text() const { return engine_->text(); }

void AnswerPage::set_title(const QString& name, const QString& question) {
    title_->setText(name);
    question_->setText(question);
}

void AnswerPage::show_answer(const SharedAnswer& answer) {
    answer_ = shown_ = answer;
    engine_->setText(QString("%1 engine, %2 ms")
                         .arg(QString::fromStdString(answer->engine))
                         .arg(answer->ms, 0, 'f', answer->ms < 10 ? 1 : 0));
    put_->setEnabled(!dials_->turned().empty());
    reset_->setEnabled(!dials_->turned().empty());
    say_why_none(answer->run ? QString() : QString::fromStdString(answer->reason));
    for (MetricCard* card : cards_) card->setEnabled(answer->run.has_value());
    if (!answer->run) return;
    if (!baseline_) baseline_ = *answer->run;
    show_run(*answer->run);
    show_verdicts(answer->verdicts);
    show_memory();
}

void AnswerPage::say_refining() {
    if (shown_ && shown_->run) engine_->setText(engine_->text() + "; systemc is running");
}

void AnswerPage::show_refined(const SharedAnswer& refined) {
    const QString analytic = answer_ ? QString("analytic engine, %1 ms").arg(answer_->ms, 0, 'f', 1) : QString();
    const bool same_reason = answer_ && !answer_->run;  // the engines refuse a point alike
    if (!refined || same_reason) return engine_->setText(analytic);
    if (!refined->run) {
        engine_->setText(analytic + "; no systemc answer");
        return say_why_none("systemc: " + QString::fromStdString(refined->reason));
    }
    shown_ = refined;
    engine_->setText(
        QString("refined by the systemc engine, contention included (%1 s)").arg(refined->ms / 1e3, 0, 'f', 1));
    show_run(*refined->run);
    show_verdicts(refined->verdicts);
}

void AnswerPage::say_why_none(const QString& reason) {
    QPalette own = reason_->palette();
    own.setColor(QPalette::WindowText, bad(palette()));
    reason_->setPalette(own);
    reason_->setText(reason);
    reason_->setVisible(!reason.isEmpty());
}

void AnswerPage::pin() {
    if (!shown_ || !shown_->run) return;
    baseline_ = *shown_->run;
    show_run(*shown_->run);
}

void AnswerPage::show_run(const Run& run) {
    const std::vector<Headline> headlines = headlines_of(run);
    while (cards_.size() < headlines.size()) {
        cards_.push_back(new MetricCard);
        cards_row_->addWidget(cards_.back(), 1);
    }
    QString origins;
    for (const auto& [origin, share] : run.share_of_compute)
        origins += QString("<br>%1 %2").arg(QString::fromStdString(percent(share)), QString::fromStdString(origin));
    for (std::size_t i = 0; i < cards_.size(); ++i) {
        cards_[i]->setVisible(i < headlines.size());
        if (i >= headlines.size()) continue;
        std::optional<double> before;
        if (baseline_ && baseline_->metrics.contains(headlines[i].metric))
            before = baseline_->metrics.at(headlines[i].metric);
        cards_[i]->set(headlines[i], before,
                       QString("<b>%1</b><br>engine %2%3")
                           .arg(QString::fromStdString(headlines[i].metric), QString::fromStdString(run.engine),
                                origins.isEmpty() ? "" : "<br>time of computing is" + origins));
    }
    std::vector<BarRow> rows;
    if (!run.components.empty()) rows.push_back(time_row("now", run));
    if (baseline_ && !baseline_->components.empty()) rows.push_back(time_row("baseline", *baseline_));
    time_->set(std::move(rows));
}

void AnswerPage::show_memory() {
    std::vector<BarRow> rows;
    for (const MemoryTier& tier : answer_->memory) rows.push_back(bar_of(tier));
    memory_->set(std::move(rows));
}

void AnswerPage::show_verdicts(const std::vector<Verdict>& verdicts) {
    QString text;
    for (const Verdict& verdict : verdicts)
        text += QString("<p style='margin:2px 0'><span style='color:%1'><b>%2</b></span>&nbsp; %3 &nbsp;(%4)</p>")
                    .arg((verdict.holds ? good(palette()) : bad(palette())).name(), verdict.holds ? "holds" : "fails",
                         QString::fromStdString(verdict.text).toHtmlEscaped(),
                         verdict.value ? "is " + QString::fromStdString(plain(*verdict.value))
                                       : "no such metric of this workload");
    verdicts_->setText(
        text.isEmpty() ? "The scenario asserts nothing. Add, for example, assertions: [decode.tpot_ms <= 50]." : text);
}

}  // namespace strata
