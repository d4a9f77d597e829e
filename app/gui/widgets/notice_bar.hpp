// A line above the page that says what went wrong, or what can be done next, with buttons for that. It stays until it
// is answered, and nothing waits for it: the window goes on.
#pragma once

#include <QFrame>
#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QPushButton;

namespace strata {

class NoticeBar : public QFrame {
    Q_OBJECT
public:
    struct Offer {
        QString text;
        std::function<void()> act;
    };
    explicit NoticeBar(QWidget* parent = nullptr);

    void tell(const QString& text, std::vector<Offer> offers = {});  // what can be done
    void warn(const QString& text, std::vector<Offer> offers = {});  // what went wrong
    void dismiss();
    QString text() const;
    QPushButton* button(const QString& text) const;
    void colour();  // from the palette of the window

private:
    void show_notice(const QString& text, std::vector<Offer> offers, bool wrong);

    QLabel* text_;
    QHBoxLayout* buttons_;
    bool wrong_ = false;
};

}  // namespace strata
