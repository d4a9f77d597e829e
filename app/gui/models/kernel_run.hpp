// A measurement of the kernels on this machine: strata-kernels as a process, whose record grows line by line and can be
// read meanwhile. What it says when it does not measure (no GPU, no such program) is told in a sentence.
#pragma once

#include <QObject>
#include <QProcess>

namespace strata {

class KernelRun : public QObject {
    Q_OBJECT
public:
    // `program`: strata-kernels; empty: the one beside this program. Records go into `folder`.
    KernelRun(const QString& program, const QString& folder, QObject* parent = nullptr);
    ~KernelRun() override;

    void start(const QString& family);  // "mhc"; empty: all of them. Not while one runs
    void stop();
    bool is_running() const { return process_.state() != QProcess::NotRunning; }
    const QString& folder() const { return folder_; }

signals:
    void grown();                 // there is more in the record
    void ended(QString trouble);  // empty: it ran to its end or was stopped

private:
    void read();
    void finish(int code, QProcess::ExitStatus how);

    QString program_, folder_, last_line_;
    QProcess process_;
    bool stopped_ = false;
};

}  // namespace strata
