// Changes that are not saved yet, kept beside the settings a moment after each, so that a crash or a power cut loses a
// second of work and no more. A window that ends as it should leaves nothing there.
#pragma once

#include <QObject>
#include <QTimer>
#include <optional>

#include "app/gui/models/scenario_document.hpp"

namespace strata {

class Autosave : public QObject {
    Q_OBJECT
public:
    Autosave(ScenarioDocument& document, const QString& folder, QObject* parent = nullptr);
    ~Autosave() override;

    // What a window left that did not end as it should; the latest, if there are more.
    struct LeftBehind {
        QString file;      // of the scenario; empty: it had none
        std::string text;  // with the changes
        QString kept;      // where this lies
    };
    std::optional<LeftBehind> left_behind() const;
    static void forget(const LeftBehind& left);

signals:
    void failed(QString why);  // once, until it works again

private:
    void keep();

    ScenarioDocument& document_;
    QString folder_, own_;
    QTimer settles_;
    bool failing_ = false;
};

}  // namespace strata
