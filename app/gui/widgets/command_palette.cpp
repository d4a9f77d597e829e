#include "app/gui/widgets/command_palette.hpp"

#include <QAction>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace strata {

namespace {

QString name_of(const QAction& action) { return QString(action.text()).remove('&').remove("..."); }

// Whether the letters of `text` come in `name` in their order; how far apart they are, or -1.
int spread_in(const QString& text, const QString& name) {
    qsizetype from = 0, first = -1;
    for (const QChar letter : text) {
        if (letter.isSpace()) continue;
        const qsizetype at = name.indexOf(letter, from, Qt::CaseInsensitive);
        if (at < 0) return -1;
        if (first < 0) first = at;
        from = at + 1;
    }
    return static_cast<int>(from - std::max<qsizetype>(first, 0));
}

}  // namespace

CommandPalette::CommandPalette(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent, Qt::Popup), actions_(actions), line_(new QLineEdit), list_(new QTreeWidget) {
    setWindowTitle("Commands");
    line_->setPlaceholderText("What to do");
    line_->setAccessibleName("What to do");
    line_->installEventFilter(this);
    list_->setColumnCount(2);
    list_->header()->hide();
    list_->setRootIsDecorated(false);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->setAccessibleName("Commands");
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(line_);
    layout->addWidget(list_, 1);
    resize(480, 420);
    if (parent) move(parent->mapToGlobal(QPoint((parent->width() - width()) / 2, 60)));
    connect(line_, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(line_, &QLineEdit::returnPressed, this, &CommandPalette::choose);
    connect(list_, &QTreeWidget::itemClicked, this, [this](QTreeWidgetItem* item) {
        list_->setCurrentItem(item);
        choose();
    });
    fill("");
}

QStringList CommandPalette::found() const {
    QStringList names;
    for (int i = 0; i < list_->topLevelItemCount(); ++i) names << list_->topLevelItem(i)->text(0);
    return names;
}

void CommandPalette::fill(const QString& text) {
    std::vector<std::pair<int, QAction*>> matches;
    for (QAction* action : actions_)
        if (const int spread = spread_in(text, name_of(*action)); spread >= 0 && action->isEnabled())
            matches.emplace_back(spread, action);
    std::ranges::stable_sort(matches, {}, &std::pair<int, QAction*>::first);
    list_->clear();
    for (const auto& [spread, action] : matches) {
        auto* item = new QTreeWidgetItem({name_of(*action), action->shortcut().toString(QKeySequence::NativeText)});
        item->setData(0, Qt::UserRole, QVariant::fromValue(static_cast<QObject*>(action)));
        item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
        list_->addTopLevelItem(item);
    }
    list_->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    list_->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    list_->header()->setStretchLastSection(false);
    if (!matches.empty()) list_->setCurrentItem(list_->topLevelItem(0));
}

void CommandPalette::choose() {
    const QTreeWidgetItem* item = list_->currentItem();
    auto* action = item ? qobject_cast<QAction*>(item->data(0, Qt::UserRole).value<QObject*>()) : nullptr;
    accept();
    if (action) action->trigger();
}

// The line keeps the keyboard; up and down go to the list.
bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
        if (step != 0 && list_->topLevelItemCount() > 0) {
            const int at = list_->indexOfTopLevelItem(list_->currentItem());
            list_->setCurrentItem(list_->topLevelItem(std::clamp(at + step, 0, list_->topLevelItemCount() - 1)));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace strata
