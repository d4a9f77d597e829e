#include "app/gui/widgets/metric_card.hpp"

#include <QEvent>
#include <QVBoxLayout>
#include <cmath>

#include "app/gui/widgets/theme.hpp"
#include "reports/study_view.hpp"

namespace strata {

MetricCard::MetricCard(QWidget* parent)
    : QFrame(parent), label_(new QLabel), value_(new QLabel), difference_(new QLabel) {
    setFrameShape(QFrame::NoFrame);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    QFont big = font();
    big.setPointSizeF(big.pointSizeF() * 1.75);
    big.setWeight(QFont::DemiBold);
    value_->setFont(big);
    value_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(14, 10, 14, 10);
    layout->setSpacing(1);
    for (QLabel* label : {label_, value_, difference_}) layout->addWidget(label);
    for (QLabel* label : {label_, difference_}) label->setWordWrap(true);  // six fit beside the scenario at 1280 pixels
    layout->addStretch(1);
    colour();
}

void MetricCard::set(const Headline& headline, std::optional<double> baseline, const QString& tooltip) {
    QString unit = QString::fromStdString(headline.unit);  // a line breaks before it, not in it
    unit.replace(' ', QChar::Nbsp).replace("/", "/\u2060");
    label_->setText(QString::fromStdString(headline.label) + (unit.isEmpty() ? unit : " [" + unit + "]"));
    value_->setText(QString::fromStdString(plain(headline.value)));
    setToolTip(tooltip);
    setAccessibleName(QString::fromStdString(headline.metric));
    verdict_ = 0;
    difference_->setText(baseline ? "as the baseline" : "no baseline");
    constexpr double kSeen = 5e-4;  // less than what the text would show
    if (baseline && *baseline != 0 && std::abs(headline.value / *baseline - 1) >= kSeen) {
        const double change = headline.value / *baseline - 1;
        difference_->setText(QString("%1%2 % of %3")
                                 .arg(change > 0 ? "+" : "\u2212")
                                 .arg(std::abs(100 * change), 0, 'f', 1)
                                 .arg(QString::fromStdString(plain(*baseline))));
        verdict_ = (change < 0) == lower_is_better(headline.metric) ? 1 : -1;
    }
    colour();
}

void MetricCard::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) colour();
}

void MetricCard::colour() {
    const auto paint = [](QLabel& label, const QColor& colour) {
        QPalette own = label.palette();
        if (own.color(QPalette::WindowText) == colour) return;
        own.setColor(QPalette::WindowText, colour);
        label.setPalette(own);
    };
    paint(*label_, muted(palette()));
    paint(*difference_, verdict_ > 0 ? good(palette()) : verdict_ < 0 ? bad(palette()) : muted(palette()));
}

}  // namespace strata
