#include "app/gui/widgets/dial_panel.hpp"

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QSlider>
#include <charconv>
#include <cmath>

namespace strata {

namespace {

constexpr int kPositions = 1000;

// Of what Dial::written wrote.
double number_in(const std::string& text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return text.find("TB/s") == std::string::npos ? value : value * 1000;
}

// A box that nobody has opened must not turn with the wheel of someone who scrolls.
class CalmBox : public QComboBox {
protected:
    void wheelEvent(QWheelEvent*) override {}
};

}  // namespace

DialPanel::DialPanel(QWidget* parent) : QWidget(parent), grid_(new QGridLayout(this)) {
    grid_->setContentsMargins(0, 0, 0, 0);
    grid_->setHorizontalSpacing(8);
    grid_->setVerticalSpacing(2);
    grid_->setColumnStretch(0, 1);
}

void DialPanel::set(const std::vector<Dial>& dials) {
    bool same = dials.size() == rows_.size();
    for (std::size_t i = 0; same && i < dials.size(); ++i)
        same = dials[i].path == rows_[i].dial.path && dials[i].choices == rows_[i].dial.choices;
    if (!same) {
        rows_.clear();
        for (const Dial& dial : dials) rows_.push_back({dial, nullptr, nullptr});
        build();
    }
    for (std::size_t i = 0; i < dials.size(); ++i) rows_[i].dial = dials[i];
    std::erase_if(turned_, [&](const auto& entry) {
        return std::none_of(dials.begin(), dials.end(), [&](const Dial& dial) { return dial.path == entry.first; });
    });
    show_values();
}

void DialPanel::build() {
    while (QLayoutItem* item = grid_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    int line = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        Row& row = rows_[i];
        const QString path = QString::fromStdString(row.dial.path);
        row.name = new QLabel(QString::fromStdString(row.dial.label));
        row.value = new QLabel;
        row.value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        grid_->addWidget(row.name, line, 0);
        if (row.dial.choices.empty()) {
            row.slider = new QSlider(Qt::Horizontal);
            row.slider->setRange(0, kPositions);
            row.slider->setPageStep(kPositions / 20);
            grid_->addWidget(row.value, line++, 1);
            grid_->addWidget(row.slider, line++, 0, 1, 2);
            connect(row.slider, &QSlider::valueChanged, this, [this, i](int position) {
                if (filling_) return;
                const Dial& dial = rows_[i].dial;
                turned_[dial.path] = dial.written(dial.at(double(position) / kPositions));
                show_values();
                emit turned_to();
            });
        } else {
            row.box = new CalmBox;
            for (const std::string& choice : row.dial.choices) row.box->addItem(QString::fromStdString(choice));
            delete row.value;
            row.value = nullptr;
            grid_->addWidget(row.box, line++, 1);
            connect(row.box, &QComboBox::currentTextChanged, this, [this, i](const QString& text) {
                if (filling_) return;
                turned_[rows_[i].dial.path] = text.toStdString();
                show_values();
                emit turned_to();
            });
        }
        QWidget* control = row.slider ? static_cast<QWidget*>(row.slider) : row.box;
        control->setAccessibleName(QString("%1 (%2)").arg(QString::fromStdString(row.dial.label), path));
        for (QWidget* widget : {static_cast<QWidget*>(row.name), control}) widget->setToolTip(path);
        if (row.slider) grid_->setRowMinimumHeight(line, 4);
        if (row.slider) ++line;
    }
    grid_->setRowStretch(line, 1);
}

void DialPanel::show_values() {
    filling_ = true;
    for (Row& row : rows_) {
        const auto turned = turned_.find(row.dial.path);
        const std::string start = row.box ? row.dial.choice : row.dial.written(row.dial.value);
        if (turned != turned_.end() && turned->second == start) turned_.erase(turned);
        const bool moved = turned_.contains(row.dial.path);
        const std::string now = moved ? turned_[row.dial.path] : start;
        QFont bold = font();
        bold.setBold(moved);
        row.name->setFont(bold);
        if (row.box) {
            row.box->setCurrentText(QString::fromStdString(now));
            continue;
        }
        row.value->setFont(bold);
        const QString unit = row.dial.unit == "GB/s" ? "" : " " + QString::fromStdString(row.dial.unit);
        row.value->setText(QString::fromStdString(now) + unit);
        row.value->setToolTip(QString("in the scenario: %1%2").arg(QString::fromStdString(start), unit));
        if (!row.slider->isSliderDown())
            row.slider->setValue(static_cast<int>(
                std::lround(row.dial.position_of(moved ? number_in(now) : row.dial.value) * kPositions)));
    }
    filling_ = false;
}

void DialPanel::reset() {
    turned_.clear();
    show_values();
    emit turned_to();
}

void DialPanel::take_focus() {
    if (rows_.empty()) return;
    const Row& first = rows_.front();
    (first.slider ? static_cast<QWidget*>(first.slider) : first.box)->setFocus(Qt::ShortcutFocusReason);
}

std::vector<std::pair<std::string, std::string>> DialPanel::turned() const { return {turned_.begin(), turned_.end()}; }

QSlider* DialPanel::slider(const std::string& path) const {
    for (const Row& row : rows_)
        if (row.dial.path == path) return row.slider;
    return nullptr;
}

QComboBox* DialPanel::box(const std::string& path) const {
    for (const Row& row : rows_)
        if (row.dial.path == path) return row.box;
    return nullptr;
}

}  // namespace strata
