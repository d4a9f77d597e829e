// One headline number with its difference to the pinned baseline.
#pragma once

#include <QFrame>
#include <QLabel>
#include <optional>

#include "app/gui/models/metrics.hpp"

namespace strata {

class MetricCard : public QFrame {
    Q_OBJECT
public:
    explicit MetricCard(QWidget* parent = nullptr);
    void set(const Headline& headline, std::optional<double> baseline, const QString& tooltip);
    QString shown() const { return value_->text(); }
    QString label() const { return label_->text(); }

protected:
    void changeEvent(QEvent* event) override;

private:
    void colour();

    QLabel *label_, *value_, *difference_;
    int verdict_ = 0;  // of the difference: -1 worse, 1 better
};

}  // namespace strata
