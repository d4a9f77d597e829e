#include "app/gui/models/kernel_run.hpp"

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFileInfo>

namespace strata {

namespace {

constexpr int kNoDevice = 77;  // exit code of strata-kernels
constexpr int kPatience_ms = 3000;

}  // namespace

KernelRun::KernelRun(const QString& program, const QString& folder, QObject* parent)
    : QObject(parent), program_(program), folder_(folder) {
    if (program_.isEmpty()) program_ = QCoreApplication::applicationDirPath() + "/strata-kernels";
    process_.setProcessChannelMode(QProcess::MergedChannels);
    connect(&process_, &QProcess::readyRead, this, &KernelRun::read);
    connect(&process_, &QProcess::finished, this, &KernelRun::finish);
    connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) emit ended(program_ + " cannot be started: " + process_.errorString());
    });
}

KernelRun::~KernelRun() {
    process_.disconnect(this);
    if (!is_running()) return;
    process_.terminate();
    if (!process_.waitForFinished(kPatience_ms)) process_.kill();
    process_.waitForFinished(kPatience_ms);
}

void KernelRun::start(const QString& family) {
    if (is_running()) return;
    if (!QFileInfo(program_).isExecutable()) {
        emit ended("The bench of the CUDA kernels is not built here (" + program_ +
                   " is not there): it needs nvcc. See kernels/README.md.");
        return;
    }
    stopped_ = false;
    last_line_.clear();
    QDir().mkpath(folder_);
    const QString record = folder_ + "/" + QDateTime::currentDateTimeUtc().toString("yyyyMMdd-HHmmss-zzz") + ".jsonl";
    QStringList words{"run", "--out", record};
    words << (family.isEmpty() ? QStringList{"--all"} : QStringList{"--filter", family + "/"});
    process_.start(program_, words);
}

void KernelRun::stop() {
    stopped_ = true;
    process_.terminate();
}

void KernelRun::read() {
    for (const QString& line : QString::fromUtf8(process_.readAll()).split('\n', Qt::SkipEmptyParts)) last_line_ = line;
    emit grown();
}

void KernelRun::finish(int code, QProcess::ExitStatus how) {
    read();
    if (stopped_) return emit ended({});
    if (how == QProcess::CrashExit)
        return emit ended("The bench ended early: " + process_.errorString() + ". " + last_line_);
    if (code == kNoDevice) return emit ended("Nothing to measure on: " + last_line_);
    emit ended(code == 0 ? QString() : QString("The bench ended with exit code %1: %2").arg(code).arg(last_line_));
}

}  // namespace strata
