// Our kernels as they were measured: each against the ceiling that binds it and the goal that was set for it, with the
// spread of its times.
#pragma once

#include <QWidget>

#include "app/gui/models/kernel_run.hpp"
#include "app/gui/models/kernel_samples.hpp"

class QComboBox;
class QCustomPlot;
class QLabel;
class QPushButton;

namespace strata {

class RecordView;

class KernelsPage : public QWidget {
    Q_OBJECT
public:
    // `bench`: strata-kernels; empty: the one beside this program.
    explicit KernelsPage(const std::string& root, const QString& bench = {}, QWidget* parent = nullptr);
    void measure();  // the family that is chosen, on this machine; or ends that
    KernelRun& measurement() { return run_; }
    QString said() const;
    void show_samples(std::vector<KernelSample> samples);
    RecordView& table() { return *table_; }
    QComboBox& family() { return *family_; }

protected:
    void showEvent(QShowEvent* event) override;  // records are read when they are looked at
    void changeEvent(QEvent* event) override;

private:
    void read_records();
    void measurement_ended(const QString& trouble);
    void choose_family();
    void draw();

    std::string root_;
    bool read_ = false;
    std::vector<KernelSample> samples_, shown_;
    KernelRun run_;
    QComboBox* family_;
    QPushButton* measure_;
    QLabel* said_;
    QCustomPlot* plot_;
    RecordView* table_;
};

}  // namespace strata
