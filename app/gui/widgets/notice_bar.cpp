#include "app/gui/widgets/notice_bar.hpp"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "app/gui/widgets/theme.hpp"

namespace strata {

NoticeBar::NoticeBar(QWidget* parent) : QFrame(parent), text_(new QLabel), buttons_(new QHBoxLayout) {
    setObjectName("notice");
    setAutoFillBackground(true);
    text_->setWordWrap(true);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    buttons_->setSpacing(6);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(18, 8, 12, 8);
    layout->addWidget(text_, 1);
    layout->addLayout(buttons_);
    hide();
}

void NoticeBar::tell(const QString& text, std::vector<Offer> offers) { show_notice(text, std::move(offers), false); }
void NoticeBar::warn(const QString& text, std::vector<Offer> offers) { show_notice(text, std::move(offers), true); }

void NoticeBar::show_notice(const QString& text, std::vector<Offer> offers, bool wrong) {
    wrong_ = wrong;
    text_->setText(text.toHtmlEscaped().replace('\n', "<br>"));
    text_->setAccessibleName(text);
    while (QLayoutItem* item = buttons_->takeAt(0)) {
        item->widget()->deleteLater();  // perhaps it is the one that was just pressed
        item->widget()->hide();
        item->widget()->setObjectName("gone");
        delete item;
    }
    offers.push_back({wrong ? "Dismiss" : "Close", {}});
    for (const Offer& offer : offers) {
        auto* button = new QPushButton(offer.text);
        buttons_->addWidget(button);
        connect(button, &QPushButton::clicked, this, [this, act = offer.act] {
            dismiss();
            if (act) act();  // may show the next one
        });
    }
    colour();
    show();
    QAccessibleEvent alert(this, QAccessible::Alert);  // read aloud though the focus stays
    QAccessible::updateAccessibility(&alert);
}

void NoticeBar::dismiss() {
    hide();
    text_->clear();
    text_->setAccessibleName({});
}

QString NoticeBar::text() const { return text_->accessibleName(); }

QPushButton* NoticeBar::button(const QString& text) const {
    for (QPushButton* button : findChildren<QPushButton*>())
        if (button->text() == text && button->objectName() != "gone") return button;
    return nullptr;
}

void NoticeBar::colour() {
    const QPalette outer = parentWidget() ? parentWidget()->palette() : palette();
    QPalette own = outer;
    const QColor mark = wrong_ ? bad(outer) : series_colour(0);
    own.setColor(QPalette::Window, mixed(outer.color(QPalette::Window), mark, 0.14));
    setPalette(own);
}

}  // namespace strata
