// Our kernels as they were measured: each against the ceiling that binds it and the goal that was set for it, with the
// spread of its times.
#pragma once

#include <QWidget>

#include "app/gui/models/kernel_samples.hpp"

class QComboBox;
class QCustomPlot;
class QLabel;

namespace strata {

class RecordView;

class KernelsPage : public QWidget {
    Q_OBJECT
public:
    explicit KernelsPage(const std::string& root, QWidget* parent = nullptr);
    void show_samples(std::vector<KernelSample> samples);
    RecordView& table() { return *table_; }
    QComboBox& family() { return *family_; }

protected:
    void showEvent(QShowEvent* event) override;  // records are read when they are looked at
    void changeEvent(QEvent* event) override;

private:
    void choose_family();
    void draw();

    std::string root_;
    bool read_ = false;
    std::vector<KernelSample> samples_, shown_;
    QComboBox* family_;
    QLabel* said_;
    QCustomPlot* plot_;
    RecordView* table_;
};

}  // namespace strata
