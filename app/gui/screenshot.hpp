// A picture of one page, without a display: for documents, and to look at what a change does to every page.
#pragma once

#include <QString>

namespace strata {

class MainWindow;

struct Screenshot {
    QString page{}, file{};
    QString rows = "*";  // validation: which of the ledger
};

// Waits for what the page shows, which is made in the background. The exit code: 0, or 2 if there is no such page or
// the file cannot be written.
int take(MainWindow& window, const Screenshot& wanted);

}  // namespace strata
