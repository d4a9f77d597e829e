// How far predictions are from what was published: the ledger as a table, and every row that has both as a mark.
#pragma once

#include <QWidget>
#include <vector>

#include "app/gui/models/background_job.hpp"
#include "sim/study/validation.hpp"

class QCustomPlot;
class QLabel;
class QLineEdit;
class QPushButton;

namespace strata {

class RecordView;

class ValidationPage : public QWidget {
    Q_OBJECT
public:
    ValidationPage(const StudyOptions& options, QWidget* parent = nullptr);
    void run();  // in the background; again: nothing while it runs
    void show_ledger(const std::vector<LedgerRow>& ledger);
    RecordView& table() { return *table_; }
    BackgroundJob& job() { return job_; }
    void set_pattern(const QString& pattern);

protected:
    void changeEvent(QEvent* event) override;

private:
    void draw();

    StudyOptions options_;
    std::vector<LedgerRow> ledger_;
    QLineEdit* pattern_;
    QPushButton* run_;
    QLabel* said_;
    QCustomPlot* plot_;
    RecordView* table_;
    BackgroundJob job_;  // last: it may still be reading the others' data when the page goes
};

}  // namespace strata
