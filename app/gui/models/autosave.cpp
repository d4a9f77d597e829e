#include "app/gui/models/autosave.hpp"

#include <signal.h>
#include <unistd.h>

#include <QDir>
#include <QFileInfo>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"

namespace strata {

namespace {

constexpr int kSettles_ms = 500;

bool lives(qint64 process) { return kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM; }

}  // namespace

// Windows of one process have files of their own too.
Autosave::Autosave(ScenarioDocument& document, const QString& folder, QObject* parent)
    : QObject(parent), document_(document), folder_(folder) {
    static int windows = 0;
    own_ = QString("%1/%2-%3.json").arg(folder_).arg(getpid()).arg(++windows);
    settles_.setSingleShot(true);
    settles_.setInterval(kSettles_ms);
    connect(&settles_, &QTimer::timeout, this, &Autosave::keep);
    connect(&document_, &ScenarioDocument::changed, &settles_, qOverload<>(&QTimer::start));
    connect(&document_.undo_stack(), &QUndoStack::cleanChanged, &settles_, [this] { settles_.start(); });
}

Autosave::~Autosave() { QFile::remove(own_); }

void Autosave::keep() {
    if (document_.undo_stack().isClean()) {
        QFile::remove(own_);
        return;
    }
    const nlohmann::json kept{{"file", document_.file().toStdString()}, {"text", document_.text()}};
    try {
        QDir().mkpath(folder_);
        write_whole(own_.toStdString(), kept.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
        failing_ = false;
    } catch (const std::exception& error) {
        if (!std::exchange(failing_, true)) emit failed(error.what());
    }
}

std::optional<Autosave::LeftBehind> Autosave::left_behind() const {
    for (const QFileInfo& file : QDir(folder_).entryInfoList({"*.json"}, QDir::Files, QDir::Time)) {
        if (lives(file.baseName().section('-', 0, 0).toLongLong())) continue;
        try {
            const auto kept = nlohmann::json::parse(whole_file(file.filePath().toStdString()));
            return LeftBehind{QString::fromStdString(kept.at("file")), kept.at("text"), file.filePath()};
        } catch (const std::exception&) {  // half of one is of no use to anybody
            QFile::remove(file.filePath());
        }
    }
    return std::nullopt;
}

void Autosave::forget(const LeftBehind& left) { QFile::remove(left.kept); }

}  // namespace strata
