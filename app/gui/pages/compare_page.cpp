#include "app/gui/pages/compare_page.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QSplitter>
#include <QTabWidget>
#include <algorithm>
#include <cmath>

#include "app/gui/models/metrics.hpp"
#include "app/gui/widgets/difference_bar.hpp"
#include "app/gui/widgets/heat_grid.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

HeatCells cells_of(const Run& baseline, const Run& other) {
    HeatCells cells{.title = "Work by component and kind: difference to the baseline", .unit = "ms"};
    cells.column_title = "what the time is of";
    cells.middle = 0;
    cells.written = true;
    for (const char* kind : kTimeKinds) cells.columns << kind;
    for (const ComponentDifference& difference : component_differences(baseline, other)) {
        cells.rows << QString::fromStdString(difference.component);
        cells.values.insert(cells.values.end(), difference.ms.begin(), difference.ms.end());
    }
    return cells;
}

// The bars of one column share a scale; one that is beyond all others must not flatten them, so it is the widest that
// nine of ten stay below.
double widest(const Records& records, int column) {
    std::vector<double> sizes;
    for (std::size_t row = 0; row < records.size(); ++row)
        if (const Cell cell = records.at(row, static_cast<std::size_t>(column));
            cell.sorted_by.typeId() == QMetaType::Double)
            if (const double size = std::abs(cell.sorted_by.toDouble()); size > 0) sizes.push_back(size);
    if (sizes.empty()) return 0;
    std::ranges::sort(sizes);
    return sizes[std::min(sizes.size() - 1, sizes.size() * 9 / 10)];
}

}  // namespace

ComparePage::ComparePage(QWidget* parent)
    : QWidget(parent),
      list_(new QListWidget),
      said_(caption("")),
      pin_(new QPushButton("&Pin the answer")),
      baseline_(new QPushButton("&Make baseline")),
      remove_(new QPushButton("&Remove")),
      heat_(new HeatGrid),
      metrics_(new RecordView("Filter metrics")),
      ops_(new RecordView("Filter ops")),
      seen_(new WhenSeen(this, [this] {
          fill_list();
          draw();
      })) {
    list_->setAccessibleName("Runs that are compared");
    list_->setFrameShape(QFrame::NoFrame);
    list_->setWordWrap(true);
    pin_->setToolTip("Keep what the dials show now (Ctrl+B)");
    auto* left = new QWidget;
    left->setFixedWidth(230);
    auto* side = new QVBoxLayout(left);
    side->setContentsMargins(0, 0, 12, 0);
    side->addWidget(heading("Runs"));
    side->addWidget(list_, 1);
    for (QPushButton* button : {pin_, baseline_, remove_}) side->addWidget(button);
    heat_->setAccessibleName("Difference of work by component and kind");
    auto* tables = new QTabWidget;
    tables->setAccessibleName("Differences by metric and by op");
    tables->addTab(metrics_, "Metrics, what changed most first");
    tables->addTab(ops_, "Ops, by time gained or lost");
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(heat_);
    splitter->addWidget(tables);
    splitter->setSizes({230, 430});
    auto* lower = new QHBoxLayout;
    lower->addWidget(left);
    lower->addWidget(splitter, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addWidget(said_);
    layout->addLayout(lower, 1);
    for (int i = 0; i < 4; ++i) bars_[i] = new DifferenceBar(this);
    connect(pin_, &QPushButton::clicked, this, &ComparePage::pin_wanted);
    connect(baseline_, &QPushButton::clicked, this, &ComparePage::make_baseline);
    connect(remove_, &QPushButton::clicked, this, &ComparePage::remove);
    connect(list_, &QListWidget::currentRowChanged, this, [this](int row) {
        if (row >= 0) look_at(static_cast<std::size_t>(row));
    });
    fill_list();
}

std::vector<NamedAnswer> ComparePage::runs() const {
    std::vector<NamedAnswer> all = pinned_;
    if (current_.answer) all.push_back(current_);
    return all;
}

void ComparePage::show_answer(const SharedAnswer& answer) {
    if (!answer->run) return;  // what was shown stands: the Answer page says what is wrong
    current_ = {answer->name, answer};
    if (pinned_.empty()) pinned_.push_back(current_);
    if (follows_current_) looked_at_ = pinned_.size();
    seen_->draw();
}

void ComparePage::pin() {
    if (!current_.answer) return;
    pinned_.push_back(current_);
    looked_at_ = pinned_.size();
    follows_current_ = true;
    seen_->draw();
}

void ComparePage::forget() {
    pinned_.clear();
    current_ = {};
    looked_at_ = 0;
    follows_current_ = true;
    fill_list();
}

void ComparePage::look_at(std::size_t run) {
    if (run >= runs().size() || run == looked_at_) return;
    looked_at_ = run;
    follows_current_ = run == pinned_.size();
    list_->setCurrentRow(static_cast<int>(run));
    enable_buttons();
    draw();
}

void ComparePage::make_baseline() {
    if (looked_at_ == 0 || looked_at_ >= pinned_.size()) return;
    std::rotate(pinned_.begin(), pinned_.begin() + std::ptrdiff_t(looked_at_),
                pinned_.begin() + std::ptrdiff_t(looked_at_) + 1);
    looked_at_ = pinned_.size();
    follows_current_ = true;
    seen_->draw();
}

void ComparePage::remove() {
    if (looked_at_ >= pinned_.size() || pinned_.size() < 2) return;
    pinned_.erase(pinned_.begin() + std::ptrdiff_t(looked_at_));
    looked_at_ = pinned_.size();
    follows_current_ = true;
    seen_->draw();
}

void ComparePage::fill_list() {
    const QSignalBlocker quiet(list_);
    list_->clear();
    const std::vector<NamedAnswer> all = runs();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const QString role = i == pinned_.size() ? "now" : i == 0 ? "baseline" : QString("pinned %1").arg(i);
        const std::vector<Headline> headlines = headlines_of(*all[i].answer->run);
        QString first;
        if (!headlines.empty())
            first =
                QString("\n%1 %2 %3")
                    .arg(QString::fromStdString(headlines[0].label), QString::fromStdString(plain(headlines[0].value)),
                         QString::fromStdString(headlines[0].unit));
        list_->addItem(QString("%1: %2%3").arg(role, QString::fromStdString(all[i].name), first));
    }
    list_->setCurrentRow(static_cast<int>(looked_at_));
    enable_buttons();
}

void ComparePage::enable_buttons() {
    pin_->setEnabled(current_.answer != nullptr);
    baseline_->setEnabled(looked_at_ > 0 && looked_at_ < pinned_.size());
    remove_->setEnabled(looked_at_ < pinned_.size() && pinned_.size() > 1);
}

void ComparePage::draw() {
    const std::vector<NamedAnswer> all = runs();
    if (all.size() < 2) return;
    const Records metrics = records_of(metric_differences(all, looked_at_), all);
    const Records ops = records_of(op_differences(all, looked_at_), all);
    heat_->set(cells_of(*all.front().answer->run, *all[looked_at_].answer->run));
    int bar = 0;
    for (const auto& [view, records] : {std::pair(metrics_, &metrics), {ops_, &ops}}) {
        view->set(*records);
        const int columns = static_cast<int>(records->columns.size());
        for (int column = 0; column < columns; ++column)
            view->table().setItemDelegateForColumn(column, nullptr);  // runs come and go, and with them columns
        for (const int column : {1, 2}) {
            bars_[bar]->set_widest(widest(*records, column));
            view->table().setItemDelegateForColumn(column, bars_[bar++]);
            view->table().setColumnWidth(column, std::max(110, view->table().columnWidth(column)));
        }
    }
    said_->setText(
        QString("\u201C%1\u201D against the baseline \u201C%2\u201D, both by the %3 engine. Pin what the dials "
                "show (Ctrl+B), turn them, and see here what changes.")
            .arg(QString::fromStdString(all[looked_at_].name), QString::fromStdString(all.front().name),
                 QString::fromStdString(all.front().answer->engine)));
}

}  // namespace strata
