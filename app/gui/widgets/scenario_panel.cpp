#include "app/gui/widgets/scenario_panel.hpp"

#include <QComboBox>
#include <QFontDatabase>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPlainTextEdit>
#include <QSortFilterProxyModel>
#include <QStyledItemDelegate>
#include <QTabWidget>
#include <QTextBlock>
#include <QTreeView>
#include <QVBoxLayout>

#include "app/gui/widgets/theme.hpp"

namespace strata {

namespace {

// Values that stand in the scenario are ink, defaults are grey, wrong ones red; choices open as a list.
class ValueDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const override {
        const QStringList choices = index.data(ScenarioFormModel::choices_role).toStringList();
        if (choices.isEmpty()) return QStyledItemDelegate::createEditor(parent, option, index);
        auto* box = new QComboBox(parent);
        box->setEditable(true);  // another form of the value than one of the list: the reader will judge
        box->addItems(choices);
        return box;
    }
    void setEditorData(QWidget* editor, const QModelIndex& index) const override {
        if (auto* box = qobject_cast<QComboBox*>(editor))
            box->setCurrentText(index.data(Qt::EditRole).toString());
        else
            QStyledItemDelegate::setEditorData(editor, index);
    }
    void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override {
        if (auto* box = qobject_cast<QComboBox*>(editor))
            model->setData(index, box->currentText());
        else
            QStyledItemDelegate::setModelData(editor, model, index);
    }
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        const bool wrong = !index.data(ScenarioFormModel::issue_role).toString().isEmpty();
        const bool is_set = index.data(ScenarioFormModel::is_set_role).toBool();
        const bool grey = index.column() == ScenarioFormModel::unit_column ||
                          (index.column() == ScenarioFormModel::value_column && !is_set);
        if (grey) option->palette.setColor(QPalette::Text, muted(option->palette));
        if (wrong) option->palette.setColor(QPalette::Text, bad(option->palette));
        if (wrong) option->font.setBold(true);
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return QStyledItemDelegate::sizeHint(option, index).expandedTo({0, option.fontMetrics.height() + 8});
    }
};

class FieldFilter : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

protected:
    // By path and by what the field says of itself.
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QModelIndex index = sourceModel()->index(row, 0, parent);
        for (const QString& word : filterRegularExpression().pattern().split(' ', Qt::SkipEmptyParts)) {
            const bool found =
                index.data(ScenarioFormModel::path_role).toString().contains(word, Qt::CaseInsensitive) ||
                index.data(Qt::ToolTipRole).toString().contains(word, Qt::CaseInsensitive);
            if (!found) return false;
        }
        return true;
    }
};

}  // namespace

ScenarioPanel::ScenarioPanel(ScenarioDocument& document, ScenarioFormModel& model, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(model),
      filtered_(new FieldFilter(this)),
      search_(new QLineEdit),
      tabs_(new QTabWidget),
      tree_(new QTreeView),
      editor_(new QPlainTextEdit),
      issues_(new QLabel) {
    filtered_->setSourceModel(&model_);
    filtered_->setRecursiveFilteringEnabled(true);
    search_->setPlaceholderText("Search fields (Ctrl+F)");
    search_->setAccessibleName("Search fields");
    search_->setClearButtonEnabled(true);
    tree_->setModel(filtered_);
    tree_->setItemDelegate(new ValueDelegate(tree_));
    tree_->setEditTriggers(QAbstractItemView::AllEditTriggers);
    tree_->setUniformRowHeights(true);
    tree_->setFrameShape(QFrame::NoFrame);
    tree_->header()->setStretchLastSection(false);
    tree_->header()->setSectionResizeMode(ScenarioFormModel::field_column, QHeaderView::Interactive);
    tree_->header()->setSectionResizeMode(ScenarioFormModel::value_column, QHeaderView::Stretch);
    tree_->header()->setSectionResizeMode(ScenarioFormModel::unit_column, QHeaderView::Interactive);
    tree_->setColumnWidth(ScenarioFormModel::field_column, 150);
    tree_->setColumnWidth(ScenarioFormModel::unit_column, 64);
    tabs_->setAccessibleName("Scenario");
    tree_->setAccessibleName("Scenario as a form");
    editor_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    editor_->setLineWrapMode(QPlainTextEdit::NoWrap);
    editor_->setUndoRedoEnabled(false);  // the document's own is the only one
    editor_->setFrameShape(QFrame::NoFrame);
    editor_->setAccessibleName("Scenario as YAML");
    issues_->setWordWrap(true);
    issues_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    issues_->setMargin(6);
    auto* form = new QWidget;
    auto* form_layout = new QVBoxLayout(form);
    form_layout->setContentsMargins(6, 6, 6, 0);
    form_layout->addWidget(search_);
    form_layout->addWidget(tree_, 1);
    tabs_->addTab(form, "Form");
    tabs_->addTab(editor_, "YAML");
    tabs_->setDocumentMode(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(tabs_, 1);
    layout->addWidget(issues_);
    connect(search_, &QLineEdit::textChanged, this, &ScenarioPanel::search);
    connect(editor_, &QPlainTextEdit::textChanged, this, [this] {
        if (!following_) document_.set_text(editor_->toPlainText().toStdString());
    });
    connect(&document_, &ScenarioDocument::changed, this, &ScenarioPanel::follow);
    connect(&document_, &ScenarioDocument::file_changed, this, &ScenarioPanel::open_groups);
    follow();
}

void ScenarioPanel::find() {
    tabs_->setCurrentIndex(0);
    search_->setFocus();
    search_->selectAll();
}

void ScenarioPanel::search(const QString& text) {
    filtered_->setFilterRegularExpression(QRegularExpression::escape(text).replace("\\ ", " "));
    if (text.isEmpty())
        open_groups();
    else
        tree_->expandAll();
}

// Open where the scenario says something, closed where all is as by default.
void ScenarioPanel::open_groups() {
    tree_->collapseAll();
    const auto open = [&](const auto& self, const QModelIndex& parent) -> bool {
        bool any = false;
        for (int row = 0; row < filtered_->rowCount(parent); ++row) {
            const QModelIndex index = filtered_->index(row, 0, parent);
            const bool below = self(self, index);
            if (below) tree_->expand(index);
            any = any || below || index.data(ScenarioFormModel::is_set_role).toBool();
        }
        return any;
    };
    open(open, {});
}

void ScenarioPanel::follow() {
    const QString text = QString::fromStdString(document_.text());
    if (editor_->toPlainText() != text) {
        following_ = true;
        const int at = editor_->textCursor().position();
        editor_->setPlainText(text);
        QTextCursor cursor = editor_->textCursor();
        cursor.setPosition(std::min(at, static_cast<int>(text.size())));
        editor_->setTextCursor(cursor);
        following_ = false;
    }
    QString said;
    QList<QTextEdit::ExtraSelection> marks;
    for (const ScenarioIssue& issue : document_.issues()) {
        const QString path = QString::fromStdString(issue.path);
        said += QString("%1%2<b>%3</b> %4")
                    .arg(said.isEmpty() ? "" : "<br>", issue.line > 0 ? QString("line %1 ").arg(issue.line) : "",
                         path.toHtmlEscaped(), QString::fromStdString(issue.message).toHtmlEscaped());
        if (issue.line <= 0) continue;
        QTextEdit::ExtraSelection mark;
        mark.cursor = QTextCursor(editor_->document()->findBlockByNumber(issue.line - 1));
        QColor ground = bad(palette());
        ground.setAlpha(50);
        mark.format.setBackground(ground);
        mark.format.setProperty(QTextFormat::FullWidthSelection, true);
        marks.append(mark);
    }
    editor_->setExtraSelections(marks);
    issues_->setText(said);
    QPalette own = issues_->palette();
    own.setColor(QPalette::WindowText, bad(palette()));
    issues_->setPalette(own);
    issues_->setVisible(!said.isEmpty());
}

}  // namespace strata
