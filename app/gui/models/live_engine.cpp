#include "app/gui/models/live_engine.hpp"

#include "reports/derivation.hpp"

namespace strata {

namespace {

constexpr int kQuietMs = 400;  // a pause in which nothing moves: long enough that a drag is one refinement

// What is wrong inside is said like what the user can mend; a thread must not end by an exception.
template <class Work>
SharedAnswer caught(const char* engine, const Work& work) {
    try {
        return work();
    } catch (const std::exception& error) {
        return std::make_shared<Answer>(Answer{.engine = engine, .reason = error.what()});
    }
}

}  // namespace

LiveEngine::LiveEngine(const std::string& root, const std::string& simulator, QObject* parent)
    : QObject(parent),
      root_(root),
      simulator_(simulator),
      answers_([this](const Asked& asked, const auto&) { work(asked); }),
      refinements_([this](const Asked& asked, const auto&) { refine(asked); }),
      derivations_([this](const ToExplain& asked, const auto&) { derive(asked); }),
      looks_([this](const auto& work, const auto& superseded) {
          if (!looking_) looking_ = std::make_unique<Answerer>(root_);
          work(*looking_, superseded);
      }) {
    quiet_.setSingleShot(true);
    quiet_.setInterval(kQuietMs);
    connect(&quiet_, &QTimer::timeout, this, [this] {
        emit refining();
        refinements_.submit(last_);
    });
}

void LiveEngine::set_refining(bool on) {
    refining_ = on;
    if (on && turn_ > 0)
        quiet_.start();
    else
        quiet_.stop();
}

void LiveEngine::ask(const AnswerRequest& request) {
    last_ = {++turn_, request};
    answers_.submit(last_);
    if (refining_) quiet_.start();
}

void LiveEngine::explain(const OpPoint& point, const Device& device, std::function<void(const QString&)> told) {
    derivations_.submit({point, device, std::move(told)});
}

void LiveEngine::work(const Asked& asked) {
    const auto answer = caught("analytic", [&] {
        if (!quick_) quick_ = std::make_unique<Answerer>(root_);
        return std::make_shared<Answer>(quick_->answer(asked.request));
    });
    QMetaObject::invokeMethod(this, [this, answer] { emit answered(answer); });
}

void LiveEngine::refine(const Asked& asked) {
    const auto answer = caught("systemc", [&]() -> SharedAnswer {
        if (!slow_) slow_ = std::make_unique<Answerer>(root_);
        auto found = slow_->refined(asked.request, simulator_);
        return found ? std::make_shared<Answer>(std::move(*found)) : nullptr;
    });
    // What has been asked since makes it an answer to another question.
    QMetaObject::invokeMethod(this, [this, answer, turn = asked.turn] {
        if (turn == turn_) emit refined(answer);
    });
}

void LiveEngine::derive(const ToExplain& asked) {
    QString text;
    try {
        if (!costs_) costs_ = std::make_unique<CostBook>(CostBook::of(root_));
        const Derivation derived = costs_->explain(asked.point, asked.device);
        text = QString::fromStdString(
            derivation_text(asked.point, asked.device, costs_->curve(asked.point.family), derived));
    } catch (const std::exception& error) {
        text = error.what();
    }
    QMetaObject::invokeMethod(this, [told = asked.told, text] { told(text); });
}

}  // namespace strata
