// Error against speed of each storage format, one class of tensors at a time.
#pragma once

#include "app/gui/models/precision_options.hpp"
#include "app/gui/pages/detail_page.hpp"

class QCustomPlot;
class QLabel;

namespace strata {

class RecordView;

class PrecisionPage : public DetailPage {
    Q_OBJECT
public:
    explicit PrecisionPage(QWidget* parent = nullptr);
    void look(const AnswerRequest& request, LiveEngine& engine) override;
    void show_options(PrecisionOptions options);
    RecordView& table() { return *table_; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void draw();

    PrecisionOptions options_;
    QLabel* said_;
    QCustomPlot* plot_;
    RecordView* table_;
};

}  // namespace strata
