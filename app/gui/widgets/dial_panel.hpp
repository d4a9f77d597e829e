// Sliders and boxes over a point: what they are turned to is laid over the scenario, as --set would, until it is put
// into it or taken back.
#pragma once

#include <QWidget>
#include <map>
#include <string>
#include <vector>

#include "app/gui/models/dials.hpp"

class QSlider;
class QComboBox;
class QLabel;
class QGridLayout;

namespace strata {

class DialPanel : public QWidget {
    Q_OBJECT
public:
    explicit DialPanel(QWidget* parent = nullptr);

    // Of a point as it is in the scenario; what has been turned and is still there stays turned.
    void set(const std::vector<Dial>& dials);
    void reset();
    // What is turned away from the scenario, path and value.
    std::vector<std::pair<std::string, std::string>> turned() const;
    QSlider* slider(const std::string& path) const;
    QComboBox* box(const std::string& path) const;
    void take_focus();  // onto the first of them

signals:
    void turned_to();  // by hand

private:
    struct Row {
        Dial dial;
        QLabel *name, *value;
        QSlider* slider = nullptr;
        QComboBox* box = nullptr;
    };
    void build();
    void show_values();

    QGridLayout* grid_;
    std::vector<Row> rows_;
    std::map<std::string, std::string> turned_;  // by path, as written
    bool filling_ = false;
};

}  // namespace strata
