#include "app/gui/pages/fabric_page.hpp"

#include <QComboBox>
#include <QLabel>
#include <QSlider>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "app/gui/widgets/fabric_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr int kMoments = 200;

Records records_of(const FabricUse& use) {
    Records records{{"links", "count", "rate of all [GB/s]", "carried [GB]", "busiest [%]", "mean [%]"}};
    const auto number = [](double value) { return Cell{QString::fromStdString(plain(value)), value}; };
    for (const FabricCut& cut : use.cuts)
        records.rows.push_back({{QString::fromStdString(cut.name)},
                                number(cut.links),
                                number(cut.capacity_GBps),
                                number(cut.carried_GB),
                                number(100 * cut.busiest_share),
                                number(100 * cut.mean_share)});
    return records;
}

}  // namespace

FabricPage::FabricPage(const std::string& root, QWidget* parent)
    : DetailPage(parent),
      choice_(new QComboBox),
      said_(caption("")),
      moment_text_(caption("")),
      moment_(new QSlider(Qt::Horizontal)),
      view_(new FabricView),
      table_(new RecordView("Filter links")) {
    choice_->addItem("as in the scenario", QString());
    for (const std::string& name : fabric_names(root))
        choice_->addItem(QString::fromStdString(name), QString::fromStdString(name));
    auto* name = new QLabel("&Fabric");
    name->setBuddy(choice_);
    auto* line = new QHBoxLayout;
    line->addWidget(name);
    line->addWidget(choice_);
    line->addSpacing(12);
    line->addWidget(said_, 1);
    moment_->setRange(0, kMoments);
    moment_->setAccessibleName("Time since the begin of the exchange");
    moment_->setToolTip(
        "Leftmost: the exchange as a whole. Each link carries its bytes from the begin without a pause.");
    moment_text_->setWordWrap(false);
    moment_text_->setMinimumWidth(320);
    auto* time = new QHBoxLayout;
    time->addWidget(new QLabel("Time"));
    time->addWidget(moment_, 1);
    time->addWidget(moment_text_);
    auto* drawing = new QWidget;
    auto* column = new QVBoxLayout(drawing);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(view_, 1);
    column->addLayout(time);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(drawing);
    splitter->addWidget(table_);
    splitter->setSizes({480, 200});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    connect(moment_, &QSlider::valueChanged, this, &FabricPage::show_moment);
    connect(choice_, &QComboBox::activated, this, [this] {
        if (request_) look(*request_, *engine_);
    });
}

QString FabricPage::moment_text() const { return moment_text_->text(); }

void FabricPage::show_moment(int position) {
    const double share = double(position) / kMoments;
    view_->set_moment(share);
    if (!use_) return moment_text_->clear();
    const auto busy = std::ranges::count_if(use_->share, [&](double own) { return own > 0 && own >= share; });
    moment_text_->setText(position == 0 ? QString("the exchange as a whole")
                                        : QString("after %1 us %2 of %3 links still carry")
                                              .arg(QString::fromStdString(plain(share * use_->wire_us)))
                                              .arg(busy)
                                              .arg(use_->share.size()));
}

QString FabricPage::said() const { return said_->text(); }

void FabricPage::look(const AnswerRequest& request, LiveEngine& engine) {
    request_ = request;
    engine_ = &engine;
    engine.look(
        this,
        [request, name = choice_->currentData().toString().toStdString()](Answerer& answerer) {
            return std::make_shared<const FabricUse>(fabric_use(answerer, request, name));
        },
        [this](const Looked<std::shared_ptr<const FabricUse>>& looked) {
            if (looked.value) {
                show_use(*looked.value);
            } else {
                use_ = nullptr;
                view_->set(nullptr);
                show_moment(0);
                table_->set({});
                said_->setText(looked.reason);
            }
            emit shown();
        });
}

void FabricPage::show_use(const std::shared_ptr<const FabricUse>& use) {
    use_ = use;
    view_->set(use);
    show_moment(moment_->value());
    table_->set(records_of(*use));
    said_->setText(QString("%1 (%2): %3 us, of which the busiest link is %4 us at work. %5")
                       .arg(QString::fromStdString(use->exchange), QString::fromStdString(use->fabric.name()),
                            QString::fromStdString(plain(use->time_us)), QString::fromStdString(plain(use->wire_us)),
                            QString::fromStdString(use->note)));
}

}  // namespace strata
