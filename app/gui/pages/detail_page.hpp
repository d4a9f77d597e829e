// A page that shows more of a point than its answer holds. It asks for that when it is looked at, and again when the
// point changes while it is.
#pragma once

#include <QWidget>

#include "app/gui/models/live_engine.hpp"

namespace strata {

class DetailPage : public QWidget {
    Q_OBJECT
public:
    using QWidget::QWidget;
    virtual void look(const AnswerRequest& request, LiveEngine& engine) = 0;

signals:
    void shown();  // what was asked for, or why there is none
};

}  // namespace strata
