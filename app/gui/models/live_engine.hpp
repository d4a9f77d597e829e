// Answers while dials move: the analytic engine at once in one thread, and the systemc engine in another once nothing
// has moved for a moment. Everything is created where it is used, so that
// the window stands before the cost book is read.
#pragma once

#include <QObject>
#include <QTimer>
#include <cstdint>
#include <functional>
#include <memory>

#include "app/gui/models/answer.hpp"
#include "app/gui/models/latest_worker.hpp"

namespace strata {

using SharedAnswer = std::shared_ptr<const Answer>;
using SharedStudy = std::shared_ptr<const Study>;

class LiveEngine : public QObject {
    Q_OBJECT
public:
    // `simulator` as in StudyOptions.
    LiveEngine(const std::string& root, const std::string& simulator, QObject* parent = nullptr);

    void ask(const AnswerRequest& request);
    // How the cost book comes to an op's time; handed to `told` in this object's thread.
    void explain(const OpPoint& point, const Device& device, std::function<void(const QString&)> told);
    void set_refining(bool on);
    // What a page shows beyond the answer: `work` has an Answerer in a thread of its own, `told` gets what it made in
    // the page's. Of several that wait only the latest is done: one page is looked at.
    template <class Work, class Told>
    void look(QObject* page, Work work, Told told);

signals:
    void answered(strata::SharedAnswer answer);
    void refining();
    void refined(strata::SharedAnswer answer);

private:
    struct Asked {
        std::uint64_t turn;
        AnswerRequest request;
    };
    struct ToExplain {
        OpPoint point;
        Device device;
        std::function<void(const QString&)> told;
    };
    void work(const Asked& asked);
    void refine(const Asked& asked);
    void derive(const ToExplain& asked);

    std::string root_, simulator_;
    std::uint64_t turn_ = 0;
    bool refining_ = true;
    Asked last_{};
    QTimer quiet_;
    std::unique_ptr<Answerer> quick_, slow_;  // each of its own thread
    std::unique_ptr<CostBook> costs_;
    LatestWorker<Asked> answers_, refinements_;
    LatestWorker<ToExplain> derivations_;
    std::unique_ptr<Answerer> looking_;
    LatestWorker<std::function<void(Answerer&, const std::function<bool()>&)>> looks_;
};

// What a page asked for, or why there is none.
template <class Value>
struct Looked {
    std::optional<Value> value{};
    QString reason{};
};

template <class Work, class Told>
void LiveEngine::look(QObject* page, Work work, Told told) {
    using Value = std::invoke_result_t<Work, Answerer&>;
    looks_.submit([page, work, told](Answerer& answerer, const std::function<bool()>& superseded) {
        const auto looked = std::make_shared<Looked<Value>>();
        try {
            looked->value = work(answerer);
        } catch (const std::exception& error) {  // a thread must not end by one
            looked->reason = error.what();
        }
        if (!superseded()) QMetaObject::invokeMethod(page, [told, looked] { told(*looked); });
    });
}

}  // namespace strata
