// The fabric that the step's tokens, or a collective, go over: its shape, how busy each link is, and where it is cut
// first.
#pragma once

#include "app/gui/models/fabric_use.hpp"
#include "app/gui/pages/detail_page.hpp"

class QComboBox;
class QLabel;
class QSlider;

namespace strata {

class FabricView;
class RecordView;

class FabricPage : public DetailPage {
    Q_OBJECT
public:
    explicit FabricPage(const std::string& root, QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_use(const std::shared_ptr<const FabricUse>& use);
    RecordView& table() { return *table_; }
    QComboBox& choice() { return *choice_; }
    QString said() const;
    QSlider& moment() { return *moment_; }  // over the exchange: 0 all of it, then from begin to end
    QString moment_text() const;

private:
    void show_moment(int position);

    QComboBox* choice_;
    QLabel *said_, *moment_text_;
    QSlider* moment_;
    std::shared_ptr<const FabricUse> use_;
    FabricView* view_;
    RecordView* table_;
    std::optional<AnswerRequest> request_;
    LiveEngine* engine_ = nullptr;
};

}  // namespace strata
