// Three steps for who opens the window for the first time: ask, sweep, compare. Each is a line above the page that it
// is about; the window can be used meanwhile.
#include <QSettings>
#include <array>

#include "app/gui/main_window.hpp"
#include "app/gui/widgets/notice_bar.hpp"

namespace strata {

namespace {

struct TourStep {
    const char *page, *text;
};
constexpr std::array kTour{
    TourStep{"answer",
             "1 of 3 \u2013 Ask. Move a dial under \u201CWhat if\u201D, such as rho or the Engram tier: the answer "
             "follows, with its difference to the baseline. Hold the mouse over a number to see where it is from."},
    TourStep{
        "design-space",
        "2 of 3 \u2013 Sweep. F5 runs every point of the scenario's axes; they appear here while it runs. Esc leaves "
        "it, and F5 goes on where it was."},
    TourStep{"compare",
             "3 of 3 \u2013 Compare. Ctrl+B pins what the dials show; turn them, and this page says what changed, by "
             "metric and by op. Ctrl+K finds every other command."}};

}  // namespace

void MainWindow::start_tour() {
    QSettings().setValue("toured", true);
    tour_step(0);
}

void MainWindow::tour_step(int step) {
    if (step >= static_cast<int>(kTour.size())) {
        show_page(kTour.front().page);
        return;
    }
    const TourStep& here = kTour[static_cast<std::size_t>(step)];
    show_page(here.page);
    const bool last = step + 1 == static_cast<int>(kTour.size());
    notice_->tell(QString::fromUtf8(here.text), {{last ? "Done" : "Next", [this, step] { tour_step(step + 1); }}});
}

}  // namespace strata
