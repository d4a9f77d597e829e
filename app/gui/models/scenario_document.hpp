// The scenario that is open: its text, which is the one truth, every change of it undone and redone, and what is wrong
// with it. The form, the text editor and the live answer all look at this.
#pragma once

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

struct ScenarioIssue {
    std::string path;  // of the field; empty: of the document as a whole
    int line = 0;      // from 1; 0: nowhere
    std::string message;
};

// What one InputError says, a message a line, each with its place where it names one.
std::vector<ScenarioIssue> issues_of(const std::string& error);

// One point of it, as read: of each axis the first value.
struct ReadPoint {
    Point point;
    Scenario scenario;
    std::vector<Assertion> assertions;
};

class ScenarioDocument : public QObject {
    Q_OBJECT
public:
    explicit ScenarioDocument(const std::string& root, QObject* parent = nullptr);

    const std::string& text() const { return text_; }
    const QString& file() const { return file_; }
    QUndoStack& undo_stack() { return undo_; }
    const std::vector<ScenarioIssue>& issues() const { return issues_; }
    const ScenarioIssue* issue_of(const std::string& path) const;
    bool is_valid() const { return issues_.empty(); }
    const std::optional<ReadPoint>& first_point() const { return first_; }  // of the last text that was right
    std::optional<std::string> value(const std::string& path) const;
    // The same document with its axes, for a study; throws InputError.
    ScenarioFile scenario_file() const;
    const std::string& root() const { return root_; }

    void open(const QString& file);  // throws InputError
    void save_as(const QString& file);
    void set_text(const std::string& text);                             // one step of undo while typing goes on
    void set_value(const std::string& path, const std::string& value);  // empty: takes the field away
    void set_values(const std::vector<std::pair<std::string, std::string>>& values, const QString& what);

signals:
    void changed();       // the text, and all that follows from it
    void file_changed();  // another file, or another name

private:
    friend class TextCommand;
    void put(const std::string& text);
    void validate();

    std::string root_;
    Catalog catalog_;
    std::string text_;
    YAML::Node parsed_;  // of it; undefined where it is no YAML
    QString file_;
    QUndoStack undo_;
    std::vector<ScenarioIssue> issues_;
    std::optional<ReadPoint> first_;
};

}  // namespace strata
