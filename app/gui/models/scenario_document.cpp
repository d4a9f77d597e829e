#include "app/gui/models/scenario_document.hpp"

#include <fmt/format.h>

#include <QUndoCommand>
#include <filesystem>
#include <regex>
#include <sstream>

#include "app/gui/models/yaml_edit.hpp"
#include "reports/files.hpp"
#include "sim/scenario/sweep.hpp"

namespace strata {

// Typing is one step until something else is done.
class TextCommand : public QUndoCommand {
public:
    TextCommand(ScenarioDocument& document, std::string text, const QString& what, int merged_as)
        : QUndoCommand(what), document_(document), before_(document.text_), after_(std::move(text)), id_(merged_as) {}
    void undo() override { document_.put(before_); }
    void redo() override { document_.put(after_); }
    int id() const override { return id_; }
    bool mergeWith(const QUndoCommand* later) override {
        after_ = static_cast<const TextCommand*>(later)->after_;
        return true;
    }

private:
    ScenarioDocument& document_;
    std::string before_, after_;
    int id_;
};

namespace {

constexpr int kTyping = 1, kAlone = -1;

// The first value of each axis, set in the document.
Point first_of(const YAML::Node& document, const std::string& file, const ScenarioFile& without_axes) {
    Problems problems;
    const YamlField axes = YamlField(document, file, "", problems)["axes"];
    std::vector<std::pair<std::string, std::string>> settings;
    if (axes.exists())
        for (const YamlField& field : axes.items()) {
            const Axis axis = read_axis(field);
            if (axis.values.empty()) continue;
            for (std::size_t i = 0; i < axis.paths.size(); ++i)
                settings.emplace_back(axis.paths[i], axis.values.front()[i]);
        }
    problems.throw_if_any();
    return with_settings(without_axes.first_point(), settings);
}

}  // namespace

std::vector<ScenarioIssue> issues_of(const std::string& error) {
    static const std::regex placed(R"(^(.*?):(\d+):(\d+): ?(.*)$)"),
        field(R"(^([A-Za-z_][\w]*(?:\.\w+|\[\d+\])*): (.*)$)");
    std::vector<ScenarioIssue> issues;
    std::istringstream lines(error);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        ScenarioIssue issue{{}, 0, line};
        std::smatch match;
        if (std::regex_match(line, match, placed)) {
            issue.line = std::stoi(match[2]);
            issue.message = match[4];
        }
        const std::string message = issue.message;
        if (std::regex_match(message, match, field)) {
            issue.path = match[1];
            issue.message = match[2];
        }
        issues.push_back(issue);
    }
    return issues;
}

ScenarioDocument::ScenarioDocument(const std::string& root, QObject* parent)
    : QObject(parent), root_(root), catalog_(std::filesystem::path(root) / "hwmodels" / "catalog") {}

const ScenarioIssue* ScenarioDocument::issue_of(const std::string& path) const {
    for (const ScenarioIssue& issue : issues_)
        if (issue.path == path) return &issue;
    return nullptr;
}

std::optional<std::string> ScenarioDocument::value(const std::string& path) const {
    return parsed_.IsDefined() ? value_at(parsed_, path) : std::nullopt;
}

ScenarioFile ScenarioDocument::scenario_file() const {
    const std::string file = file_.isEmpty() ? "scenario.yaml" : file_.toStdString();
    return ScenarioFile(file, parse_yaml(text_, file), root_ + "/scenarios/models");
}

void ScenarioDocument::open(const QString& file) {
    const std::string text = whole_file(file.toStdString());
    undo_.clear();
    file_ = file;
    put(text);
    emit file_changed();
}

void ScenarioDocument::save_as(const QString& file) {
    write_whole(file.toStdString(), text_);
    file_ = file;
    undo_.setClean();
    emit file_changed();
}

void ScenarioDocument::set_text(const std::string& text) {
    if (text != text_) undo_.push(new TextCommand(*this, text, "typing", kTyping));
}

void ScenarioDocument::set_value(const std::string& path, const std::string& value) {
    set_values({{path, value}}, QString::fromStdString(path));
}

void ScenarioDocument::set_values(const std::vector<std::pair<std::string, std::string>>& values, const QString& what) {
    std::string text = text_;
    for (const auto& [path, value] : values)
        text = value.empty() ? without_value(text, path) : with_value(text, path, value);
    if (text != text_) undo_.push(new TextCommand(*this, text, what, kAlone));
}

void ScenarioDocument::put(const std::string& text) {
    text_ = text;
    validate();
    emit changed();
}

void ScenarioDocument::validate() {
    issues_.clear();
    parsed_.reset(YAML::Node(YAML::NodeType::Undefined));
    const std::string file = file_.isEmpty() ? "scenario.yaml" : file_.toStdString();
    try {
        parsed_.reset(parse_yaml(text_, file));
        const ScenarioFile whole = scenario_file();  // its axes and assertions too
        YAML::Node bare = YAML::Clone(parsed_);
        bare.remove("axes");
        const ScenarioFile one(file, bare, root_ + "/scenarios/models");
        const Point point = first_of(parsed_, file, one);
        // Read from the text as it stands, so that a message has its line.
        first_ = ReadPoint{point, whole.read(point, catalog_), whole.assertions()};
    } catch (const InputError& error) {
        issues_ = issues_of(error.what());
    } catch (const YAML::Exception& error) {
        issues_ = issues_of(error.what());
    }
}

}  // namespace strata
