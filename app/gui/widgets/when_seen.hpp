// Drawing that waits until somebody can see it: a page behind another costs a moving slider nothing.
#pragma once

#include <QEvent>
#include <QWidget>
#include <functional>

namespace strata {

class WhenSeen : public QObject {
public:
    WhenSeen(QWidget* widget, std::function<void()> draw) : QObject(widget), widget_(widget), draw_(std::move(draw)) {
        widget->installEventFilter(this);
    }
    // Now, where the widget is seen; else once, when it is shown.
    void draw() {
        waits_ = !widget_->isVisible();
        if (!waits_) draw_();
    }

protected:
    bool eventFilter(QObject*, QEvent* event) override {
        if (event->type() == QEvent::Show && waits_) {
            waits_ = false;
            draw_();
        }
        return false;
    }

private:
    QWidget* widget_;
    std::function<void()> draw_;
    bool waits_ = false;
};

}  // namespace strata
