#include "app/gui/pages/fabric_page.hpp"

#include <QComboBox>
#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>

#include "app/gui/widgets/fabric_view.hpp"
#include "app/gui/widgets/record_view.hpp"
#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

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
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(view_);
    splitter->addWidget(table_);
    splitter->setSizes({480, 200});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 18);
    layout->addLayout(line);
    layout->addWidget(splitter, 1);
    connect(choice_, &QComboBox::activated, this, [this] {
        if (request_) look(*request_, *engine_);
    });
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
                view_->set(nullptr);
                table_->set({});
                said_->setText(looked.reason);
            }
            emit shown();
        });
}

void FabricPage::show_use(const std::shared_ptr<const FabricUse>& use) {
    view_->set(use);
    table_->set(records_of(*use));
    said_->setText(QString("%1 (%2): %3 us, of which the busiest link is %4 us at work. %5")
                       .arg(QString::fromStdString(use->exchange), QString::fromStdString(use->fabric.name()),
                            QString::fromStdString(plain(use->time_us)), QString::fromStdString(plain(use->wire_us)),
                            QString::fromStdString(use->note)));
}

}  // namespace strata
